"""What a Python source names: the modules that it imports, and the texts that may be files. Read, never run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from mlgate.adapters.git.python_paths import HOLE, has_unknown_path, text

_DYNAMIC = frozenset(
    {
        *("import_module", "__import__", "exec", "eval", "run_path", "run_module", "runpy", "iter_modules"),
        *("walk_packages", "spec_from_file_location", "exec_module", "load_module", "SourceFileLoader"),
        *("SourcelessFileLoader", "ExtensionFileLoader", "zipimporter", "meta_path", "path_hooks", "find_spec"),
    }
)
"""Names by which a source imports or runs what it does not name."""
_PARTS = re.compile(r"[\s/\\\"'=:,;()\[\]{}]+")
_HOLES = re.compile(r"\{[^{}\s]{0,80}\}|%\([^()\s]{1,80}\)[a-z]|%[0-9.]{0,9}[dfrs]|\[[^\[\]\s]{1,80}\]")
"""Where `format`, `%` and a glob put what a text does not say."""
_LITERAL = re.compile(r"[A-Za-z0-9]")
_STEM = 3
"""Letters and figures that make a name without an ending."""
_LONGEST_TEXT = 4_096
"""Of a text that may be a path."""


@dataclass(frozen=True, slots=True)
class Mentions:
    """What one source names."""

    imports: frozenset[tuple[int, tuple[str, ...]]] = frozenset()
    """Leading dots, and the dotted name in parts: `from ..a import b` is (2, (a,)) and (2, (a, b))."""
    words: frozenset[str] = frozenset()
    """The parts of its texts between blanks, quotes and strokes."""
    globs: frozenset[str] = frozenset()
    """Those of them in which `*` or `?` stand for what the source does not say."""
    is_dynamic: bool = False
    """Its imports cannot be followed."""
    opens_unknown: bool = False
    """It builds a path, or lists a folder, and does not say which file that is."""


def mentions(source: bytes) -> Mentions:
    """Return what *source* names. One that is no Python cannot be followed."""
    try:
        tree = ast.parse(source)
        return _mentions(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Mentions(is_dynamic=True, opens_unknown=True)


def _mentions(tree: ast.Module) -> Mentions:
    imports: set[tuple[int, tuple[str, ...]]] = set()
    words: set[str] = set()
    is_dynamic = False
    for one in ast.walk(tree):
        imports.update(_imports(one))
        words.update(_words(one))
        match one:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
                is_dynamic = is_dynamic or name.rpartition(".")[2] in _DYNAMIC
            case _:
                pass
    globs = frozenset(word for word in words if _is_glob(word))
    return Mentions(frozenset(imports), frozenset(words - {""}), globs, is_dynamic, has_unknown_path(tree))


def _words(one: ast.AST) -> Iterator[str]:
    """Yield the parts of a text, or of one that is put together; what it does not say is a `*` in them."""
    match one:
        case ast.Constant(value=str(said)) if len(said) <= _LONGEST_TEXT:
            yield from _PARTS.split(said)
            yield from _PARTS.split(_HOLES.sub(HOLE, said))
        case ast.JoinedStr() | ast.BinOp(op=ast.Add() | ast.Mod()):
            said = text(one) or ""
            yield from _PARTS.split(_HOLES.sub(HOLE, said)) if len(said) <= _LONGEST_TEXT else ()
        case ast.Call(func=ast.Attribute(attr="with_suffix"), args=[ast.Constant(value=str(ending))]):
            yield f"{HOLE}{ending}"
        case _:
            return


def _is_glob(word: str) -> bool:
    """Say whether a word may be a file's name with holes: `n*` of a message is none, `gold_*` and `*.json` are."""
    if not ("*" in word or "?" in word):
        return False
    stem, dot, ending = word.rpartition(".")
    return len(_LITERAL.findall(stem if dot else word)) >= _STEM or bool(dot and _LITERAL.search(ending))


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
