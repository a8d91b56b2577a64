"""How delimited text is cut into values: the delimiter, and whether quotes mean something."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Literal

from mlgate.adapters.data.lines import LONGEST_LINE

Quoting = Literal["csv", "none"]

Line = tuple[int, str]
"""A line's number, and its text without the line feed."""

Record = tuple[list[Line], list[str]]
"""The lines of one record, and its values."""

_EXCEL = re.compile(r"sep=(.)\r?")
"""The first line by which Excel says what cuts the others."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What cuts a line, and what quotes mean."""

    delimiter: str = ","
    quoting: Quoting | None = None
    """None: nobody wrote it. Then quotes mean nothing where tabs cut, and are those of CSV elsewhere."""
    delimiter_is_written: bool = False

    @property
    def quotes(self) -> bool:
        """Return whether quotes may hold delimiters and line breaks."""
        return self.quoting == "csv" or (self.quoting is None and self.delimiter != "\t")


TABS = Dialect("\t")
"""That of `.tsv` and `.tab`."""
COMMAS = Dialect(",")
"""That of `.csv`."""


def records(lines: Iterable[Line], dialect: Dialect) -> Iterator[Record]:
    """Yield each record. Blank lines are none, and neither is the line `sep=;` of Excel.

    Raises csv.Error for what is not CSV, at the line after the last that was yielded.
    """
    left = iter(lines)
    first = next(left, None)
    if first is None:
        return
    if _EXCEL.fullmatch(first[1].removeprefix("\ufeff")):
        dialect = named_by(first[1], dialect)
    else:
        left = chain([first], left)
    yield from _quoted(left, dialect.delimiter) if dialect.quotes else _plain(left, dialect.delimiter)


def named_by(first: str, dialect: Dialect) -> Dialect:
    """Return the dialect with the delimiter that the first line names, where it does and nobody wrote another."""
    excel = _EXCEL.fullmatch(first.removeprefix("\ufeff"))
    return dialect if excel is None or dialect.delimiter_is_written else replace(dialect, delimiter=excel.group(1))


def plain_values(line: str, delimiter: str) -> list[str]:
    """Return the values of a line in which quotes mean nothing."""
    return line.removesuffix("\r").split(delimiter)


def _plain(lines: Iterable[Line], delimiter: str) -> Iterator[Record]:
    for number, line in lines:
        if line not in ("", "\r"):
            yield [(number, line)], plain_values(line, delimiter)


def _quoted(lines: Iterable[Line], delimiter: str) -> Iterator[Record]:
    taken: list[Line] = []

    def fed() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield f"{line[1]}\n"

    reader = csv.reader(fed(), delimiter=delimiter, strict=True)
    while (record := _next(reader)) is not None:
        if record:
            yield taken[:], record
        taken.clear()


def _next(reader: Iterator[list[str]]) -> list[str] | None:
    """Return the next record. The longest value is a setting of the whole process: change it only for this moment."""
    limit = csv.field_size_limit(LONGEST_LINE)
    try:
        return next(reader, None)
    finally:
        csv.field_size_limit(limit)
