"""Examples from JSON Lines: one object a line, plain or packed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from mlgate.adapters.data import json_rows, open_file
from mlgate.adapters.data.examples import Dataset, gather
from mlgate.adapters.data.fields import USUAL, Fields


def read(path: Path, fields: Fields = USUAL) -> Dataset:
    """Read every example.

    Raises ConfigError with `file:line` for a line that cannot be used, EvidenceError for a file that cannot be read.
    """
    return gather(rows(path, fields), fields, source=str(path))


def rows(path: Path, fields: Fields = USUAL) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Yield the object on each line that is not blank."""
    for number, line in open_file.lines(path):
        if line.strip():
            yield number, json_rows.of_line(line, number, str(path), fields.line)
