"""Rows on their way from workers to the gate: one append-only file a worker, so that a killed worker keeps its rows."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mlgate.adapters.files.evidence_file import LARGEST_FILE, LONGEST_ROW, MOST_ROWS
from mlgate.core.errors import EvidenceError, Refused
from mlgate.core.evidence import Row, decode, encode

_AT_ONCE = 2 * LONGEST_ROW


class RowWriter:
    """One worker's file. Each row is one write, visible at once."""

    def __init__(self, folder: Path, worker: str) -> None:
        self._file = os.open(folder / f"rows-{worker}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def append(self, row: Row) -> None:
        """Send one row."""
        data = (encode(row) + "\n").encode("ascii")
        while data:
            data = data[os.write(self._file, data) :]

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


class RowReader:
    """Reads every worker's file from where it last stopped. A torn line waits for its end.

    Workers run the model's code, and tests of the change's: what they send is bounded, in rows and in bytes.
    """

    def __init__(self, folder: Path, most: int = MOST_ROWS) -> None:
        self._folder = folder
        self._most = most
        self._offsets: dict[str, int] = {}
        self._lines: Counter[str] = Counter()

    def fresh(self) -> Iterator[Row]:
        """Yield the rows that have come since the last call. Raises EvidenceError or Refused for what is none."""
        for path in sorted(self._folder.glob("rows-*.jsonl")):
            while data := self._read(path):
                for line in data[:-1].split(b"\n"):
                    self._lines[path.name] += 1
                    where = f"{path.name}:{self._lines[path.name]}"
                    if self._lines.total() > self._most:
                        raise Refused(
                            f"the workers sent more than the {self._most:,} rows that the checks can have",
                            where=where,
                            hint="look at what the model, or a test that records, writes into its worker's file",
                        )
                    yield _row(line, where)

    def _read(self, path: Path) -> bytes:
        """Return the next whole lines, a part of what is there; nothing when there are none."""
        start = self._offsets.get(path.name, 0)
        with path.open("rb") as file:
            file.seek(start)
            data = file.read(_AT_ONCE)
        end = data.rfind(b"\n") + 1
        if (not end and len(data) > LONGEST_ROW) or start + end > LARGEST_FILE:
            raise Refused("a worker sent more than evidence may hold", where=path.name, hint="record less of it")
        self._offsets[path.name] = start + end
        return data[:end]


def _row(line: bytes, where: str) -> Row:
    try:
        return decode(line.decode("ascii"))
    except UnicodeDecodeError as error:
        raise EvidenceError("a worker sent a row that is not text", where=where) from error
    except EvidenceError as error:
        raise EvidenceError(f"a worker sent what is no row: {error.message}", where=where) from error
