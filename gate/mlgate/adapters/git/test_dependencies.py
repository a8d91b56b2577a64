"""Which edits of a change bear on the user's tests, beside the tests themselves: told from git objects, not by running.

Tests that record rows run as the change has them. What they import, what pytest reads for them and the data beside
them can make any number good, so whoever reviews the change should see that it was edited.
"""

from __future__ import annotations

import configparser
import fnmatch
import os
import posixpath
import re
import sys
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from mlgate.adapters.git import repository
from mlgate.adapters.git.base_commit import BaseCommit
from mlgate.adapters.git.command import LEADS
from mlgate.adapters.git.python_references import Mentions, mentions

_MODULES = (".py", ".pyc", ".pyw", *EXTENSION_SUFFIXES)
_WHOLE = ("pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml")
_PARTLY = ("pyproject.toml", "setup.cfg", "tox.ini", "setup.py")
_SECTIONS = ("tool:pytest", "pytest", "options.entry_points")
_PROSE = (".md", ".rst")
_PLUGIN = re.compile(r"-p[\s=\"',]*([A-Za-z_][\w.]*)")
_DATA = frozenset(
    {
        *("data", "dataset", "datasets", "testdata", "test_data", "test-data", "fixtures", "resources", "assets"),
        *("gold", "golden", "goldens", "expected", "reference", "references", "snapshots", "samples", "examples"),
    }
)
"""Folders in which tests keep what they read."""
_DATA_ENDINGS = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet", ".pkl", ".npy", ".npz", ".gz")
_LARGEST_SOURCE = 1 << 20
"""Bytes of one source that is read for its imports; a longer one cannot be followed."""
_MOST_FILES = 2_000
"""Files that are followed."""

_Tree = Mapping[str, tuple[str, str]]
"""Mode and object of every file, by path from the top of the repository."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One file that bears on tests and is not what it was."""

    path: str
    """From the configuration's folder."""
    how: str
    """`edited`, `added` or `removed`."""


def edits(base: BaseCommit, tests: Sequence[str], *, model: str, known: Collection[str]) -> Iterator[Edit]:
    """Yield the edits since the *base* of what bears on the *tests* (paths from its root), in the order of their paths.

    *model*: the module of the model under test, as a path from there without its ending. Another model is what a
    change is for, so the files of which the base's model is made count only where the tests reach them past that
    module. *known*: paths that are compared otherwise. Where imports cannot be followed, every module of
    the repository counts; where the path of a file is not said, all data that tests usually read.
    """
    top = Path(os.path.realpath(repository.top(base.root)))
    home = Path(os.path.realpath(base.root)).relative_to(top).as_posix()
    before, after = (_tree(top, ref) for ref in (base.id, "HEAD"))
    changed = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    if not changed:
        return
    both = (_Side(top, base.id, before), _Side(top, "HEAD", after))
    own = _own_files(both[0], _join(home, model)) if model else _Own()
    compared = {_join(home, path) for path in known}
    around = [_Around(_join(home, path), home, both, own) for path in tests]
    for path in changed:
        if path not in compared and any(one.holds(path) for one in around):
            how = "edited" if path in before and path in after else "added" if path in after else "removed"
            yield Edit(posixpath.relpath(path, home), how)


def _join(home: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(home, path))


def _tree(top: Path, ref: str) -> _Tree:
    found = {}
    for entry in repository.tree(top, ref, ".").split(b"\0"):
        if entry:
            told, _, path = entry.partition(b"\t")
            mode, _, name = told.decode("ascii").split(" ")
            found[os.fsdecode(path)] = (mode, name)
    return found


@dataclass
class _Side:
    """The files of one commit, and what its sources name."""

    top: Path
    ref: str
    tree: _Tree
    _modules: dict[str, list[str]] = field(default_factory=dict)
    """Paths by the last part of a module's name."""

    def __post_init__(self) -> None:
        for path in self.tree:
            self._modules.setdefault(_module(path).rpartition("/")[2], []).append(path)

    def read(self, path: str) -> bytes:
        return (repository.show(self.top, self.ref, path) or b"") if path in self.tree else b""

    def mentions(self, path: str) -> Mentions:
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
                module = _module(path)
                if module == wanted or module.endswith(f"/{wanted}"):
                    place = module.removesuffix(wanted).rstrip("/")
                    if places is None or place in places or (place or ".") in places:
                        yield path


