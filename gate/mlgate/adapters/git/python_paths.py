"""Which paths a Python source builds without saying what they are: read from its syntax, never run."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

HOLE = "*"
"""Stands in a text for what the source does not say."""
_PATHS = frozenset({"Path", "PurePath", "PosixPath", "PurePosixPath", "cwd", "rootpath", "rootdir"})
_FOLDERS = frozenset({"parent", "parents", "absolute", "resolve", "joinpath", "with_name"})
_JOINS = frozenset({"joinpath", "with_name", "with_stem"})
_LISTS = frozenset({"iterdir", "listdir", "scandir", "walk", "fwalk"})
_GLOBS = frozenset({"glob", "rglob", "iglob"})
_OF_THE_TEST = ("tmp", "temp")
"""What a test's own folder is called: what it writes there is no file of the change."""


def text(one: ast.AST) -> str | None:
    """Return a text that is put together from texts, with `*` for the rest; None where no text is in it."""
    match one:
        case ast.Constant(value=str(said)):
            return said
        case ast.JoinedStr(values=values):
            return "".join(text(value) or HOLE for value in values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            before, after = text(left), text(right)
            return None if before is None and after is None else f"{before or HOLE}{after or HOLE}"
        case ast.BinOp(left=value, op=ast.Mod()) | ast.Call(func=ast.Attribute(value=value, attr="format")):
            return text(value)
        case _:
            return None


def has_unknown_path(tree: ast.Module) -> bool:
    """Say whether *tree* joins a path with something that it does not say, or lists a folder."""
    return _Paths(tree).has_unknown


class _Paths:
    """The names of one source that hold paths or texts, and what is joined with them."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self._bound: dict[str, list[ast.AST | None]] = {}
        for name, value in _bindings(tree):
            self._bound.setdefault(name, []).append(value)
        self._paths = self._named_paths(self._bound)

    @property
    def has_unknown(self) -> bool:
        return any(map(self._is_unknown, ast.walk(self._tree)))

    def _named_paths(self, bound: Mapping[str, list[ast.AST | None]]) -> set[str]:
        """Return the names that hold paths: a path, or what is made of one."""
        found = {argument.arg for argument in _arguments(self._tree) if _is_annotated(argument)}
        self._paths = found
        size = -1
        while size != len(found):
            size = len(found)
            found |= {name for name, values in bound.items() if any(value and self._is_path(value) for value in values)}
        return found

    def _is_path(self, one: ast.AST) -> bool:
        match one:
            case ast.Name(id=name):
                return name == "__file__" or name in self._paths
            case ast.Attribute(value=value, attr=attr):
                return attr in _FOLDERS or attr in _PATHS or self._is_path(value)
            case ast.Call(func=func, args=arguments):
                name = _name(func)
                return name in _PATHS or self._is_path(func) or (name == "str" and any(map(self._is_path, arguments)))
            case ast.Subscript(value=value):
                return self._is_path(value)
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return self._is_path(left) or (text(right) is not None and not _is_own(left))
            case _:
                return False

    def _is_unknown(self, one: ast.AST) -> bool:
        match one:
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return self._is_path(left) and not self._is_said(right)
            case ast.Call(func=ast.Attribute(value=value, attr="join"), args=[_, *rest]) if _name(value) == "path":
                return not all(map(self._is_said, rest))
            case ast.Call(func=ast.Attribute(value=value, attr=attr), args=arguments) if attr in _JOINS:
                return not _is_own(value) and not all(map(self._is_said, arguments))
            case ast.Call(func=func, args=[first, *_]) if _name(func) in _GLOBS:
                return not self._is_said(first)
            case ast.Call(func=func) if _name(func) in _LISTS:
                return not any(_is_own(part) for part in ast.walk(one))
            case _:
                return False

    def _is_said(self, one: ast.AST, depth: int = 4) -> bool:
        """Say whether the source says enough of a text to be compared with a file's name."""
        said = text(one)
        if said is not None:
            return any(letter.isalnum() for letter in said) or said in (".", "..", "")
        if isinstance(one, ast.Name) and depth:
            values = self._bound.get(one.id, [])
            return bool(values) and all(value is not None and self._is_said(value, depth - 1) for value in values)
        if isinstance(one, ast.Tuple | ast.List | ast.Set):  # a loop over texts
            return all(self._is_said(element, depth - 1) for element in one.elts)
        return isinstance(one, ast.Call) and _name(one.func) == "Path" and all(self._is_said(a) for a in one.args)


def _bindings(tree: ast.Module) -> Iterator[tuple[str, ast.AST | None]]:
    """Yield the names that are given a value, and the value; None for one that comes from outside."""
    for one in ast.walk(tree):
        match one:
            case ast.Assign(targets=targets, value=value):
                yield from ((target.id, value) for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name), value=value):
                yield name, value
            case ast.NamedExpr(target=ast.Name(id=name), value=value):
                yield name, value
            case (
                ast.For(target=ast.Name(id=name), iter=value) | ast.comprehension(target=ast.Name(id=name), iter=value)
            ):
                yield name, value
            case _:
                pass
    parametrized = [*_parametrized_values(tree)]
    yield from parametrized
    known = {name for name, _ in parametrized}
    yield from ((argument.arg, None) for argument in _arguments(tree) if argument.arg not in known)


def _parametrized_values(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    for one in ast.walk(tree):
        match one:
            case ast.Call(func=ast.Attribute(attr="parametrize"), args=[ast.Constant(value=str(name)), value, *_]):
                yield name, value
            case _:
                pass


def _arguments(tree: ast.Module) -> Iterator[ast.arg]:
    return (one for one in ast.walk(tree) if isinstance(one, ast.arg))


def _is_annotated(argument: ast.arg) -> bool:
    names = {_name(one) for one in ast.walk(argument.annotation)} if argument.annotation else set()
    return bool(names & _PATHS) and not argument.arg.startswith(_OF_THE_TEST)


def _is_own(one: ast.AST) -> bool:
    """Say whether a path begins in a folder that pytest makes for the test."""
    match one:
        case ast.Name(id=name):
            return name.startswith(_OF_THE_TEST)
        case ast.BinOp(left=first) | ast.Attribute(value=first) | ast.Call(func=first):
            return _is_own(first)
        case _:
            return False


def _name(one: ast.AST) -> str:
    match one:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""
