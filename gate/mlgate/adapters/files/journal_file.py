"""The journal: rows as they come, one JSON line each, so that a run that was killed can go on."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from mlgate.adapters.files import evidence_header, safe_file
from mlgate.adapters.files.evidence_file import (
    LARGEST_FILE,
    MOST_ROWS,
    line_of,
    lines_of,
    parse_row,
    too_many,
)
from mlgate.core.errors import AdapterError, EvidenceError, Refused
from mlgate.core.evidence import Environment, Evidence, Provenance, Row
from mlgate.core.identity import CURRENT_FORM


class JournalFile:
    """An append-only file. Each row is one write: a killed process loses at most the row in its hand.

    It begins with the rows that are kept, put in the old journal's place at once: on a full disk the old one stays.
    """

    def __init__(self, path: Path, evidence: Evidence, environment: Environment) -> None:
        self._path = path
        begun = replace(evidence, environments=evidence.environments | {environment})
        content = b"".join(lines_of(begun, str(path)))
        safe_file.write(path, content)
        self._size = len(content)
        try:
            self._file = safe_file.opened(path, os.O_WRONLY | os.O_APPEND)
        except OSError as error:
            raise _write_error(path, error) from error

    def append(self, row: Row) -> None:
        """Add one row. One that could not be read back is an EvidenceError, and is not added."""
        data = line_of(row, str(self._path))
        if self._size + len(data) > LARGEST_FILE:
            raise EvidenceError(
                f"the rows are more than the {LARGEST_FILE >> 30} GiB that evidence may hold",
                where=str(self._path),
                hint="ask fewer examples in one run, or several shards: --shard",
            )
        self._size += len(data)
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as error:
            raise _write_error(self._path, error) from error

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file; it stays on disk."""
        os.close(self._file)


def _write_error(path: Path, error: OSError) -> AdapterError:
    full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    then = ", then `mlgate check --resume`" if full else ""
    return AdapterError(
        f"could not keep the rows: {error.strerror}", where=str(path), hint=safe_file.next_step(error) + then
    )


def read(path: Path, here: Provenance, most: int = MOST_ROWS) -> Evidence:
    """Read a journal of at most *most* rows to go on from.

    A torn last line is dropped; another run's journal is refused.
    """
    try:
        content = safe_file.read(path, LARGEST_FILE)
    except FileNotFoundError:
        return Evidence.of(here, [], [])
    except OSError as error:
        raise EvidenceError(
            f"could not read the journal: {error.strerror}",
            where=str(path),
            hint="move it, and run `mlgate check` without --resume",
        ) from error
    if len(content) > LARGEST_FILE:
        raise Refused("the journal is larger than evidence may be", where=str(path))
    if content.count(b"\n") > most + 1:
        raise too_many(most, f"{path}:{most + 2}")
    rows = content.split(b"\n")
    rows.pop()  # what stands behind the last newline: nothing, or a torn row
    if not rows:
        return Evidence.of(here, [], [])
    begun = evidence_header.parse(rows[0], str(path))
    if begun.form != CURRENT_FORM:
        raise Refused(
            "the interrupted run was begun by another version of mlgate, whose digests have another form",
            where=str(path),
            hint="run `mlgate check` without --resume",
        )
    if begun.provenance != here:
        raise Refused(
            "the interrupted run is of another commit, model, suite or data",
            where=str(path),
            hint="run `mlgate check` without --resume",
        )
    return Evidence.of(
        here, begun.environments, [parse_row(row, f"{path}:{number}") for number, row in enumerate(rows[1:], start=2)]
    )
