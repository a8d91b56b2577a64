"""The Python sources of one commit, and which files they load: told from git objects, not by running."""

from __future__ import annotations

import os
import posixpath
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from mlgate.adapters.git import repository
from mlgate.adapters.git.command import LEADS
from mlgate.adapters.git.python_references import Mentions, mentions

MODULES = (".py", ".pyc", ".pyw", *EXTENSION_SUFFIXES)
_LARGEST_SOURCE = 1 << 20
"""Bytes of one source that is read for its imports; a longer one cannot be followed."""
_MOST_FILES = 2_000
"""Files that are followed."""


@dataclass
class Sources:
    """The files of one commit, and what its sources name."""

    top: Path
    ref: str
    tree: Mapping[str, tuple[str, str]]
    """Mode and object of every file, by path from the top of the repository."""
    _modules: dict[str, list[str]] = field(default_factory=dict)
    """Paths by the last part of a module's name."""

    @classmethod
    def of(cls, top: Path, ref: str) -> Sources:
        """Read the tree of the commit *ref*."""
        found = {}
        for entry in repository.tree(top, ref, ".").split(b"\0"):
            if entry:
                told, _, path = entry.partition(b"\t")
                mode, _, name = told.decode("ascii").split(" ")
                found[os.fsdecode(path)] = (mode, name)
        return cls(top, ref, found)

    def __post_init__(self) -> None:
        for path in self.tree:
            self._modules.setdefault(module(path).rpartition("/")[2], []).append(path)

    def read(self, path: str) -> bytes:
        """Return a file's bytes; nothing for one that is not there."""
        return (repository.show(self.top, self.ref, path) or b"") if path in self.tree else b""

    def mentions(self, path: str) -> Mentions:
        """Return what a file names; of one that is no source, nothing."""
        mode, name = self.tree[path]
        if mode.encode() in LEADS:
            return Mentions(is_dynamic=True)  # it leads elsewhere
        return _mentions(name, lambda: self.read(path)) if path.endswith(".py") else Mentions()

    def found(self, one: tuple[int, tuple[str, ...]], user: str, roots: Collection[str]) -> Iterator[str]:
        """Yield the files that an import in the file *user* may load: wherever a folder of that name is.

        A name of the standard library is only looked for in *roots*, where a module of that name would hide it.
        """
        level, name = one
        if level:
            folder = posixpath.dirname(user)
            for _ in range(level - 1):
                folder = posixpath.dirname(folder)
            yield from self._at({folder}, ("__init__",))
            yield from (path for i in range(len(name)) for path in self._at({folder}, name[: i + 1]))
            return
        places = roots if name[0] in sys.stdlib_module_names else None
        yield from (path for i in range(len(name)) for path in self._at(places, name[: i + 1]))

    def _at(self, places: Collection[str] | None, name: tuple[str, ...]) -> Iterator[str]:
        """Yield the modules and packages of that name, in one of the *places* or anywhere."""
        inside = "/".join(name)
        for last, wanted in ((name[-1], inside), ("__init__", f"{inside}/__init__")):
            for path in self._modules.get(last, ()):
                there = module(path)
                if there == wanted or there.endswith(f"/{wanted}"):
                    place = there.removesuffix(wanted).rstrip("/")
                    if places is None or place in places or (place or ".") in places:
                        yield path


def module(path: str) -> str:
    """Return a path without a module's ending; a link or a submodule has none."""
    ending = next((one for one in sorted(MODULES, key=len, reverse=True) if path.endswith(one)), "")
    return path.removesuffix(ending)


_seen: dict[str, Mentions] = {}


def _mentions(name: str, read: Callable[[], bytes]) -> Mentions:
    """Return what the source with this object's name mentions; commits share most of theirs."""
    if name not in _seen:
        content = read()
        _seen[name] = mentions(content) if len(content) <= _LARGEST_SOURCE else Mentions(is_dynamic=True)
    return _seen[name]


@dataclass(frozen=True, slots=True)
class Closure:
    """The files that some files load, one by the other, and what these name."""

    files: frozenset[str]
    words: frozenset[str]
    globs: frozenset[str]
    is_dynamic: bool
    """Not all imports could be followed."""
    opens_unknown: bool
    """Not all paths are said."""


def closure(sources: Sources, start: Iterable[str], roots: Collection[str], stop: Collection[str]) -> Closure:
    """Return what *start* loads; what is in *stop* is not looked into."""
    waiting = [path for path in start if path in sources.tree]
    found, said = set(waiting), list[Mentions]()
    while waiting and len(found) <= _MOST_FILES:
        path = waiting.pop()
        if path in stop:
            continue
        said.append(sources.mentions(path))
        fresh = {other for one in said[-1].imports for other in sources.found(one, path, roots)} - found
        found |= fresh
        waiting += fresh
    return Closure(
        frozenset(found),
        frozenset().union(*(one.words for one in said)),
        frozenset().union(*(one.globs for one in said)),
        bool(waiting) or any(one.is_dynamic for one in said),
        bool(waiting) or any(one.opens_unknown for one in said),
    )


def above(folder: str) -> list[str]:
    """Return a folder and all above it, to the top of the repository."""
    found = [folder]
    while folder not in ("", ".", "/", ".."):
        folder = posixpath.dirname(folder)
        found.append(folder or ".")
    return found
