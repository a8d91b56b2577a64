"""Whose evidence judges a change: the base's copy, or what a run or CI left. Never what the change brings."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from mlgate.adapters.files.baseline_file import CiBaseline, FileBaseline
from mlgate.adapters.git import base_commit, dvc_data, repository, tracked_files
from mlgate.adapters.git.base_commit import BaseCommit, FileOrigin
from mlgate.adapters.git.baseline import GitBaseline
from mlgate.core.errors import AdapterError, Refused
from mlgate.core.ports import BaselineStore

_LINKED = "the repository has a symbolic link or a submodule on the way: name the file itself, on the base branch first"


def baseline(store: FileBaseline, base: BaseCommit, *, approved: bool) -> BaselineStore:
    """Return what *store* has to be where the rules of the *base* bind.

    A file that the base keeps is the base's; one that no commit keeps is what a run or CI left. Raises Refused for one
    that only the change has, also where nothing was accepted yet: whether there was, this checkout does not show. Where
    a person *approved* it, there is none yet: the change is compared with nothing, and the file holds once merged.
    """
    root, path = base.root, str(store.path.absolute())
    inside, whose = base_commit.within(root, path), base.origin(path)
    if whose is FileOrigin.BASE:
        return GitBaseline(root, base.id, inside, store.most)
    said = _pointers(base, inside) if inside else ()
    theirs = _pointers_at(root, inside, base.id) if inside else ()
    if theirs and (found := _by_dvc(root, inside, theirs)):
        return store.read_from(found)
    if whose is FileOrigin.HERE and not said:
        return store
    if approved and inside and not theirs and not isinstance(store, CiBaseline):
        return GitBaseline(root, base.id, inside, store.most)  # which has none
    raise Refused(
        "this change brings its own baseline: what a change brings never judges it",
        where=inside or store.shown,
        hint=_next_step(store, said, base) if not inside or not repository.link(root, base.id, inside) else _LINKED,
    )


def _next_step(store: FileBaseline, said: Sequence[dvc_data.Tracked], base: BaseCommit) -> str:
    if isinstance(store, CiBaseline):
        return "delete it from the repository: the default branch's run keeps the baseline"
    if said:
        return said[0].beside(base.id)
    return (
        "take it out; a first one comes by the change that adds `baseline:`, or a person approves it: --approve-policy"
    )


def is_edited(base: BaseCommit, path: str) -> bool:
    """Return whether the change has another baseline at *path* than the base, in git or by a pointer of DVC."""
    inside = base_commit.within(base.root, path)
    if base.origin(path) is FileOrigin.BASE:
        return not base.is_same(inside)
    if not inside:
        return False
    before, after = (_pointers_at(base.root, inside, commit) for commit in (base.id, "HEAD"))
    return bool(before) and {one.version for one in before} != {one.version for one in after}


def refuse_brought(base: BaseCommit | None, path: Path, what: str = "evidence") -> None:
    """Refuse *what* lies at *path* where the repository keeps it, in git or DVC: a run makes it, no commit does.

    Only where the rules of a *base* bind.
    """
    if base is not None and is_kept(base.root, path, base):
        raise Refused(
            f"this change brings its own {what}: what a change brings never judges it",
            where=str(path),
            hint="delete it from the repository, and let mlgate check make it: "
            f"git rm --cached -- {shlex.quote(path.name)}",
        )


def is_kept(root: Path, path: Path, base: BaseCommit | None) -> bool:
    """Return whether the repository keeps what lies at *path*; of DVC's pointers where there is a *base* only."""
    if tracked_files.is_brought(root, path):
        return True
    if base is None:
        return False
    inside = base_commit.within(root, str(path.absolute()))
    return bool(inside and (repository.files(root, base.id, inside) or _pointers(base, inside)))


def _pointers(base: BaseCommit, inside: str) -> tuple[dvc_data.Tracked, ...]:
    return _pointers_at(base.root, inside, base.id) or _pointers_at(base.root, inside, "HEAD")


def _pointers_at(root: Path, inside: str, commit: str) -> tuple[dvc_data.Tracked, ...]:
    top, file = _place(root, inside)
    return dvc_data.tracked(top, commit, file)


def _by_dvc(root: Path, inside: str, said: Sequence[dvc_data.Tracked]) -> Path | None:
    """Return the file that the base's pointers name; None where another one lies here. Raises AdapterError for none."""
    top, file = _place(root, inside)
    found = dvc_data.find(top, said[0], file) if len({one.version for one in said}) == 1 else None
    if found is None and not os.path.lexists(file):
        raise AdapterError(
            f"DVC keeps the baseline, and the base's is not here ({said[0].version})",
            where=inside,
            hint=f"fetch it: dvc pull {said[0].where}",
        )
    return found


def _place(root: Path, inside: str) -> tuple[Path, Path]:
    home = Path(os.path.realpath(root))
    return Path(os.path.realpath(repository.top(root))), Path(os.path.normpath(home / inside))
