"""A file of examples, whatever its format: its lines, and why it cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from mlgate.adapters.data import dvc
from mlgate.adapters.data import lines as core
from mlgate.adapters.data.packing import unpacked
from mlgate.core.errors import EvidenceError, GateError
from mlgate.core.formats.names import Format, packing

_LISTED = 1_000
"""Files of a folder that are looked at for one that may be meant."""
_ALIKE = 0.75
_CUTS: tuple[tuple[str, Format], ...] = (("\t", "tsv"), (",", "csv"), (";", "csv"))


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line number, text), plain or packed; see `lines.numbered`.

    Raises ConfigError with `file:line` for a line that cannot be used, EvidenceError for a file that cannot be read.
    """
    return core.numbered(_unpacked(path), str(path))


def document(path: Path) -> str:
    """Return the whole text, plain or packed; see `lines.document`. Raises as `lines` does."""
    return core.document(_unpacked(path), str(path))


def format_seen(path: Path) -> Format | None:
    """Return the format that a file's first line looks like; None for one that cannot be read, or is mere text."""
    try:
        first = next((line for _, line in lines(path) if line.strip()), "").lstrip()
    except GateError:
        return None
    if first.startswith(("[", "{")):
        return "jsonl" if first.rstrip().endswith("}") else "json"
    return next((kind for cut, kind in _CUTS if cut in first), None)


def _unpacked(path: Path) -> Iterator[bytes]:
    packed = packing(path.name)
    return unpacked(_pieces(path), str(path), packed) if packed else _pieces(path)


def unreadable(path: Path, why: str) -> EvidenceError:
    """Return the error for a file that cannot be read, with how to fetch it when DVC keeps it."""
    if dvc.is_left_behind(path):
        return core.unreadable(str(path), why, hint="fetch it: dvc pull")
    near = _nearest(path)
    return core.unreadable(str(path), why, hint=f"did you mean {near}?") if near else core.unreadable(str(path), why)


def _nearest(path: Path) -> str:
    """Return the file beside an absent one whose name is most like its own; empty for none."""
    try:
        if path.exists():
            return ""
        names = {_stem(one): one for one in islice(path.parent.iterdir(), _LISTED) if one.is_file()}
    except (OSError, ValueError):
        return ""
    found = get_close_matches(_stem(path), names, n=1, cutoff=_ALIKE)
    return str(names[found[0]]) if found else ""


def _stem(path: Path) -> str:
    return path.name.lower().partition(".")[0]


def _pieces(path: Path) -> Iterator[bytes]:
    try:
        core.admit(str(path), path.stat().st_mode)
        with path.open("rb") as file:
            while piece := file.read(core.PIECE):
                yield piece
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise unreadable(path, getattr(error, "strerror", None) or str(error)) from error
