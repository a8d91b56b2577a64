"""What a Python model is made of, without running it: the digest of its source files."""

from __future__ import annotations

import ast
import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

LIMIT = 64 << 20
"""Bytes of source that are read. Of what lies beyond only names and sizes count."""
_FILES = 20_000
_LONGEST = 1 << 20
"""Bytes of a source file in which imports are looked for."""
_SUFFIXES = (".py", *EXTENSION_SUFFIXES)


def source_digest(target: str, root: Path, path: Sequence[str] | None = None) -> str:
    """Return the SHA-256 of *target*, of its top-level package or module, and of what those import from *root*.

    It is looked for in *root*, then along *path* (`sys.path`), and never imported: imports are read from the source.
    One that is not found still has a digest: the model cannot be loaded then, and every row will say so.
    """
    sha = hashlib.sha256(f"python\0{target}\0".encode())
    left = LIMIT
    for name, file in _sources(target.partition(":")[0].partition(".")[0], root, sys.path if path is None else path):
        size, content, left = _read(file, left)
        sha.update(f"{name}\0{size}\0{content}\n".encode("utf-8", "surrogateescape"))
    return sha.hexdigest()


def _sources(top: str, root: Path, path: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """Yield the files of *top*, then of every module beside it that it imports, and so on; each once, in one order."""
    found = _place(top, [root, *(Path(entry) for entry in path if entry)])
    waiting, known = [found], {found}
    while waiting:
        place = waiting.pop(0)
        if place is None:
            continue
        files = list(_files(place))
        yield from files
        for name in sorted({name for _, file in files for name in _imports(file)}):
            beside = _place(name, [root])
            if beside is not None and beside not in known:
                known.add(beside)
                waiting.append(beside)


def _imports(file: Path) -> Iterator[str]:
    """Yield the top-level names that a source file imports; none for one that is no Python."""
    if file.suffix != ".py":
        return
    try:
        tree = ast.parse(file.read_bytes()[:_LONGEST])
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _place(top: str, bases: Sequence[Path]) -> Path | None:
    """Return the package's folder or the module's file, as an import would find it; a bare folder comes last."""
    for base in bases:
        if (base / top / "__init__.py").is_file():
            return base / top
        for suffix in (*EXTENSION_SUFFIXES, ".py"):
            if (base / f"{top}{suffix}").is_file():
                return base / f"{top}{suffix}"
    return next((base / top for base in bases if top and (base / top).is_dir()), None)


def _files(found: Path) -> Iterator[tuple[str, Path]]:
    """Yield name and path of every source file, sorted, so that no file system's order shows."""
    if found.is_file():
        yield found.name, found
        return
    names = []
    for folder, folders, files in os.walk(found):
        folders[:] = sorted(name for name in folders if name != "__pycache__" and not name.startswith("."))
        names += [Path(folder, name) for name in files if name.endswith(_SUFFIXES)]
        if len(names) > _FILES:
            break
    for file in sorted(names[:_FILES], key=lambda file: file.as_posix()):
        yield file.relative_to(found.parent).as_posix(), file


def _read(file: Path, left: int) -> tuple[int, str, int]:
    """Return size, digest (empty beyond the limit) and what is left of the limit."""
    try:
        if not file.is_file():
            return -1, "not a file", left
        size = file.stat().st_size
        if size > left:
            return size, "", left
        with file.open("rb") as opened:
            content = opened.read(size)
    except OSError as error:
        return -1, type(error).__name__, left
    return size, hashlib.sha256(content).hexdigest(), left - size
