"""The records of a file of answers, whatever its format: hostile, so bounded before anything is understood."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from mlgate.adapters.data.lines import PIECE, admit, numbered, unpacked
from mlgate.core import strict_json
from mlgate.core.errors import ConfigError, EvidenceError, Refused

LARGEST_FILE = 512 << 20
"""Bytes that the file may have, unpacked."""
LONGEST_LINE = 4 << 20
"""Bytes that one line may have."""
MOST_LINES = 2_000_000
"""Lines that it may have: a bomb of empty ones is small in bytes and large in memory."""

Record = tuple[int, Mapping[str, object]]
"""The number of the line that it begins on, and its fields."""


class AnswersFile:
    """Reads one file once; its digest is known when all of it was read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sha = hashlib.sha256()
        self.kind = path.name.lower().removesuffix(".gz").rpartition(".")[2]
        """Its suffix without the dot: what decides how it is read."""

    @property
    def digest(self) -> str:
        """Return the SHA-256 of what was read, unpacked: packing a file again does not make it another."""
        return self._sha.hexdigest()

    def texts(self) -> list[str]:
        r"""Return every line. Only `\n` and `\r\n` end one; a blank one is an empty text."""
        return [line.removesuffix("\r") for _, line in self._lines()]

    def objects(self) -> Iterator[Record]:
        """Yield the object on each line of JSON that is not blank."""
        for number, line in self._lines():
            if line.strip():
                yield number, self._object(number, line)

    def table(self) -> Iterator[Record]:
        """Yield each record below the header of a CSV or TSV file."""
        records = self._records()
        number, header = next(records, (1, []))
        if len(set(header)) != len(header):
            raise self._damage_at(number, "the header names a column twice")
        for number, record in records:
            if len(record) != len(header):
                raise self._damage_at(number, f"the record has {len(record)} values, the header {len(header)}")
            yield number, dict(zip(header, record, strict=True))

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        lines = (f"{line}\n" for _, line in self._lines())
        reader = csv.reader(lines, delimiter="," if self.kind == "csv" else "\t", strict=True)
        begin = 1
        while True:
            limit = csv.field_size_limit(LONGEST_LINE)  # a setting of the whole process: changed only for this moment
            try:
                record = next(reader, None)
            except csv.Error as error:
                raise self._damage_at(begin, f"the record is not {self.kind.upper()}: {error}") from error
            finally:
                csv.field_size_limit(limit)
            if record is None:
                return
            if record:
                yield begin, record
            begin = reader.line_num + 1

    def _object(self, number: int, line: str) -> Mapping[str, object]:
        try:
            value = strict_json.loads(line, is_finite=False)
        except (ValueError, RecursionError) as error:
            raise self._damage_at(number, f"the line is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise self._damage_at(number, "the line is not a JSON object")
        return value

    def _lines(self) -> Iterator[tuple[int, str]]:
        pieces = self._pieces()
        if self._path.suffix.lower() == ".gz":
            pieces = unpacked(pieces, str(self._path))
        try:
            for number, line in numbered(self._hashed_within_limit(pieces), str(self._path)):
                if len(line) > LONGEST_LINE // 4 and len(line.encode()) > LONGEST_LINE:
                    raise self._damage_at(number, f"the line has more than {LONGEST_LINE >> 20} MB")
                if number > MOST_LINES:
                    raise Refused(f"the answers have more than {MOST_LINES:,} lines", where=str(self._path))
                yield number, line
        except ConfigError as error:  # an answer is the model's doing, not a setting of the user's
            raise EvidenceError(error.message, hint=error.hint, where=error.where) from error

    def _hashed_within_limit(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        size = 0
        for piece in pieces:
            size += len(piece)
            if size > LARGEST_FILE:
                raise Refused(f"the answers have more than {LARGEST_FILE >> 20} MB", where=str(self._path))
            self._sha.update(piece)
            yield piece

    def _pieces(self) -> Iterator[bytes]:
        try:
            admit(str(self._path), self._path.stat().st_mode)
            with self._path.open("rb") as file:
                while piece := file.read(PIECE):
                    yield piece
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            why = getattr(error, "strerror", None) or str(error)
            raise EvidenceError(
                f"cannot read the answers: {why}", hint="check the path in `answers:`", where=str(self._path)
            ) from error

    def _damage_at(self, number: int, why: str) -> EvidenceError:
        return EvidenceError(why, hint="write the answers again", where=f"{self._path}:{number}")
