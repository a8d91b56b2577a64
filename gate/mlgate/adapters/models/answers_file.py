"""The records of a file of answers, whatever its format: hostile, so bounded before anything is understood."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from mlgate.adapters.data import json_rows
from mlgate.adapters.data.delimited import Table
from mlgate.adapters.data.dialect import COMMAS, TABS, Dialect
from mlgate.adapters.data.lines import PIECE, admit, document, numbered
from mlgate.adapters.data.packing import unpacked
from mlgate.adapters.data.section_line import SectionLine
from mlgate.core.errors import ConfigError, EvidenceError, Refused
from mlgate.core.formats.converters import converter, has_converter
from mlgate.core.formats.names import format_of, packing

LARGEST_FILE = 512 << 20
"""Bytes that the file may have, unpacked."""
LONGEST_LINE = 4 << 20
"""Bytes that one line may have."""
MOST_LINES = 2_000_000
"""Lines that it may have: a bomb of empty ones is small in bytes and large in memory."""
LARGEST_DOCUMENT = 64 << 20
"""Bytes that a document may have which is understood as a whole."""

Kind = Literal["jsonl", "json", "csv", "tsv", "lines"]

Record = tuple[int, Mapping[str, object]]
"""The number of the line, or of the row, and its fields."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file of answers is to be read, as far as somebody said so."""

    id_field: str = "id"
    answer_field: str = "answer"
    id_is_written: bool = False
    match: Literal["id", "order"] | None = None
    kind: Kind | None = None
    """None: by the file's ending."""
    dialect: Dialect | None = None
    line: SectionLine = field(default_factory=lambda: SectionLine("answers"))
    """What names the file in the configuration: hints say how it should read."""


class AnswersFile:
    """Reads one file once; its digest is known when all of it was read."""

    def __init__(self, path: Path, layout: Layout | None = None) -> None:
        self._path = path
        self._layout = layout or Layout()
        self._sha = hashlib.sha256()
        self.kind = self._layout.kind or _kind(path)
        """How it is read."""
        self.notices: tuple[str, ...] = ()
        """What a person should know, once all was read."""

    @property
    def digest(self) -> str:
        """Return the SHA-256 of what was read, unpacked: packing a file again does not make it another."""
        return self._sha.hexdigest()

    @property
    def unit(self) -> str:
        """Return what a number of `records` counts."""
        return "row" if self.kind == "json" else "line"

    def texts(self) -> list[str]:
        r"""Return every line. Only `\n` and `\r\n` end one; a blank one is an empty text."""
        with _as_evidence():
            return [line.removesuffix("\r") for _, line in self._lines()]

    def records(self) -> Iterator[Record]:
        """Yield each record of a file that is no mere lines."""
        with _as_evidence():
            match self.kind:
                case "json":
                    yield from self._document()
                case "jsonl":
                    for number, line in self._lines():
                        if line.strip():
                            yield number, json_rows.of_line(line, number, self._source, self._line, is_finite=False)
                case _:
                    yield from self._table()

    @property
    def _source(self) -> str:
        return str(self._path)

    @property
    def _line(self) -> SectionLine:
        return self._layout.line

    def _table(self) -> Iterator[Record]:
        usual = TABS if self.kind == "tsv" else COMMAS
        table = Table(self._lines, self._layout.dialect or usual, self._source, self._line)
        yield from table.rows()
        self.notices = tuple(f"{self._path.name}: {notice}" for notice in table.notices)

    def _document(self) -> Iterator[Record]:
        text = document(self._bytes(), self._source, LARGEST_DOCUMENT)
        if text.count("{") + text.count("[") > MOST_LINES:
            raise Refused(f"the answers have more than {MOST_LINES:,} objects", where=self._source)
        names = {self._layout.id_field, self._layout.answer_field}
        yield from json_rows.of_document(
            text, self._source, self._line, lambda one: not names.isdisjoint(one), is_finite=False
        )

    def _lines(self) -> Iterator[tuple[int, str]]:
        for number, line in numbered(self._bytes(), self._source):
            if len(line) > LONGEST_LINE // 4 and len(line.encode()) > LONGEST_LINE:
                raise EvidenceError(
                    f"the line has more than {LONGEST_LINE >> 20} MB",
                    hint="write the answers again",
                    where=f"{self._source}:{number}",
                )
            if number > MOST_LINES:
                raise Refused(f"the answers have more than {MOST_LINES:,} lines", where=self._source)
            yield number, line

    def _bytes(self) -> Iterator[bytes]:
        pieces = self._pieces()
        if packed := packing(self._path.name):
            pieces = unpacked(pieces, self._source, packed)
        size = 0
        for piece in pieces:
            size += len(piece)
            if size > LARGEST_FILE:
                raise Refused(f"the answers have more than {LARGEST_FILE >> 20} MB", where=self._source)
            self._sha.update(piece)
            yield piece

    def _pieces(self) -> Iterator[bytes]:
        try:
            admit(self._source, self._path.stat().st_mode)
            with self._path.open("rb") as file:
                while piece := file.read(PIECE):
                    yield piece
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            why = getattr(error, "strerror", None) or str(error)
            raise EvidenceError(
                f"cannot read the answers: {why}", hint="check the path in `answers:`", where=self._source
            ) from error


@contextmanager
def _as_evidence() -> Iterator[None]:
    """Make a fault of the file one of the evidence: an answer is the model's doing, not a setting of the user's."""
    try:
        yield
    except ConfigError as error:
        raise EvidenceError(error.message, hint=error.hint, where=error.where) from error


def _kind(path: Path) -> Kind:
    match format_of(path.name):
        case "jsonl" | "json" | "csv" | "tsv" as known:
            return known
    if has_converter(path.name):
        raise EvidenceError(f"answers are not read from {path.suffix}", hint=converter(path.name), where=str(path))
    return "lines"
