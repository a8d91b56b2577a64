"""The commit that a change is based on, and files as they stand there: what the change itself cannot edit."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from mlgate.adapters.git import refs, repository, tracked_files
from mlgate.core.errors import AdapterError, Refused

_SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_FETCH_DEEPER = "check out with `fetch-depth: 2` (actions/checkout), or `fetch-depth: 0`"


class FileOrigin(Enum):
    """Whose a file is that may judge a change."""

    HERE = "here"
    """No commit's: a run made it, or CI restored it."""
    BASE = "base"
    """The base's: its copy judges, whatever lies here."""
    CHANGE = "change"
    """The change's alone, which never judges itself."""


@dataclass(frozen=True, slots=True)
class BaseCommit:
    """The commit that a change is held against. It is here, and the change has not chosen it."""

    root: Path
    """The configuration's folder, which paths are relative to."""
    id: str
    branch: str = ""
    """The branch that the change is to be merged into; empty where nobody says which."""

    @property
    def short(self) -> str:
        """Return what people are shown of its id."""
        return self.id[:10]

    def text(self, path: str) -> str | None:
        """Return a configuration as it stands there; None when there is none."""
        content = repository.show(self.root, self.id, path)
        try:
            return None if content is None else content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise AdapterError("the base's file is not UTF-8", where=f"{self.short}:{path}") from error

    def is_same(self, path: str) -> bool:
        """Return whether the files at *path* are the same there as in the commit that is checked out."""
        return repository.tree(self.root, self.id, path) == repository.tree(self.root, "HEAD", path)

    def origin(self, path: str) -> FileOrigin:
        """Return whose the file at *path* is."""
        inside = within(self.root, path)
        if inside and repository.files(self.root, self.id, inside) and not repository.link(self.root, self.id, inside):
            return FileOrigin.BASE
        return FileOrigin.CHANGE if tracked_files.is_brought(self.root, self.root / path) else FileOrigin.HERE


def merged_onto(root: Path, merge: str, base: str) -> BaseCommit:
    """Return the commit that the checked-out change is based on, and see to it that it is here.

    GitHub tests a pull request by a merge commit of its own, *merge*: its first parent is the base branch as it was
    merged. Where something else is checked out, or *merge* is empty, it is *base*, as the event says. Raises
    AdapterError when the commit is not here and cannot be fetched.
    """
    head, parents = repository.lineage(root)
    found = parents[0] if head == merge and len(parents) > 1 else base
    if not _SHA.fullmatch(found):
        raise AdapterError("the base commit of this change is not known", where=str(root), hint=_FETCH_DEEPER)
    return brought_here(root, found)


def brought_here(root: Path, commit: str) -> BaseCommit:
    """Return a *commit*, named by its whole id, and see to it that it is here. Raises AdapterError where it is not."""
    if not _SHA.fullmatch(commit):
        raise AdapterError("the base commit of this run is not known", where=str(root), hint="look at GITHUB_SHA")
    if not repository.has(root, commit):
        repository.fetch(root, commit)
    if not repository.has(root, commit):
        repository.top(root)  # which says it where there is no git, or no repository
        raise AdapterError(f"the base commit {commit[:10]} is not here", where=str(root), hint=_FETCH_DEEPER)
    return BaseCommit(root, commit)


def refuse_links(root: Path) -> None:
    """Refuse a folder that is reached through a symbolic link inside its repository.

    The base's rules of *root* would be read from where the link leads to: from another project's gate.
    """
    top = Path(os.path.realpath(repository.top(root)))
    for folder in (root, *root.parents):
        if folder.is_symlink() and Path(os.path.realpath(folder.parent)).is_relative_to(top):
            raise Refused(
                "the configuration's folder is a symbolic link: whose rules bind would be the link's choice",
                where=str(folder),
                hint="name the real folder: --config",
            )


def tip(root: Path, branch: str) -> BaseCommit:
    """Return the last commit of the default *branch* at `origin`.

    Raises AdapterError when it cannot be had, Refused where `origin` is another repository than this run's.
    """
    found = repository.fetched(root, f"refs/heads/{branch}")
    if not found:
        raise AdapterError(
            f"this ref is judged by the rules of {branch}, which is not here",
            where=str(root),
            hint=f"run the gate on pushes of {branch} only (push: {{branches: [{branch}]}}), or say whose: base",
        )
    return BaseCommit(root, found)


def resolve(root: Path, ref: str) -> BaseCommit:
    """Return the commit that *ref* names. Raises AdapterError when there is none."""
    return BaseCommit(root, refs.commit_of(root, ref))


def within(root: Path, path: str) -> str:
    """Return *path* relative to *root*, also of an absolute one; empty where it leaves the repository."""
    home, top = Path(os.path.realpath(root)), Path(os.path.realpath(repository.top(root)))
    given = Path(os.path.normpath(root.absolute() / path))
    as_written = home / os.path.relpath(given, os.path.normpath(root.absolute()))
    for place in (as_written, Path(os.path.realpath(given.parent), given.name)):
        if Path(os.path.normpath(place)).is_relative_to(top):
            return os.path.relpath(place, home)
    return ""
