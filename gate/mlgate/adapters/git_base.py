"""The commit that a change is based on, and files as they stand there: what the change itself cannot edit."""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
from collections.abc import Iterable
from pathlib import Path

from mlgate.adapters import git
from mlgate.core import lfs
from mlgate.core.errors import AdapterError, Refused

_SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_OID = re.compile(rb"(?m)^oid sha256:([0-9a-f]{64})$")
_FETCH_DEEPER = "check out with `fetch-depth: 2` (actions/checkout), or `fetch-depth: 0`"


def merged_onto(root: Path, merge: str, base: str) -> str:
    """Return the commit that the checked-out change is based on, and see to it that it is here.

    GitHub tests a pull request by a merge commit of its own, *merge*: its first parent is the base branch as it was
    merged. Where something else is checked out, or *merge* is empty, it is *base*, as the event says. Raises
    AdapterError when the commit is not here and cannot be fetched.
    """
    head, parents = git.lineage(root)
    found = parents[0] if head == merge and len(parents) > 1 else base
    if not _SHA.fullmatch(found):
        raise AdapterError("the base commit of this change is not known", where=str(root), hint=_FETCH_DEEPER)
    if not git.has(root, found):
        git.fetch(root, found)
    if not git.has(root, found):
        raise AdapterError(f"the base commit {found[:10]} is not here", where=str(root), hint=_FETCH_DEEPER)
    return found


def refuse_links(root: Path) -> None:
    """Refuse a folder that is reached through a symbolic link inside its repository.

    The base's rules of *root* would be read from where the link leads to: from another project's gate.
    """
    top = Path(os.path.realpath(git.top(root)))
    for folder in (root, *root.parents):
        if folder.is_symlink() and Path(os.path.realpath(folder.parent)).is_relative_to(top):
            raise Refused(
                "the configuration's folder is a symbolic link: whose rules bind would be the link's choice",
                where=str(folder),
                hint="name the real folder: --config",
            )


def tip(root: Path, branch: str) -> str:
    """Return the last commit of the default *branch* at `origin`. Raises AdapterError when it cannot be had."""
    found = git.fetched(root, f"refs/heads/{branch}")
    if not found:
        raise AdapterError(
            f"this ref is judged by the rules of {branch}, which is not here",
            where=str(root),
            hint=f"run the gate on pushes of {branch} only (push: {{branches: [{branch}]}}), or say whose: base",
        )
    return found


def resolve(root: Path, ref: str) -> str:
    """Return the commit that *ref* names. Raises AdapterError when there is none."""
    return git.resolved(root, ref)


def text(root: Path, commit: str, path: str) -> str | None:
    """Return a configuration as it stands at *commit*; None when there is none."""
    content = git.show(root, commit, path)
    try:
        return None if content is None else content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise AdapterError("the base's file is not UTF-8", where=f"{commit[:10]}:{path}") from error


def is_same(root: Path, commit: str, path: str) -> bool:
    """Return whether the files at *path* are the same at *commit* as in the commit that is checked out."""
    return git.tree(root, commit, path) == git.tree(root, "HEAD", path)


def keeps(root: Path, commit: str, path: str) -> bool:
    """Return whether the file at *path* is the repository's, at *commit* or here: one that a change could replace."""
    top = Path(os.path.realpath(git.top(root)))
    real = Path(os.path.realpath(root / path))
    if not Path(os.path.normpath(Path(os.path.realpath(root)) / path)).is_relative_to(top):
        return False
    here = real.is_relative_to(top) and git.files(top, "HEAD", real.relative_to(top).as_posix())
    return bool(here or git.files(root, "HEAD", path) or git.files(root, commit, path))


def place(root: Path, commit: str, paths: Iterable[str], into: Path) -> Path:
    """Write the files at *paths* as they stand at *commit* under *into*; return the folder that stands for *root*.

    A path that git does not keep, neither there nor here, is linked to the file on disk: data that is fetched, or
    that lies outside of the repository. So is a file of Git LFS whose content is what the commit says. Raises
    AdapterError, with the place, for all else.
    """
    home, top = Path(os.path.realpath(root)), Path(os.path.realpath(git.top(root)))
    there = _under(into, home)
    there.mkdir(parents=True, exist_ok=True)
    for path in paths:
        if posixpath.isabs(path):
            continue  # the same file, wherever it is read from
        if not Path(os.path.normpath(home / path)).is_relative_to(top):
            _link(home, path, into)
            continue
        if odd := git.link(root, commit, path):
            raise AdapterError(
                "the base has a symbolic link or a submodule there: what it leads to, a change could replace",
                where=f"{commit[:10]}:{odd}",
                hint="name the file itself in mlgate.yaml, on the base branch first",
            )
        for name in git.files(root, commit, path):
            _write(root, commit, name, _under(into, home / name))
        if not git.files(root, commit, path):
            if keeps(root, commit, path):
                raise AdapterError(
                    f"the base {commit[:10]} has no such file, and its rules need it",
                    where=path,
                    hint="mend mlgate.yaml on the base branch first",
                )
            _link(home, path, into)
    return there


def _under(into: Path, path: Path) -> Path:
    """Return where *into* keeps the file that is at *path*: all of the disk may have a place there."""
    return into / Path(os.path.normpath(path)).relative_to("/")


def _link(home: Path, path: str, into: Path) -> None:
    if (home / path).exists():
        target = _under(into, home / path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(os.path.realpath(home / path))


def _write(root: Path, commit: str, name: str, target: Path) -> None:
    content = git.show(root, commit, name)
    assert content is not None, "it was listed"
    target.parent.mkdir(parents=True, exist_ok=True)
    if not lfs.is_pointer(content):
        target.write_bytes(content)
        return
    found = _OID.search(content)
    if not found or _sha256(root / name) != found[1].decode():
        raise AdapterError(
            "Git LFS keeps this file, and what lies here is not what the base says",
            where=name,
            hint="check out with `lfs: true`; a change that edits such test data needs a pull request of its own",
        )
    target.symlink_to(os.path.realpath(root / name))


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
