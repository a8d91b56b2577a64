"""Data that DVC manages, as one commit's pointers name it: the content with that hash, here or in DVC's cache.

Git keeps only the pointer, so the file on disk is what the checked-out commit's pointer chose.
DVC itself is not needed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

import yaml

from mlgate.adapters.data import dvc
from mlgate.adapters.data.lines import LARGEST_FILE
from mlgate.adapters.git import repository

_FOLDER_SUFFIX = ".dir"
_MOST_BYTES = 64 << 20
"""Of all pointers of a commit."""
_LARGEST_LISTING = 256 << 20
_LAYOUTS = ("files/md5", "")
"""Where a cache keeps its objects: DVC 3, and before."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """What one pointer says of a path."""

    version: str
    """E.g. `dvc md5:d41d8cd98f00b204e9800998ecf8427e`; `dvc` alone where no hash is said of the whole path."""
    where: str
    """The pointer, from the repository's top: `data/test.jsonl.dvc`."""
    md5: str = ""
    """Empty where the pointer has another kind of hash."""
    folder: str = ""
    """Of a tracked folder: where it is, from the repository's top."""
    as_unix: bool = False
    """Before DVC 3 text was hashed with the line ends of Unix."""

    def beside(self, commit: str) -> str:
        """Return how to fetch what the pointer of *commit* names into DVC's cache, beside what is checked out."""
        there = f"git checkout {commit[:10]} -- {self.where}"
        return f"fetch the base's beside it: {there} && dvc fetch {self.where} && git checkout HEAD -- {self.where}"


def tracked(top: Path, commit: str, path: Path) -> tuple[Tracked, ...]:
    """Return what the pointers at *commit* say of the file or folder *path*; nothing when DVC does not manage it."""
    file = Path("/") / path.relative_to(top)
    return tuple(dict.fromkeys(_entries_about(_pointers(top, repository.resolved(top, commit)), file)))


def place(top: Path, said: Tracked, path: Path, target: Path) -> bool:
    """Put what *said* names at *target*, as links to where it lies; return whether it was found."""
    if not said.md5.endswith(_FOLDER_SUFFIX) or path != top / said.folder:
        found = find(top, said, path)
        if found is not None:
            link(found, target)
        return found is not None
    if path.is_dir() and _tree(path) == said.md5:
        link(path, target)
        return True
    listing = _listing(top, path, said.md5)
    objects = {name: _object(top, path, md5, as_unix=said.as_unix) for name, md5 in listing.items()}
    there = {name: one for name, one in objects.items() if one is not None and _is_inside(name)}
    if not objects or len(there) < len(objects):
        return False
    for name, one in there.items():
        link(one, target / name)
    return True


def find(top: Path, said: Tracked, path: Path) -> Path | None:
    """Return a file with the content that *said* names for *path*: the one here, or DVC's own copy of it."""
    md5, as_unix = said.md5, said.as_unix
    if md5.endswith(_FOLDER_SUFFIX):
        folder = top / said.folder
        if _is(path, folder) or not path.is_relative_to(folder):
            return None
        if path.is_file() and _tree(folder) == md5:
            return path
        md5 = _listing(top, path, md5).get(path.relative_to(folder).as_posix(), "")
    if not md5:
        return None
    return path if _hashes_to(path, md5, as_unix=as_unix) else _object(top, path, md5, as_unix=as_unix)


def _entries_about(pointers: Mapping[str, bytes], file: Path) -> Iterator[Tracked]:
    for where, base, outs in _outs(pointers):
        entry = dvc.about(file, base, outs)
        if entry is not None:
            yield _tracked_by(where, base, entry)
        elif any(_holds(file, base, one) for one in outs if isinstance(one, dict)):
            yield Tracked("dvc", where)


def _tracked_by(where: str, base: Path, entry: dvc.Entry) -> Tracked:
    for name, pattern in dvc.HASHES.items():
        value = str(entry.get(name, ""))
        if pattern.fullmatch(value):
            md5 = value.lower() if name == "md5" else ""
            own = str(entry.get("path", "")) if md5.endswith(_FOLDER_SUFFIX) else ""
            folder = Path(os.path.normpath(base / own)).relative_to("/").as_posix() if own else ""
            return Tracked(f"dvc {name}:{md5 or value}", where, md5, folder, "hash" not in entry)
    return Tracked("dvc", where)


