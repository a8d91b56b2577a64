"""Make data/test.jsonl from the docstrings of Python's standard library.

Run it with the Python that data/README.md names: the same Python gives the same bytes. Nothing is imported.
"""

from __future__ import annotations

import ast
import json
import re
import sysconfig
from collections.abc import Iterator
from pathlib import Path

OUTPUT = Path(__file__).parent / "data" / "test.jsonl"

LEFT_OUT = {"test", "tests", "idle_test", "idlelib", "lib2to3", "site-packages", "turtledemo", "ensurepip"}
"""Tests, applications, and what others installed."""

SUMMARY_WORDS = range(4, 26)
BODY_WORDS = range(30, 401)

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def main() -> None:
    """Write one JSON object a line: id, input, reference, module."""
    seen: set[str] = set()
    lines = []
    for name, header, docstring in sorted(documented(Path(sysconfig.get_path("stdlib")))):
        summary, body = split(docstring)
        if not is_plain(summary, body) or seen & {name, summary, body}:
            continue
        seen |= {name, summary, body}
        row = {"id": name, "input": f"{header}\n\n{body}", "reference": summary, "module": name.split(".")[0]}
        lines.append(json.dumps(row))
    OUTPUT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(lines)} examples")


def documented(root: Path) -> Iterator[tuple[str, str, str]]:
    """Yield the dotted name, the header and the docstring of every definition that has one."""
    for file in root.rglob("*.py"):
        names = file.relative_to(root).with_suffix("").parts
        if LEFT_OUT.isdisjoint(names):
            module = ".".join(name for name in names if name != "__init__")
            yield from within(ast.parse(file.read_bytes()), module)


def within(node: Documented, name: str) -> Iterator[tuple[str, str, str]]:
    """Yield *node* and what is defined directly in it."""
    if docstring := ast.get_docstring(node):
        yield name, header_of(node, name), docstring
    for child in node.body:
        if isinstance(child, Documented):
            yield from within(child, f"{name}.{child.name}")


def header_of(node: Documented, name: str) -> str:
    """Return what a reader sees above the docstring: the definition's name and its parameters."""
    if isinstance(node, ast.Module):
        return f"module {name}"
    if isinstance(node, ast.ClassDef):
        return f"class {node.name}"
    arguments = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    return f"def {node.name}({', '.join(arguments)})"


def split(docstring: str) -> tuple[str, str]:
    """Return the summary, which PEP 257 asks for as the first paragraph, and what is said behind it."""
    summary, _, body = docstring.partition("\n\n")
    return " ".join(summary.split()), body.strip()


def is_plain(summary: str, body: str) -> bool:
    """Whether both are prose of a fair length, and the summary is not given away."""
    prose = [line for line in body.splitlines() if not re.match(r"\s*(>>>|\.\.\. )", line)]
    return (
        len(summary.split()) in SUMMARY_WORDS
        and len(" ".join(prose).split()) in BODY_WORDS
        and (summary + body).isascii()
        and summary[0].isupper()
        and summary.endswith(".")
        and not re.search(r">>>|->|[{}<>=|\\]", summary)
        and summary not in " ".join(body.split())
    )


if __name__ == "__main__":
    main()
