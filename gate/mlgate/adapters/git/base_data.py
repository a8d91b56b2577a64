"""The base's data, to be asked from: files as its commit has them, and what its pointers of DVC and Git LFS name."""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mlgate.adapters.data import git_lfs
from mlgate.adapters.git import base_commit, dvc_data, repository, tracked_files
from mlgate.adapters.git.base_commit import BaseCommit
from mlgate.core.errors import AdapterError

_OID = re.compile(rb"(?m)^oid sha256:([0-9a-f]{64})$")
_APPROVE = "or have a person approve that the change's data judge: --approve-policy (input `policy-approved`)"


@dataclass(frozen=True, slots=True)
class OtherData:
    """A file that is the base's no more, for the change moved the pointer by which it is fetched."""

    path: str
    what: str
    """E.g. `dvc md5:… becomes dvc md5:…`."""
    error: AdapterError
    """Why the base's cannot be read, and what to do."""


def place(
    base: BaseCommit, paths: Iterable[str], into: Path, *, instead: bool = False
) -> tuple[Path, tuple[OtherData, ...]]:
    """Write the files at *paths* as they stand at the *base* under *into*; return the folder that stands for its root.

    What DVC or Git LFS keeps is the content that the base's pointer names. Where only the change's is here, it is
    returned as other data; *instead*: and it is linked in its place. A path that nobody keeps, neither there nor here,
    is linked to the file on disk: data that is fetched, or that lies outside of the repository. Raises AdapterError,
    with the place, for all else.
    """
    home, top = Path(os.path.realpath(base.root)), Path(os.path.realpath(repository.top(base.root)))
    base, there = replace(base, root=home), _under(into, home)
    there.mkdir(parents=True, exist_ok=True)
    other = {one.path: one for path in dict.fromkeys(paths) for one in _linked_or_copied(base, top, path, into)}
    if instead:
        for path in other:
            _link(home, path, into)
    return there, tuple(other.values())


def _linked_or_copied(base: BaseCommit, top: Path, path: str, into: Path) -> Sequence[OtherData]:
    home, commit = base.root, base.id
    file = Path(os.path.normpath(home / path))
    if posixpath.isabs(path) or not file.is_relative_to(top):
        _refuse_way_in(base, top, path)
        if not posixpath.isabs(path):  # else it is the same file, wherever it is read from
            _link(home, path, into)
        return []
    if odd := repository.link(home, commit, path):
        raise AdapterError(
            "the base has a symbolic link or a submodule there: what it leads to, a change could replace",
            where=f"{base.short}:{odd}",
            hint="name the file itself in mlgate.yaml, on the base branch first",
        )
    names = repository.files(home, commit, path)
    written = [_write(base, name, _under(into, home / name)) for name in names]
    if names:
        return [one for one in written if one]
    said = dvc_data.tracked(top, commit, file)
    if said:
        agree = len({one.version for one in said}) == 1
        placed = agree and dvc_data.place(top, said[0], file, _under(into, file))
        return [] if placed else [_not_here(path, base, said, dvc_data.tracked(top, "HEAD", file))]
    if tracked_files.is_brought(home, home / path):
        raise AdapterError(
            f"the base {base.short} has no such file, and its rules need it",
            where=path,
            hint="mend mlgate.yaml on the base branch first",
        )
    if here := dvc_data.tracked(top, "HEAD", file):
        error = AdapterError(
            f"the base {base.short} does not keep this file in DVC, and this change does ({here[0].where})",
            where=path,
            hint=_APPROVE,
        )
        return [OtherData(path, f"what was fetched becomes {here[0].version}", error)]
    _link(home, path, into)
    return []


def _refuse_way_in(base: BaseCommit, top: Path, path: str) -> None:
    """Refuse a path from outside that leads into what the repository keeps, or through a link of it."""
    home, inside = base.root, base_commit.within(base.root, path)
    brought = tracked_files.is_brought(home, home / path)
    if not brought and inside:
        file = Path(os.path.normpath(home / inside))
        brought = bool(
            repository.files(home, base.id, inside)
            or any(dvc_data.tracked(top, one, file) for one in (base.id, "HEAD"))
        )
    if brought:
        raise AdapterError(
            "this path leads into the repository, or by a link of it: a change could replace what is there",
            where=path,
            hint="name the file relative to mlgate.yaml, on the base branch first",
        )


def _not_here(
    path: str, base: BaseCommit, said: Sequence[dvc_data.Tracked], here: Sequence[dvc_data.Tracked]
) -> OtherData:
    """Return the change's data in the place of what DVC keeps at the base, where the change moved the pointer.

    Raises AdapterError where it did not, and the content is not here.
    """
    moved = {one.version for one in here} != {one.version for one in said}
    error = AdapterError(
        f"DVC keeps this file, and what lies here is not the base's ({said[0].version})",
        where=path,
        hint=f"{said[0].beside(base.id)}; {_APPROVE}" if moved else f"fetch it: dvc pull {said[0].where}",
    )
    if not moved:
        raise error
    return OtherData(path, f"{said[0].version} becomes {here[0].version if here else 'a file that git keeps'}", error)


def _under(into: Path, path: Path) -> Path:
    """Return where *into* keeps the file that is at *path*: all of the disk may have a place there."""
    return into / Path(os.path.normpath(path)).relative_to("/")


def _link(home: Path, path: str, into: Path) -> None:
    if (home / path).exists():
        dvc_data.link(home / path, _under(into, home / path))


def _write(base: BaseCommit, name: str, target: Path) -> OtherData | None:
    content = repository.show(base.root, base.id, name)
    assert content is not None, "it was listed"
    if not git_lfs.is_pointer(content):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return None
    found = large_file(base.root, name, content)
    if found is not None:
        dvc_data.link(found, target)
        return None
    moved = repository.show(base.root, "HEAD", name) != content
    error = AdapterError(
        "Git LFS keeps this file, and what lies here is not what the base says",
        where=name,
        hint=f"fetch the base's too: git lfs fetch origin {base.short}; {_APPROVE}"
        if moved
        else "check out with `lfs: true`",
    )
    if not moved:
        raise error
    return OtherData(name, "the file in Git LFS is another one", error)


def large_file(root: Path, name: str, pointer: bytes) -> Path | None:
    """Return a file with the content that a *pointer* of Git LFS names: the one here, or Git LFS's own copy."""
    said = _OID.search(pointer)
    if said is None:
        return None
    oid = said[1].decode()
    kept = repository.folder(root) / "lfs/objects" / oid[:2] / oid[2:4] / oid
    return next((place for place in (root / name, kept) if _sha256(place) == oid), None)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