def _module(path: str) -> str:
    """Return a path without a module's ending; a link or a submodule has none."""
    ending = next((one for one in sorted(_MODULES, key=len, reverse=True) if path.endswith(one)), "")
    return path.removesuffix(ending)


_seen: dict[str, Mentions] = {}


def _mentions(name: str, read: Callable[[], bytes]) -> Mentions:
    """Return what the source with this object's name mentions; both sides share most of theirs."""
    if name not in _seen:
        content = read()
        _seen[name] = mentions(content) if len(content) <= _LARGEST_SOURCE else Mentions(is_dynamic=True)
    return _seen[name]


@dataclass(frozen=True, slots=True)
class _Own:
    """The files that the model of the base is made of."""

    target: frozenset[str] = frozenset()
    """Its module, and the packages around it."""
    files: frozenset[str] = frozenset()
    """These, and all that they import, from there on."""


def _own_files(side: _Side, module: str) -> _Own:
    folder, _, name = module.rpartition("/")
    if not name:
        return _Own()
    target = [path for path in side.tree if _module(path) in (module, f"{module}/__init__")]
    target += [f"{parent}/__init__.py" for parent in _above(folder) if f"{parent}/__init__.py" in side.tree]
    return _Own(frozenset(target), frozenset(_closure(side, target, _above(folder), frozenset()).files))


@dataclass(frozen=True, slots=True)
class _Closure:
    """The files that some files load, one by the other, and what these name."""

    files: frozenset[str]
    words: frozenset[str]
    globs: frozenset[str]
    is_dynamic: bool
    """Not all imports could be followed."""
    opens_unknown: bool
    """Not all paths are said."""


def _closure(side: _Side, start: Iterable[str], roots: Collection[str], stop: Collection[str]) -> _Closure:
    """Return what *start* loads; what is in *stop* is not looked into."""
    waiting = [path for path in start if path in side.tree]
    found, said = set(waiting), list[Mentions]()
    while waiting and len(found) <= _MOST_FILES:
        path = waiting.pop()
        if path in stop:
            continue
        said.append(side.mentions(path))
        fresh = {other for one in said[-1].imports for other in side.found(one, path, roots)} - found
        found |= fresh
        waiting += fresh
    return _Closure(
        frozenset(found),
        frozenset().union(*(one.words for one in said)),
        frozenset().union(*(one.globs for one in said)),
        bool(waiting) or any(one.is_dynamic for one in said),
        bool(waiting) or any(one.opens_unknown for one in said),
    )


def _above(folder: str) -> list[str]:
    """Return a folder and all above it, to the top of the repository."""
    found = [folder]
    while folder not in ("", ".", "/", ".."):
        folder = posixpath.dirname(folder)
        found.append(folder or ".")
    return found


