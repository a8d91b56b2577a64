"""The file that a path in the configuration names, and what to do with an address or a pattern in its place."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path, PurePosixPath

from mlgate.core.errors import ConfigError, EvidenceError
from mlgate.core.formats.names import format_of, is_odd

_LISTED = 10_000
"""Files of a folder that are looked at."""
_SAVED = ("dataset_info.json", "dataset_dict.json", "state.json")
"""What stands in a folder that `save_to_disk` of Hugging Face wrote."""
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def local(root: Path, written: str, named: Callable[[str], str], where: str = "") -> Path:
    """Return the path below *root*. *named* makes the line that names another path, *where* is the place of this one.

    Raises ConfigError, with what to do, for an address, a pattern, a variable or the like, unless there is a file of
    that very name; EvidenceError for a folder. A file that is not there is left to whoever reads it.
    """
    path = root / written
    try:
        if path.is_dir():
            raise _folder(path, written, named)
        if not is_odd(written) or path.exists():
            return path
    except (OSError, ValueError):  # no permission, a name too long, a NUL
        return path
    what, hint = _odd(root, written, named)
    raise ConfigError(f"`{written[:200]}` {what}", hint=hint, where=where)


def _odd(root: Path, written: str, named: Callable[[str], str]) -> tuple[str, str]:
    if scheme := _SCHEME.match(written):
        return "is an address, and a file is needed", _fetch(scheme.group(1).lower(), written, root, named)
    if written.startswith("~"):
        return "begins with ~, which stays as it is written", _write(named, str(_home(written)))
    if "$" in written or re.search(r"%\w+%", written):
        return _with_variables(written, named)
    if "\\" in written:
        return "has backslashes: folders are told apart by /", _write(named, written.replace("\\", "/"))
    return _pattern(root, written, named)


def _home(written: str) -> Path:
    try:
        return Path(written).expanduser()
    except RuntimeError:  # nobody of that name
        return Path(written)


def _pattern(root: Path, written: str, named: Callable[[str], str]) -> tuple[str, str]:
    try:
        found = sorted(one.relative_to(root).as_posix() for one in islice(root.glob(written), _LISTED) if one.is_file())
    except (ValueError, NotImplementedError, OSError):  # an absolute pattern, an empty one
        found = []
    if written.endswith("/") or not found:
        what = "is a folder, and it is not there" if written.endswith("/") else "is a pattern, and no file fits it"
        return what, "name one file, by its path from the configuration's folder"
    said = "one file fits" if len(found) == 1 else f"{len(found):,} files fit"
    return f"is a pattern, which is not expanded: {said}", _write(named, found[0])


def _with_variables(written: str, named: Callable[[str], str]) -> tuple[str, str]:
    plain = re.sub(r"%(\w+)%", r"$\1", written)
    full = os.path.expandvars(plain)
    if left := re.search(r"\$\{?(\w+)", full):
        said = f"has the variable {left.group(1)}: none is expanded, and it is not set here"
        return said, "write the path itself, without a variable"
    return "has a variable, and none is expanded", _write(named, full)


def _fetch(scheme: str, written: str, root: Path, named: Callable[[str], str]) -> str:
    if scheme == "file":
        return _write(named, written.partition("://")[2])
    name = PurePosixPath(re.split(r"[?#]", written.partition("://")[2])[0]).name or "data.jsonl"
    address, target = shlex.quote(written), shlex.quote(str(root / name))
    match scheme:
        case "http" | "https" | "ftp":
            command = f"curl -fL -o {target} {address}"
        case "s3" | "s3a" | "s3n":
            command = f"aws s3 cp {shlex.quote('s3://' + written.partition('://')[2])} {target}"
        case "gs":
            command = f"gcloud storage cp {address} {target}"
        case "hf":
            if not (found := re.fullmatch(r"hf://datasets/([^/@]+/[^/@]+)(?:@([^/]+))?(?:/(.+))?", written)):
                return f"download it to {target}, then {_write(named, name)}"
            repository, revision, file = found.groups()
            if not file:
                return f"write `data: {{dataset: {repository}}}`"
            at = f" --revision {shlex.quote(revision)}" if revision else ""
            folder = shlex.quote(str(root))
            dataset = shlex.quote(repository)
            command = f"hf download {dataset} {shlex.quote(file)} --repo-type dataset{at} --local-dir {folder}"
            name = file
        case _:
            return f"download it to {target}, then {_write(named, name)}"
    return f"`{command}`, then {_write(named, name)}"


def _folder(path: Path, written: str, named: Callable[[str], str]) -> EvidenceError:
    files = sorted(_files(path))
    if any(name in _SAVED for name in files):
        hint = f"if `save_to_disk` wrote it, write `data: {{dataset: {written.rstrip('/')}}}`"
    elif found := [name for name in files if format_of(name)]:
        hint = _write(named, f"{written.rstrip('/')}/{found[0]}")
    else:
        hint = "name a file in it"
    return EvidenceError("it is a directory, and a file is needed", hint=hint, where=str(path))


def _files(folder: Path) -> Iterator[str]:
    try:
        yield from (one.name for one in islice(folder.iterdir(), _LISTED) if one.is_file())
    except OSError:  # then there is nothing to name
        return


def _write(named: Callable[[str], str], path: str) -> str:
    return f"write `{named(path)}`"
