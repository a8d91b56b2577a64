"""Examples from a JSON document: a list of objects, an object with one such list in it, or objects one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from mlgate.adapters.data import json_rows, open_file
from mlgate.adapters.data.examples import Dataset, gather
from mlgate.adapters.data.fields import USUAL, Fields
from mlgate.core.formats.field_path import Absent, pick


def read(path: Path, fields: Fields = USUAL) -> Dataset:
    """Read every example; errors name the row, from 1 on.

    Raises ConfigError for a row that cannot be used, EvidenceError for a file that cannot be read.
    """
    return gather(rows(path, fields), fields, source=str(path), unit="row")


def rows(path: Path, fields: Fields = USUAL) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Yield the objects, by number."""
    text = open_file.document(path)
    yield from json_rows.of_document(
        text, str(path), fields.line, lambda one: pick(one, fields.input) is not Absent.ABSENT
    )
