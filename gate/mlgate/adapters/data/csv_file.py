"""Examples from CSV (RFC 4180) and TSV: a header line, then one record an example, plain or `.gz`."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from mlgate.adapters.data import open_file
from mlgate.adapters.data.examples import Dataset, gather
from mlgate.adapters.data.fields import USUAL, Fields
from mlgate.adapters.data.lines import LONGEST_LINE
from mlgate.core.errors import ConfigError


def read(path: Path, fields: Fields = USUAL, *, delimiter: str = "") -> Dataset:
    """Read every example. Every value is text.

    Left out, the delimiter goes by the name: `.tsv` and `.tab` are cut at tabs, all else at commas. Raises ConfigError
    with `file:line` for a record that cannot be used, EvidenceError for a file that cannot be read.
    """
    return gather(_rows(path, delimiter or _delimiter(path)), fields, source=str(path))


def count(path: Path) -> int:
    """Return how many records stand behind the header. Raises as `read` does."""
    return max(0, sum(1 for _ in _records(path, _delimiter(path))) - 1)


def _delimiter(path: Path) -> str:
    return "\t" if path.name.lower().removesuffix(".gz").endswith((".tsv", ".tab")) else ","


def _rows(path: Path, delimiter: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    records = _records(path, delimiter)
    number, header = next(records, (1, []))
    if len(set(header)) != len(header):
        twin = next(name for name in header if header.count(name) > 1)
        raise ConfigError(f"the header names the column `{twin[:60]}` twice", where=f"{path}:{number}")
    for number, record in records:
        if len(record) != len(header):
            raise ConfigError(
                f"the record has {len(record)} values, the header {len(header)}",
                hint="quote a value that holds the delimiter, a quote or a line break",
                where=f"{path}:{number}",
            )
        yield number, dict(zip(header, record, strict=True))


def _records(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the number of the line it begins on. Blank lines are no records."""
    lines = (f"{line}\n" for _, line in open_file.lines(path))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    begin = 1
    while True:
        try:
            record = _next(reader)
        except csv.Error as error:
            raise ConfigError(
                f"the record is not CSV, cut at {delimiter!r}: {error}",
                hint='a quote inside a quoted value is written twice: ""',
                where=f"{path}:{begin}",
            ) from error
        if record is None:
            return
        if record:
            yield begin, record
        begin = reader.line_num + 1


def _next(reader: Iterator[list[str]]) -> list[str] | None:
    """Return the next record. The longest value is a setting of the whole process: change it only for this moment."""
    limit = csv.field_size_limit(LONGEST_LINE)
    try:
        return next(reader, None)
    finally:
        csv.field_size_limit(limit)
