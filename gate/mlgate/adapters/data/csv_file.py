"""Examples from CSV (RFC 4180) and TSV: a header line, then one record an example, plain or packed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from mlgate.adapters.data import open_file
from mlgate.adapters.data.delimited import Table
from mlgate.adapters.data.dialect import COMMAS, TABS, Dialect
from mlgate.adapters.data.examples import Dataset, gather
from mlgate.adapters.data.fields import USUAL, Fields
from mlgate.core.formats.names import format_of


def read(path: Path, fields: Fields = USUAL, *, dialect: Dialect | None = None) -> Dataset:
    """Read every example. Every value is text.

    Left out, the dialect goes by the name: `.tsv` and `.tab` are cut at tabs, all else at commas. Raises ConfigError
    with `file:line` for a record that cannot be used, EvidenceError for a file that cannot be read.
    """
    found = table(path, fields, dialect)
    dataset = gather(found.rows(), replace(fields, values_are_text=True), source=str(path))
    return replace(dataset, notices=(*dataset.notices, *found.notices))


def table(path: Path, fields: Fields = USUAL, dialect: Dialect | None = None) -> Table:
    """Return the file's records, before anything is known of what they mean."""
    usual = TABS if format_of(path.name) == "tsv" else COMMAS
    return Table(partial(open_file.lines, path), dialect or usual, str(path), fields.line)


def count(path: Path) -> int:
    """Return how many records stand behind the header. Raises as `read` does."""
    return table(path).count()
