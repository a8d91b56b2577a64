"""Which edits of a change bear on the user's tests, beside the tests themselves: told from git objects, not by running.

Tests that record rows run as the change has them. What they import, what pytest reads for them and the data beside
them can make any number good, so whoever reviews the change should see that it was edited.
"""

from __future__ import annotations

import fnmatch
import os
import posixpath
import re
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from mlgate.adapters.git import pytest_settings, repository
from mlgate.adapters.git.base_commit import BaseCommit
from mlgate.adapters.git.command import LEADS
from mlgate.adapters.git.python_sources import MODULES, Sources, above, closure, module

_PROSE = (".md", ".rst")
_DATA = frozenset(
    {
        *("data", "dataset", "datasets", "testdata", "test_data", "test-data", "fixtures", "resources", "assets"),
        *("gold", "golden", "goldens", "expected", "reference", "references", "snapshots", "samples", "examples"),
    }
)
"""Folders in which tests keep what they read."""
_DATA_ENDINGS = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet", ".pkl", ".npy", ".npz", ".gz")


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
    both = (Sources.of(top, base.id), Sources.of(top, "HEAD"))
    before, after = (sources.tree for sources in both)
    changed = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    if not changed:
        return
    own = _own_files(both[0], _join(home, model)) if model else _Own()
    compared = {_join(home, path) for path in known}
    around = [_Around(_join(home, path), home, both, own) for path in tests]
    for path in changed:
        if path not in compared and any(one.holds(path) for one in around):
            how = "edited" if path in before and path in after else "added" if path in after else "removed"
            yield Edit(posixpath.relpath(path, home), how)


def _join(home: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(home, path))


@dataclass(frozen=True, slots=True)
class _Own:
    """The files that the model of the base is made of."""

    target: frozenset[str] = frozenset()
    """Its module, and the packages around it."""
    files: frozenset[str] = frozenset()
    """These, and all that they import, from there on."""


def _own_files(sources: Sources, target: str) -> _Own:
    folder, _, name = target.rpartition("/")
    if not name:
        return _Own()
    files = [path for path in sources.tree if module(path) in (target, f"{target}/__init__")]
    files += [f"{parent}/__init__.py" for parent in above(folder) if f"{parent}/__init__.py" in sources.tree]
    return _Own(frozenset(files), closure(sources, files, above(folder), frozenset()).files)


class _Around:
    """What bears on one path of tests."""

    def __init__(self, test: str, home: str, both: tuple[Sources, Sources], own: _Own) -> None:
        self._test, self._both, self._own_files = test, both, own
        is_folder = any(path.startswith(f"{test}/") for side in both for path in side.tree) or test == "."
        self._folder = test if is_folder else posixpath.dirname(test) or "."
        self._above = above(self._folder)
        self._is_top = self._folder in above(home)
        roots = {*self._above, *above(home), *(_join(one, "src") for one in above(home))}
        self._roots = roots
        loaded = [closure(side, self._start(side), roots, own.target) for side in both]
        self._files = frozenset().union(*(one.files for one in loaded)) - own.target
        self._words = frozenset().union(*(one.words for one in loaded))
        self._globs = [re.compile(fnmatch.translate(glob)) for one in loaded for glob in sorted(one.globs)]
        self._is_dynamic = any(one.is_dynamic for one in loaded)
        self._opens_unknown = any(one.opens_unknown for one in loaded)

    def _start(self, sources: Sources) -> Iterator[str]:
        """Yield what pytest itself loads: tests, each conftest.py above them, plug-ins of its configuration."""
        for path in sources.tree:
            if self._is_test(path) or self._is_loaded(path):
                yield path
            elif self._is_configuration(path):
                for name in pytest_settings.plugins(sources.read(path)):
                    yield from sources.found((0, tuple(name.split("."))), path, self._roots)

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
        return pytest_settings.is_file_of(name) and (folder or ".") in self._above

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
        if path.endswith(MODULES) or self._is_link(path) or path in self._own_files.files:
            return self._is_named(path) or self._may_be_loaded(path)
        return self._is_data(path)

    def _may_be_loaded(self, path: str) -> bool:
        """Return whether tests may load a module that they do not import; the model's own only by its name."""
        if path in self._own_files.files:
            return self._is_dynamic and module(path).rpartition("/")[2] in self._words
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
            name = module(inside).partition("/")[0]
            if name in _installed_packages() and not any(self._both[0].found((0, (name,)), "", {root})):
                return True
        return False

    def _reads_otherwise(self, path: str) -> bool:
        before, after = (sources.read(path) for sources in self._both)
        return pytest_settings.differ(path.rpartition("/")[2], before, after)


@cache
def _installed_packages() -> frozenset[str]:
    return frozenset({*sys.stdlib_module_names, *metadata.packages_distributions(), "sitecustomize", "usercustomize"})