def _holds(file: Path, base: Path, entry: Mapping[object, object]) -> bool:
    """Return whether *file* is a folder in which the entry's own file lies."""
    path = entry.get("path")
    return isinstance(path, str) and file in Path(os.path.normpath(base / path)).parents


def _outs(pointers: Mapping[str, bytes]) -> Iterator[tuple[str, Path, list[object]]]:
    """Yield each list of outputs, with its pointer and the folder that its paths begin from."""
    for where, text in pointers.items():
        folder = Path("/") / where.rpartition("/")[0]
        content = _read(text)
        if where.endswith((".dvc", "Dvcfile")):
            outs = content.get("outs")
            if isinstance(outs, list):
                yield where, folder / str(content.get("wdir", ".")), outs
        elif where.rpartition("/")[2] == "dvc.lock":
            stages = content.get("stages") if "schema" in content else content
            written = _read(pointers.get(f"{where.removesuffix('.lock')}.yaml", b"")).get("stages")
            for name, stage in stages.items() if isinstance(stages, dict) else ():
                outs = stage.get("outs") if isinstance(stage, dict) else None
                if isinstance(outs, list):
                    base = dvc.stage_folder(written, name) if isinstance(written, dict) else "."
                    yield where, folder / base, outs


def _read(text: bytes) -> dict[str, object]:
    """Return a pointer's content; what is malformed says nothing, as DVC would not use it either."""
    try:
        value = dvc.parsed(text)
    except (ValueError, yaml.YAMLError):
        return {}
    return value if isinstance(value, dict) else {}


@lru_cache(maxsize=4)
def _pointers(top: Path, commit: str) -> Mapping[str, bytes]:
    return repository.contents(top, commit, _is_pointer, _MOST_BYTES)


def _is_pointer(name: str) -> bool:
    return name.endswith(".dvc") or PurePosixPath(name).name in {"dvc.lock", "dvc.yaml", "Dvcfile"}


def _object(top: Path, path: Path, md5: str, *, as_unix: bool = False) -> Path | None:
    """Return DVC's own copy of a content, from the cache of the nearest project above *path*."""
    for folder in path.parents:
        for layout in _LAYOUTS:
            place = folder / ".dvc/cache" / layout / md5[:2] / md5[2:]
            if _hashes_to(place, md5, as_unix=as_unix):
                return place
        if folder == top:
            break
    return None


def _listing(top: Path, path: Path, md5: str) -> Mapping[str, str]:
    """Return the hashes of a tracked folder's files, from the cache; empty when it is not there."""
    place = _object(top, path, md5)
    if place is None or place.stat().st_size > _LARGEST_LISTING:
        return {}
    try:
        listed = json.loads(place.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    entries = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return {str(one.get("relpath", "")): str(one.get("md5", "")) for one in entries}


def _tree(folder: Path) -> str:
    """Return the hash that DVC gives a folder with what lies in it now; empty when it cannot be read."""
    listed = []
    try:
        for at, _, names in os.walk(folder):
            for name in names:
                file = Path(at, name)
                listed.append({"md5": dvc.md5_of(file), "relpath": file.relative_to(folder).as_posix()})
    except (OSError, ValueError):
        return ""
    listed.sort(key=lambda one: one["relpath"])
    text = json.dumps(listed, sort_keys=True).encode()
    return hashlib.md5(text, usedforsecurity=False).hexdigest() + _FOLDER_SUFFIX


def _hashes_to(path: Path, md5: str, *, as_unix: bool) -> bool:
    plain = md5.removesuffix(_FOLDER_SUFFIX)
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_FILE:
            return False
        return dvc.md5_of(path) == plain or (as_unix and dvc.md5_of(path, as_unix=True) == plain)
    except (OSError, ValueError):
        return False


def _is_inside(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and ".." not in parts and not name.startswith("/")


def _is(one: Path, other: Path) -> bool:
    return os.path.normpath(one) == os.path.normpath(other)


def link(source: Path, target: Path) -> None:
    """Put a link at *target* to where *source* really lies; what is there already stays."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not os.path.lexists(target):
        target.symlink_to(os.path.realpath(source))
