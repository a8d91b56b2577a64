"""A file of examples, whatever its format: its lines, and why it cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mlgate.adapters.data import dvc
from mlgate.adapters.data import lines as core
from mlgate.core.errors import EvidenceError


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line number, text), plain or `.gz`; see `lines.numbered`.

    Raises ConfigError with `file:line` for a line that cannot be used, EvidenceError for a file that cannot be read.
    """
    pieces = _pieces(path)
    if path.suffix == ".gz":
        pieces = core.unpacked(pieces, str(path))
    return core.numbered(pieces, str(path))


def unreadable(path: Path, why: str) -> EvidenceError:
    """Return the error for a file that cannot be read, with how to fetch it when DVC keeps it."""
    if dvc.is_left_behind(path):
        return core.unreadable(str(path), why, hint="fetch it: dvc pull")
    return core.unreadable(str(path), why)


def _pieces(path: Path) -> Iterator[bytes]:
    try:
        core.admit(str(path), path.stat().st_mode)
        with path.open("rb") as file:
            while piece := file.read(core.PIECE):
                yield piece
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise unreadable(path, getattr(error, "strerror", None) or str(error)) from error
