"""The journal: rows as they come, one JSON line each, so that a run that was killed can go on."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from mlgate.adapters.evidence_file import LARGEST, header, parse_header, parse_row
from mlgate.core.errors import AdapterError, EvidenceError, Refused
from mlgate.core.evidence import Environment, Evidence, Provenance, Row, encode


class JournalFile:
    """An append-only file. Each row is one write: a killed process loses at most the row in its hand."""

    def __init__(self, path: Path, evidence: Evidence, environment: Environment) -> None:
        self._path = path
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
        except OSError as error:
            raise _failed(path, error) from error
        self._write(header(evidence.provenance, evidence.environments | {environment}))
        for line in evidence.lines():
            self._write(line + "\n")

    def append(self, row: Row) -> None:
        """Add one row."""
        self._write(encode(row) + "\n")

    def _write(self, line: str) -> None:
        data = line.encode("ascii")
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as error:
            raise _failed(self._path, error) from error

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file; it stays on disk."""
        os.close(self._file)


def _failed(path: Path, error: OSError) -> AdapterError:
    return AdapterError(
        f"could not keep the rows: {error.strerror}",
        where=str(path),
        hint="free some space, then `mlgate check --resume`",
    )


def read(path: Path, here: Provenance) -> Evidence:
    """Read a journal to go on from. A torn last line is dropped; another run's journal is refused."""
    try:
        if not path.is_file():
            return Evidence.of(here, [], [])
        if path.stat().st_size > LARGEST:
            raise Refused("the journal is larger than evidence may be", where=str(path))
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise EvidenceError(f"could not read: {error.strerror}", where=str(path)) from error
    lines.pop()  # what stands behind the last newline: nothing, or a torn row
    if not lines:
        return Evidence.of(here, [], [])
    provenance, environments = parse_header(lines[0], str(path))
    if provenance != here:
        raise Refused(
            "the interrupted run is of another commit, model, suite or data",
            where=str(path),
            hint="run `mlgate check` without --resume",
        )
    rows = [parse_row(line, f"{path}:{number}") for number, line in enumerate(lines[1:], start=2)]
    return Evidence.of(here, environments, rows)