class _Around:
    """What bears on one path of tests."""

    def __init__(self, test: str, home: str, both: tuple[_Side, _Side], own: _Own) -> None:
        self._test, self._both, self._own_files = test, both, own
        is_folder = any(path.startswith(f"{test}/") for side in both for path in side.tree) or test == "."
        self._folder = test if is_folder else posixpath.dirname(test) or "."
        self._above = _above(self._folder)
        self._is_top = self._folder in _above(home)
        roots = {*self._above, *_above(home), *(_join(one, "src") for one in _above(home))}
        self._roots = roots
        loaded = [_closure(side, self._start(side), roots, own.target) for side in both]
        self._files = frozenset().union(*(one.files for one in loaded)) - own.target
        self._words = frozenset().union(*(one.words for one in loaded))
        self._globs = [re.compile(fnmatch.translate(glob)) for one in loaded for glob in sorted(one.globs)]
        self._is_dynamic = any(one.is_dynamic for one in loaded)
        self._opens_unknown = any(one.opens_unknown for one in loaded)

    def _start(self, side: _Side) -> Iterator[str]:
        """Yield what pytest itself loads: tests, each conftest.py above them, plug-ins of its configuration."""
        for path in side.tree:
            if self._is_test(path) or self._is_loaded(path):
                yield path
            elif self._is_configuration(path):
                for name in _PLUGIN.findall(side.read(path).decode("utf-8", "replace")):
                    yield from side.found((0, tuple(name.split("."))), path, self._roots)

    def _is_test(self, path: str) -> bool:
        return path == self._test or self._is_below(path, self._test)

    @staticmethod
    def _is_below(path: str, folder: str) -> bool:
        return folder == "." or path.startswith(f"{folder}/")

    def _is_loaded(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        return name in ("conftest.py", "__init__.py") and (folder or ".") in self._above

    def _is_configuration(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        return name in (*_WHOLE, *_PARTLY) and (folder or ".") in self._above

    def holds(self, path: str) -> bool:
        """Return whether a file that was edited bears on the tests; the tests themselves are told by who asks."""
        if self._is_configuration(path):
            return self._reads_otherwise(path)
        if self._is_test(path) and self._folder != ".":
            return False
        if path in self._files or self._is_loaded(path):
            return True
        if path in self._own_files.target or path.endswith(_PROSE):
            return False
        if path.endswith(_MODULES) or self._is_link(path) or path in self._own_files.files:
            return self._is_named(path) or self._may_be_loaded(path)
        return self._is_data(path)

    def _may_be_loaded(self, path: str) -> bool:
        """Return whether tests may load a module that they do not import; the model's own only by its name."""
        if path in self._own_files.files:
            return self._is_dynamic and _module(path).rpartition("/")[2] in self._words
        return self._is_dynamic or self._hides(path)

    def _is_named(self, path: str) -> bool:
        name = path.rpartition("/")[2]
        return name in self._words or any(glob.match(name) for glob in self._globs)

    def _is_data(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        parts = [part for part in folder.split("/") if part]
        if self._is_top:
            beside = (folder or ".") == self._folder and not name.startswith(".")
        else:
            beside = self._is_below(path, self._folder)
        named = any(part in self._words or any(glob.match(part) for glob in self._globs) for part in parts)
        return beside or named or self._is_named(path) or (self._opens_unknown and self._may_be_read(folder, name))

    def _may_be_read(self, folder: str, name: str) -> bool:
        """Return whether tests that do not say what they open may read this: data, in its folder or above the tests."""
        is_data = name.endswith(_DATA_ENDINGS) and not name.startswith(".")
        return not _DATA.isdisjoint(folder.lower().split("/")) or (is_data and (folder or ".") in self._above)

    def _is_link(self, path: str) -> bool:
        return any(side.tree.get(path, ("", ""))[0].encode() in LEADS for side in self._both)

    def _hides(self, path: str) -> bool:
        """Return whether a new module hides one that is installed: the test's folder and the project come first."""
        for root in self._roots:
            inside = path if root in ("", ".") else path.removeprefix(f"{root}/")
            if root not in ("", ".") and inside == path:
                continue
            name = _module(inside).partition("/")[0]
            if name in _installed_packages() and not any(self._both[0].found((0, (name,)), "", {root})):
                return True
        return False

    def _reads_otherwise(self, path: str) -> bool:
        name = path.rpartition("/")[2]
        if name in _WHOLE:
            return True
        before, after = (_settings(name, side.read(path)) for side in self._both)
        return before != after


@cache
def _installed_packages() -> frozenset[str]:
    return frozenset({*sys.stdlib_module_names, *metadata.packages_distributions(), "sitecustomize", "usercustomize"})


def _settings(name: str, content: bytes) -> object:
    """Return what of a file pytest reads: its settings, and plug-ins that it makes known. Else all of it."""
    text = content.decode("utf-8", "replace")
    try:
        if name == "pyproject.toml":
            whole = tomllib.loads(text)
            project, tool = whole.get("project", {}), whole.get("tool", {})
            poetry = tool.get("poetry", {}).get("plugins")
            return (tool.get("pytest"), project.get("entry-points"), poetry)
        if name == "setup.py":
            return text if "pytest11" in text else ""
        parser = configparser.RawConfigParser(strict=False)
        parser.read_string(text)
        return {one: dict(parser[one]) for one in _SECTIONS if parser.has_section(one)}
    except (tomllib.TOMLDecodeError, configparser.Error, AttributeError, RecursionError):
        return text
