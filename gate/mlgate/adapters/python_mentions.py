"""What a Python source names: the modules that it imports, and the texts that may be files. Read, never run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

_DYNAMIC = frozenset(
    {
        *("import_module", "__import__", "exec", "eval", "run_path", "run_module", "runpy", "iter_modules"),
        *("walk_packages", "spec_from_file_location", "exec_module", "load_module", "SourceFileLoader"),
        *("SourcelessFileLoader", "ExtensionFileLoader", "zipimporter", "meta_path", "path_hooks", "find_spec"),
    }
)
"""Names by which a source imports or runs what it does not name."""
_PARTS = re.compile(r"[\s/\\\"'=:,;()\[\]{}]+")
_LONGEST = 4_096
"""Of a text that may be a path."""


@dataclass(frozen=True, slots=True)
class Mentions:
    """What one source names."""

    imports: frozenset[tuple[int, tuple[str, ...]]] = frozenset()
    """Leading dots, and the dotted name in parts: `from ..a import b` is (2, (a,)) and (2, (a, b))."""
    words: frozenset[str] = frozenset()
    """The parts of its texts between blanks, quotes and strokes."""
    is_dynamic: bool = False
    """Its imports cannot be followed."""


def mentions(source: bytes) -> Mentions:
    """Return what *source* names. One that is no Python cannot be followed."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Mentions(is_dynamic=True)
    imports: set[tuple[int, tuple[str, ...]]] = set()
    words: set[str] = set()
    is_dynamic = False
    for one in ast.walk(tree):
        imports.update(_imports(one))
        match one:
            case ast.Constant(value=str(text)) if len(text) <= _LONGEST:
                words.update(_PARTS.split(text))
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
                is_dynamic = is_dynamic or name.rpartition(".")[2] in _DYNAMIC
            case _:
                pass
    return Mentions(frozenset(imports), frozenset(words - {""}), is_dynamic)


def _imports(one: ast.AST) -> Iterator[tuple[int, tuple[str, ...]]]:
    match one:
        case ast.Import(names=names):
            yield from ((0, tuple(alias.name.split("."))) for alias in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            package = tuple(module.split(".")) if module else ()
            yield level, package
            yield from ((level, (*package, alias.name)) for alias in names if alias.name != "*")
        case ast.Assign(targets=[ast.Name(id="pytest_plugins")], value=value):
            yield from _texts(value)
        case ast.Call(func=ast.Attribute(attr="importorskip"), args=[first, *_]):
            yield from _texts(first)
        case _:
            return


def _texts(value: ast.AST) -> Iterator[tuple[int, tuple[str, ...]]]:
    for one in ast.walk(value):
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield 0, tuple(one.value.split("."))
