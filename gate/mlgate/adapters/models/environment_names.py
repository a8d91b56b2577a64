"""Which environment variables a Python model's code asks for, by reading it. Nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from pathlib import Path

from mlgate.adapters.models.python_source import sources

_READERS = ("get", "pop", "setdefault")


def asked_for(target: str, root: Path) -> tuple[str, ...]:
    """Return the names that the code of *target*, and what it imports beside it, reads of the environment, sorted."""
    found: set[str] = set()
    for text in sources(target, root):
        if b"environ" in text or b"getenv" in text:
            found.update(_names(text))
    return tuple(sorted(found))


def unseen(asked: Collection[str], passed_on: Collection[str], there: Collection[str]) -> tuple[str, ...]:
    """Return what is asked for, and set, and not passed on to the model."""
    return tuple(name for name in asked if name in there and name not in passed_on)


def _names(source: bytes) -> Iterator[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=value, slice=ast.Constant(value=str(name))) if _is_environment(value):
                yield name
            case ast.Call(func=func, args=[ast.Constant(value=str(name)), *_]) if _reads_environment(func):
                yield name
            case ast.Compare(left=ast.Constant(value=str(name)), comparators=[value]) if _is_environment(value):
                yield name


def _is_environment(node: ast.expr) -> bool:
    """Return whether *node* is `os.environ`, or `environ` by itself."""
    match node:
        case ast.Attribute(attr="environ") | ast.Name(id="environ"):
            return True
    return False


def _reads_environment(node: ast.expr) -> bool:
    match node:
        case ast.Attribute(attr="getenv") | ast.Name(id="getenv"):
            return True
        case ast.Attribute(attr=attr, value=value):
            return attr in _READERS and _is_environment(value)
    return False
