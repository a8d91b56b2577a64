"""The house's own measures: a module, a function and a folder stay small enough to be read at once."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "gate/mlgate"
MOST_LINES, MOST_LINES_OF_A_FUNCTION, MOST_MODULES = 300, 40, 25
COMPLEXITY = re.compile(r"# noqa:.*\b(C901|PLR0911|PLR0912|PLR0915)\b")


def too_large(package: Path) -> Iterator[str]:
    for folder in sorted({path.parent for path in package.rglob("*.py")}):
        modules = len(list(folder.glob("*.py")))
        if modules > MOST_MODULES:
            yield f"{folder.relative_to(package)} has {modules} modules"
    for path in sorted(package.rglob("*.py")):
        text, name = path.read_text(), path.relative_to(package)
        if (lines := text.count("\n")) > MOST_LINES:
            yield f"{name} has {lines} lines"
        if COMPLEXITY.search(text):
            yield f"{name} asks not to be told that it is complex"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                size = (node.end_lineno or node.lineno) - node.lineno + 1
                if size > MOST_LINES_OF_A_FUNCTION:
                    yield f"{name}: {node.name} has {size} lines"


def test_no_module_no_function_and_no_folder_is_too_large() -> None:
    found = list(too_large(PACKAGE))
    assert not found, "\n".join(found)


def test_what_is_too_large_is_found(tmp_path: Path) -> None:
    body = "".join(f"    x = {i}\n" for i in range(300))
    (tmp_path / "long.py").write_text(f"def f():  # noqa: C901\n{body}")
    for i in range(25):
        (tmp_path / f"m{i}.py").touch()
    assert list(too_large(tmp_path)) == [
        ". has 26 modules",
        "long.py has 301 lines",
        "long.py asks not to be told that it is complex",
        "long.py: f has 301 lines",
    ]
