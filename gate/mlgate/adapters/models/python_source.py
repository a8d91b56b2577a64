"""What a Python model is made of, without running it: the digest of its files."""

from __future__ import annotations

import ast
import hashlib
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from mlgate.adapters.files import safe_file

LARGEST_SOURCE = 64 << 20
"""Bytes that are read, source before all else. Of what lies beyond only names and sizes count."""
_ENTRIES = 250_000
"""Files and folders of one package that are looked at."""
_LARGEST_PARSED_FILE = 1 << 20
"""Bytes of a source file in which imports are looked for, _PARSED of all: parsing takes seconds for ten megabytes."""
_PARSED = 16 << 20
_SUFFIXES = (".py", *EXTENSION_SUFFIXES)

_Files = list[tuple[str, Path]]


def source_digest(target: str, root: Path, path: Sequence[str] | None = None) -> str:
    """Return the SHA-256 of *target*, of its top-level package or module, and of what those import from *root*.

    It is looked for in *root*, then along *path* (`sys.path`), and never imported: imports are read from the source.
    One that is not found still has a digest: the model cannot be loaded then, and every row will say so.

    Of a package every file counts, weights and word lists too, but none that is hidden. Not covered: files outside
    the package or beside a single module, whatever a link to a folder inside it leads to, and what is downloaded.
    A model that writes into its own package is another model afterwards: keep caches elsewhere.
    """
    sha = hashlib.sha256(f"python\0{target}\0".encode("utf-8", "backslashreplace"))
    left = LARGEST_SOURCE
    files = _found(target.partition(":")[0].partition(".")[0], root, sys.path if path is None else path)
    for name, file in sorted(files, key=lambda one: not one[0].endswith(_SUFFIXES)):
        size, content, left = _read(file, left)
        sha.update(f"{name}\0{size}\0{content}\n".encode("utf-8", "surrogateescape"))
    return sha.hexdigest()


def sources(target: str, root: Path) -> Iterator[bytes]:
    """Yield the Python source that *target* is made of, as `source_digest` finds it."""
    left = _PARSED
    for _, file in _found(target.partition(":")[0].partition(".")[0], root, sys.path):
        if file.suffix == ".py":
            text = _start(file, min(left, _LARGEST_PARSED_FILE))
            left -= len(text)
            yield text


def _found(top: str, root: Path, path: Sequence[str]) -> _Files:
    """Return the files of *top*, then of every module beside it that it imports, and so on; each once, in one order."""
    own = _place(top, [root, *(Path(entry) for entry in path if entry)])
    waiting, known = [own], {own}
    found: _Files = []
    left = _PARSED
    while waiting:
        place = waiting.pop(0)
        if place is None:
            continue
        # A folder that only has the name of an import may be anything, a run's output too: its sources count.
        files = _files(place, every=place == own or _is(place / "__init__.py", stat.S_IFREG))
        found += files
        names: set[str] = set()
        for source in (file for _, file in files if file.suffix == ".py"):
            text = _start(source, min(left, _LARGEST_PARSED_FILE))
            left -= len(text)
            names.update(_imports(text))
        beside = {_place(name, [root]) for name in names} - known
        known |= beside
        waiting += sorted(place for place in beside if place is not None)
    return found


def _imports(source: bytes) -> Iterator[str]:
    """Yield the top-level names that a source file imports; none for one that is no Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _place(top: str, bases: Sequence[Path]) -> Path | None:
    """Return the package's folder or the module's file, as an import would find it; a bare folder comes last."""
    if not top:
        return None
    for base in bases:
        if _is(base / top / "__init__.py", stat.S_IFREG):
            return base / top
        for suffix in (*EXTENSION_SUFFIXES, ".py"):
            if _is(base / f"{top}{suffix}", stat.S_IFREG):
                return base / f"{top}{suffix}"
    return next((base / top for base in bases if _is(base / top, stat.S_IFDIR)), None)


def _is(path: Path, kind: int) -> bool:
    """Say whether there is such a thing. A name that is too long, or a folder that is closed to us: no."""
    try:
        return stat.S_IFMT(path.stat().st_mode) == kind
    except (OSError, ValueError):
        return False


def _files(place: Path, *, every: bool) -> _Files:
    """Return name and path of a module's file or of a package's files, sorted, so that no file system's order shows."""
    if not _is(place, stat.S_IFDIR):
        return [(place.name, place)]
    walked = (file for file in _walk(place) if every or file.name.endswith(_SUFFIXES))
    named = ((file.relative_to(place.parent).as_posix(), file) for file in walked)
    return sorted(named, key=lambda one: os.fsencode(one[0]))


def _walk(top: Path) -> Iterator[Path]:
    """Yield all that is no folder, in an order of its own; no hidden one, and nothing behind a link to a folder."""
    waiting, left = [top], _ENTRIES
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                listed = sorted((os.fsencode(e.name), e.name, e.is_dir(follow_symlinks=False)) for e in entries)
        except OSError:
            continue
        for _, name, is_folder in listed[:left]:
            if name == "__pycache__" or name.startswith("."):
                continue
            if is_folder:
                waiting.append(folder / name)
            else:
                yield folder / name
        left = max(0, left - len(listed))


def _read(file: Path, left: int) -> tuple[int, str, int]:
    """Return size, digest of what the limit allows to read, and what is left of the limit."""
    try:
        status = file.stat()
        size = status.st_size
        if not stat.S_ISREG(status.st_mode):
            return -1, "not a file", left
        if not left:
            return size, "", left
        content = safe_file.read(file, min(size, left), follow=True)[: min(size, left)]
    except OSError as error:
        return -1, type(error).__name__, left
    return size, hashlib.sha256(content).hexdigest(), left - len(content)


def _start(file: Path, most: int) -> bytes:
    try:
        return safe_file.read(file, most, follow=True)[:most]
    except OSError:
        return b""
