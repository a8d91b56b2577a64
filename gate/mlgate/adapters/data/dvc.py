"""What DVC calls a data file, read from the pointers that it leaves in the repository; DVC itself is not needed.

The files are those of DVC 1 to 3 (dvc/schema.py, dvc/output.py). They come from a hostile tree and gate nothing:
what is malformed, too large or leads out of the tree counts as absent.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from mlgate.adapters.data.lines import LARGEST_FILE, PIECE

LARGEST_POINTER = 1 << 20
"""Bytes that a pointer or `dvc.yaml` may have."""
LARGEST_LOCK = 10 << 20
"""Bytes that a `dvc.lock` may have."""
MOST_EVENTS = 2_000_000
"""Keys, values, begins and ends that any of them may have: 7 s of reading."""
DEEPEST_NESTING = 64
"""Levels of mappings and lists."""

_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
HASHES = {
    "md5": re.compile(r"[0-9A-Fa-f]{32}(\.dir)?"),
    "etag": re.compile(r"[!-~]{3,128}"),
    "checksum": re.compile(r"[!-~]{3,128}"),
}

Entry = Mapping[str, object]
"""One of `outs` or `deps`. Every scalar is text."""


@dataclass(frozen=True, slots=True)
class DvcVersion:
    """A version of data, by DVC's name for it."""

    text: str
    """E.g. `dvc md5:d41d8cd98f00b204e9800998ecf8427e`; a folder's ends in `.dir`."""
    where: str
    """The file that says so, relative to the root: `data/test.jsonl.dvc`, `dvc.lock`."""
    matches: bool | None
    """Whether the file is still the one that DVC saw; None where that cannot be told, as for a folder's name."""


def version_of(path: Path, root: Path) -> DvcVersion | None:
    """Return the version of the file or folder at *path*; None when nothing below *root* says one.

    What DVC tracks comes first: by a `.dvc` file, of a folder that holds it too, then as a stage's output in a
    `dvc.lock`. Last comes what a stage read. Never raises.
    """
    file, top = Path(os.path.normpath(path.absolute())), Path(os.path.normpath(root.absolute()))
    if top not in file.parents:
        return None
    for where, entry in _entries(file, top):
        for name, pattern in HASHES.items():
            value = str(entry.get(name, ""))
            if pattern.fullmatch(value):
                value = value.lower() if name == "md5" else value
                matches = _matches(file, top, value, entry) if name == "md5" else None
                return DvcVersion(f"dvc {name}:{value}", where.relative_to(top).as_posix(), matches)
    return None


def is_left_behind(path: Path) -> bool:
    """Return whether *path* is absent while a `.dvc` file says that it, or its absent folder, can be pulled."""
    try:
        for place in (path, *path.parents):
            if place.exists():
                return False
            if Path(f"{place}.dvc").is_file():
                return True
    except (OSError, ValueError):  # no permission, a NUL
        pass
    return False


def _entries(file: Path, top: Path) -> Iterator[tuple[Path, Entry]]:
    """Yield what speaks of *file*, the best first, with the place where it stands."""
    folders = [folder for folder in file.parents if folder.is_relative_to(top)]
    for tracked in (file, *folders[:-1]):
        pointer = Path(f"{tracked}.dvc")
        content = _mapping(pointer, top, LARGEST_POINTER)
        if entry := about(file, pointer.parent / str(content.get("wdir", ".")), content.get("outs")):
            yield pointer, entry
    stages = [stage for folder in folders for stage in _stages(folder, top)]
    for kind in ("outs", "deps"):
        for lock, base, stage in stages:
            if entry := about(file, base, stage.get(kind)):
                yield lock, entry


def _stages(folder: Path, top: Path) -> Iterator[tuple[Path, Path, Entry]]:
    """Yield each stage of a `dvc.lock`, with the folder that its paths start from: only `dvc.yaml` names that."""
    lock = folder / "dvc.lock"
    content = _mapping(lock, top, LARGEST_LOCK)
    stages = content.get("stages") if "schema" in content else content  # DVC 1 had the stages at the top
    if not isinstance(stages, dict) or not stages:
        return
    written = _mapping(folder / "dvc.yaml", top, LARGEST_POINTER).get("stages")
    for name, stage in stages.items():
        base = stage_folder(written, name) if isinstance(written, dict) else "."
        if isinstance(stage, dict):
            yield lock, folder / base, stage


