"""`.mlgate/`: where a run's verdict, reports and evidence lie. Its first act is to unsay yesterday's verdict."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path

from mlgate.adapters.evidence_file import replace
from mlgate.core.errors import AdapterError

VERDICT = "verdict.json"
STALE = ("report.json", "junit.xml", "summary.md", "evidence.jsonl.gz")
"""What would speak for an older run beside an incomplete verdict."""


class RunFolder:
    """One run's folder, held against other runs by a lock."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder for this process; a second run in the same folder is an AdapterError."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            ignore = self.path / ".gitignore"
            if not ignore.exists():
                with contextlib.suppress(OSError):
                    ignore.write_text("*\n")
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise AdapterError(
                f"could not make the output folder: {error.strerror}",
                where=str(self.path),
                hint="name one: --output DIR",
            ) from error
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise AdapterError(
                    "another run holds this folder", where=str(self.path), hint="wait for it, or name one: --output DIR"
                ) from error
            yield
        finally:
            os.close(lock)

    def begin(self, reason: str) -> None:
        """Say `incomplete` before anything else, in place: on a full disk a replace would leave the old verdict."""
        text = _verdict("incomplete", 3, reason)
        target = self.path / VERDICT
        try:
            for name in STALE:
                (self.path / name).unlink(missing_ok=True)
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT, 0o644)
            try:
                os.ftruncate(descriptor, 0)
                os.write(descriptor, text)
            finally:
                os.close(descriptor)
        except OSError as error:
            with contextlib.suppress(OSError):
                target.unlink(missing_ok=True)
            raise AdapterError(
                f"could not begin a verdict: {error.strerror}",
                where=str(target),
                hint="free some space, or --output DIR",
            ) from error

    def conclude(self, outcome: str, exit_code: int, reason: str, report_digest: str = "") -> None:
        """Write the verdict, last of all files."""
        replace(self.path / VERDICT, _verdict(outcome, exit_code, reason, report_digest))

    def write(self, name: str, content: str) -> None:
        """Write one file of the run, whole or not at all."""
        replace(self.path / name, content.encode("utf-8", "backslashreplace"))


def _verdict(outcome: str, exit_code: int, reason: str, report_digest: str = "") -> bytes:
    value = {"outcome": outcome, "exit_code": exit_code, "reason": reason, "report_sha256": report_digest}
    return json.dumps(value, sort_keys=True, indent=2, ensure_ascii=True).encode("ascii") + b"\n"
