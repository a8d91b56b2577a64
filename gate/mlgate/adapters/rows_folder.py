"""Rows on their way from workers to the gate: one append-only file a worker, so that a killed worker keeps its rows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from mlgate.core.errors import EvidenceError
from mlgate.core.evidence import Row, decode, encode


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
    """Reads every worker's file from where it last stopped. A torn line waits for its end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._offsets: dict[str, int] = {}

    def fresh(self) -> Iterator[Row]:
        """Yield the rows that have come since the last call."""
        for path in sorted(self._folder.glob("rows-*.jsonl")):
            start = self._offsets.get(path.name, 0)
            with path.open("rb") as file:
                file.seek(start)
                data = file.read()
            whole = data[: data.rfind(b"\n") + 1]
            self._offsets[path.name] = start + len(whole)
            for line in whole.splitlines():
                yield _row(line, path)


def _row(line: bytes, path: Path) -> Row:
    try:
        return decode(line.decode("ascii"))
    except UnicodeDecodeError as error:
        raise EvidenceError("a worker sent a row that is not text", where=path.name) from error