def stage_folder(written: Entry, name: str) -> str:
    """Return the `wdir` of a stage; one of several made by `foreach` or `matrix` is named `stage@item`."""
    stage = written.get(name, written.get(name.partition("@")[0]))
    if isinstance(stage, dict):
        stage = stage.get("do", stage)
    return str(stage.get("wdir", ".")) if isinstance(stage, dict) else "."


def about(file: Path, base: Path, listed: object) -> Entry | None:
    """Return the entry of *file* itself, else that of a folder which holds it."""
    held = None
    for entry in listed if isinstance(listed, list) else ():
        if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
            continue
        place = Path(os.path.normpath(base / entry["path"]))
        if place == file:
            return entry
        if file.is_relative_to(place):
            held = held or _within(entry, file.relative_to(place).as_posix())
    return held


def _within(folder: Entry, name: str) -> Entry | None:
    """Return the folder's own line on a file in it (remotes that keep versions have such), else the folder's entry."""
    files = folder.get("files")
    for file in files if isinstance(files, list) else ():
        if isinstance(file, dict) and file.get("relpath") == name:
            return {**file, "hash": folder["hash"]} if "hash" in folder else file
    return folder if str(folder.get("md5", "")).endswith(".dir") else None


def _matches(file: Path, top: Path, md5: str, entry: Entry) -> bool | None:
    if md5.endswith(".dir"):
        return None
    try:
        real = _plain(file, top, LARGEST_FILE)
        # before DVC 3, which writes `hash: md5`, text was hashed with the line ends of Unix
        return md5_of(real) == md5 or ("hash" not in entry and md5_of(real, as_unix=True) == md5)
    except (OSError, ValueError):
        return None


def md5_of(path: Path, *, as_unix: bool = False) -> str:
    """Return a file's hash; *as_unix*: with the line ends of Unix. Raises OSError."""
    found = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while piece := file.read(PIECE):  # DVC converts pieces of this very size: a `\r\n` across two of them stays
            found.update(piece.replace(b"\r\n", b"\n") if as_unix else piece)
    return found.hexdigest()


def _plain(path: Path, top: Path, most: int) -> Path:
    """Return where the file really lies. Raises OSError or ValueError unless that is a plain file, small, in *top*."""
    real = Path(os.path.realpath(path, strict=True))
    status = real.stat()
    if not real.is_relative_to(os.path.realpath(top)) or not stat.S_ISREG(status.st_mode) or status.st_size > most:
        raise OSError("not a plain file of this tree, or too large")
    return real


def _mapping(path: Path, top: Path, most: int) -> dict[str, object]:
    try:
        value = parsed(_plain(path, top, most).read_bytes())
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return value if isinstance(value, dict) else {}


def parsed(text: bytes) -> object:
    """Return YAML as mappings, lists and text, straight from the parser's events: nothing is resolved or expanded.

    An alias is None: DVC writes some for equal parameters, and none for what is read here.
    """
    opened: list[list[object]] = [[]]
    for number, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        if number > MOST_EVENTS or len(opened) > DEEPEST_NESTING:
            raise ValueError("too much, or too deep")
        match event:
            case yaml.ScalarEvent():
                opened[-1].append(event.value)
            case yaml.AliasEvent():
                opened[-1].append(None)
            case yaml.CollectionStartEvent():
                opened.append([])
            case yaml.SequenceEndEvent():
                items = opened.pop()
                opened[-1].append(items)
            case yaml.MappingEndEvent():
                items = opened.pop()
                pairs = zip(items[::2], items[1::2], strict=True)
                opened[-1].append({key: value for key, value in pairs if isinstance(key, str)})
    return opened[0][0] if len(opened[0]) == 1 else None
