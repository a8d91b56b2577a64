"""`.mlgate/`: where a run's verdict, reports and evidence lie. Its first act is to reset yesterday's verdict."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlgate.adapters.files import safe_file
from mlgate.core.errors import AdapterError, EvidenceError, Refused

FOLDER_NAME = ".mlgate"
VERDICT = "verdict.json"
EVIDENCE = "evidence.jsonl.gz"
"""Put aside when the next run begins: what a run observed is never thrown away by the start of another."""
STATEMENT, PREDICATE = "statement.json", "predicate.json"
"""What `mlgate attest` writes for a signer: the whole statement, and its predicate alone."""
ATTESTATIONS = ("verdict.dsse.json", "verdict.sigstore.json")
"""The verdict's attestations, by where a deploy looks for them: signed by a key, and by a workflow's identity."""
STALE = (
    *("report.json", "junit.xml", "summary.md", "model.log", "baseline.log"),
    *(STATEMENT, PREDICATE, *ATTESTATIONS),
)
"""What would speak for an older run beside an incomplete verdict."""


NOT_BEGUN = "a run was started here, and has not begun to observe"

_LARGEST_FILE = 1 << 20


@dataclass(frozen=True, slots=True)
class Concluded:
    """A verdict as it is written: the words of its report are elsewhere."""

    outcome: str
    exit_code: int
    report: str
    """SHA-256 of report.json; empty when none was written."""
    judged: str = ""
    """When, ISO 8601 in UTC; empty where an older mlgate wrote it, or nothing was judged."""


class RunFolder:
    """One run's folder, held against other runs by a lock.

    The folder may come with a hostile tree: what lies where its own files belong is neither followed nor waited for.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = -1
        """Of the folder while it is held: so its number is given to no other one."""

    @classmethod
    def beside(cls, config: Path, output: Path | None = None) -> RunFolder:
        """Return the folder that a run writes into: *output*, or `.mlgate` beside the configuration."""
        return cls(output if output is not None else config.parent / FOLDER_NAME)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder for this process; a second run in the same folder is an AdapterError."""
        try:
            lock = self._made()
        except OSError as error:
            raise AdapterError(
                f"could not make the output folder: {error.strerror}",
                where=str(self.path),
                hint=safe_file.next_step(error),
            ) from error
        try:
            self._lock_exclusively(lock)
            self._descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            yield
        except OSError as error:
            if self._descriptor >= 0:
                raise
            raise AdapterError(
                f"could not hold this folder: {error.strerror}", where=str(self.path), hint="name one: --output DIR"
            ) from error
        finally:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1
            os.close(lock)

    def own(self, name: str) -> Path:
        """Return where a file of the run lies, to be written or read. While the folder is held it has to be the same.

        One that was removed is made anew. Raises Refused where another one, or a link, lies in its place.
        """
        if self._descriptor >= 0 and not self._still_held():
            raise Refused(
                "the output folder was replaced while the run was held there: nothing is written through what is there",
                where=str(self.path),
                hint="remove it, and see what replaced it: the model or a test may do so; then run again",
            )
        return self.path / name

    def _still_held(self) -> bool:
        """Return whether the folder that is held lies here. Where none does, a new one is made and held instead."""
        held = os.fstat(self._descriptor)
        try:
            here = self.path.lstat()
        except FileNotFoundError:
            try:
                self.path.mkdir(parents=True)
                descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            except OSError:
                return False
            os.close(self._descriptor)
            self._descriptor = descriptor
            return True
        except OSError:
            return False
        return (here.st_dev, here.st_ino) == (held.st_dev, held.st_ino)

    def _made(self) -> int:
        """Make the folder and return its open lock file."""
        if self.path.is_symlink():
            raise AdapterError(
                "the output folder is a symbolic link", where=str(self.path), hint="name the real folder: --output DIR"
            )
        self.path.mkdir(parents=True, exist_ok=True)
        ignore, lock = self.path / ".gitignore", self.path / "lock"
        for file in (ignore, lock):
            safe_file.clear(file)
        with contextlib.suppress(OSError):  # it is there already, or the folder will do without
            descriptor = safe_file.opened(ignore, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            with os.fdopen(descriptor, "wb") as opened:
                opened.write(b"*\n")
        return safe_file.opened(lock, os.O_RDWR | os.O_CREAT)

    def _lock_exclusively(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AdapterError(
                "another run holds this folder", where=str(self.path), hint="wait for it, or name one: --output DIR"
            ) from error
        except OSError as error:
            raise AdapterError(
                f"could not hold this folder: {error.strerror}", where=str(self.path), hint="name one: --output DIR"
            ) from error

    def begin(self, reason: str) -> None:
        """Say `incomplete` before anything else, then put away what an older run left."""
        self._overwrite(_verdict("incomplete", 3, reason))
        self.put_aside(EVIDENCE)
        self._forget()

    def reset_verdict(self) -> None:
        """Make an older run's verdict incomplete, and its reports gone, as soon as a run is asked for.

        Its evidence stays until `begin`: it may be what the run is to read. Another run's folder is an AdapterError and
        stays as it is; one that is not there, or is a link, is left to `held`.
        """
        if self.path.is_symlink() or not self.path.is_dir():
            return
        with self.held():
            self._overwrite(_verdict("incomplete", 3, NOT_BEGUN))
            self._forget()

    def _forget(self) -> None:
        try:
            for name in STALE:
                (self.path / name).unlink(missing_ok=True)
        except OSError as error:
            raise _in_the_way(self.path, error) from error

    def put_aside(self, name: str) -> None:
        """Rename an older run's file: `x.jsonl.gz` to `x.previous.jsonl.gz`. One that is not there is fine."""
        file, (stem, dot, endings) = self.path / name, name.partition(".")
        try:
            safe_file.clear(file)
            with contextlib.suppress(FileNotFoundError):
                file.replace(self.path / f"{stem}.previous{dot}{endings}")
        except OSError as error:
            raise _in_the_way(file, error) from error

    def _overwrite(self, text: bytes) -> None:
        """Overwrite the verdict in place: on a full disk a replace would leave the old one."""
        target = self.path / VERDICT
        try:
            safe_file.clear(target)
            with contextlib.suppress(FileNotFoundError):
                if target.lstat().st_nlink > 1:  # a second name of somebody else's file
                    target.unlink()
            descriptor = safe_file.opened(target, os.O_WRONLY | os.O_CREAT)
            try:
                os.ftruncate(descriptor, 0)
                os.write(descriptor, text)
            finally:
                os.close(descriptor)
        except OSError as error:
            with contextlib.suppress(OSError):
                target.unlink(missing_ok=True)
            raise AdapterError(
                f"could not begin a verdict: {error.strerror}", where=str(target), hint=safe_file.next_step(error)
            ) from error

    def conclude(self, outcome: str, exit_code: int, reason: str, report_digest: str = "", judged: str = "") -> None:
        """Write the verdict, last of all files; *judged*: when, where it is one."""
        safe_file.write(self.own(VERDICT), _verdict(outcome, exit_code, reason, report_digest, judged))

    def verdict(self) -> Concluded:
        """Return what the last run concluded. Raises EvidenceError where no run did."""
        path = self.path / VERDICT
        try:
            said = json.loads(safe_file.read(path, _LARGEST_FILE))
            return Concluded(
                str(said["outcome"]), int(said["exit_code"]), str(said["report_sha256"]), str(said.get("judged", ""))
            )
        except FileNotFoundError as error:
            raise EvidenceError("no run has concluded here", where=str(path), hint="mlgate check") from error
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise EvidenceError(f"the verdict cannot be read: {error}", where=str(path), hint="mlgate check") from error

    def write(self, name: str, content: str) -> None:
        """Write one file of the run, whole or not at all."""
        safe_file.write(self.own(name), content.encode("utf-8", "backslashreplace"))


def _in_the_way(path: Path, error: OSError) -> AdapterError:
    return AdapterError(
        f"could not put an older run's files away: {error.strerror}", where=str(path), hint=safe_file.next_step(error)
    )


def _verdict(outcome: str, exit_code: int, reason: str, report_digest: str = "", judged: str = "") -> bytes:
    value = {"outcome": outcome, "exit_code": exit_code, "reason": reason, "report_sha256": report_digest}
    value |= {"judged": judged} if judged else {}
    return json.dumps(value, sort_keys=True, indent=2, ensure_ascii=True).encode("ascii") + b"\n"
