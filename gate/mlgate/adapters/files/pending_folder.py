"""Verdicts that no server has yet: written here before one is asked, and taken away when it has them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlgate.adapters.files import safe_file
from mlgate.core.check import Json, digest_of
from mlgate.core.errors import AdapterError, EvidenceError
from mlgate.core.tracking.record import DataUsed, TrackingRecord

PENDING = "pending"
RECORD = "record.json"
_FORMAT = "mlgate.record/1"
_SUM = "sha256"
"""Of the rest of record.json, in the one canonical form: against damage, not against people."""
_LARGEST_FILE = 1 << 30
_KEY_NAME = re.compile(r"[0-9a-f]{64}")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


class PendingFolder:
    """`.mlgate/pending/`: a folder a verdict, by its key."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, record: TrackingRecord) -> None:
        """Write *record*; its own file last, so that a cut-off one is none. The same key replaces."""
        folder = self._of(record.key)
        odd = next((name for name in record.files if not _is_file_name(name)), None)
        if odd is not None:
            raise EvidenceError(f"a verdict's file cannot be called {odd[:80]!r}")
        if self.path.is_symlink():  # the tree may have brought it
            raise AdapterError(
                "the folder of waiting verdicts is a symbolic link", where=str(self.path), hint="remove it"
            )
        self._make_room(folder)
        for name, content in record.files.items():
            safe_file.write(folder / name, content)
        files = {name: _digest(content) for name, content in record.files.items()}
        said: dict[str, Json] = {
            "format": _FORMAT,
            "key": record.key,
            "name": record.name,
            "verdict": record.verdict,
            "evidence": record.evidence,
            "began": record.began,
            "params": record.params,
            "metrics": record.metrics,
            "tags": record.tags,
            "data": [_data_as_json(one) for one in record.data],
            "files": files,
        }
        text = json.dumps({**said, _SUM: digest_of(said)}, sort_keys=True, indent=2, ensure_ascii=True, allow_nan=False)
        safe_file.write(folder / RECORD, text.encode("ascii") + b"\n")

    def remove(self, key: str) -> None:
        """Take a verdict away that a server has. Where a link leads lies nothing of ours."""
        folder = self._of(key)
        if not self.path.is_symlink():
            self._make_room(folder)

    def keys(self) -> Sequence[str]:
        """Return the keys of the verdicts that wait, in order."""
        if self.path.is_symlink() or not self.path.is_dir():
            return ()
        try:
            return sorted(one.name for one in self.path.iterdir() if _KEY_NAME.fullmatch(one.name) and _is_whole(one))
        except OSError as error:
            raise AdapterError(
                f"could not look for waiting verdicts: {error.strerror}", where=str(self.path)
            ) from error

    def read(self, key: str) -> TrackingRecord:
        """Return one verdict. What is not what was written is an EvidenceError, and stays."""
        folder = self._of(key)
        try:
            _demand_own(self.path)
            said = _verified_content(folder)
            files = {name: _content(folder, name, digest) for name, digest in said["files"].items()}
            record = _record(said, files)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
            raise EvidenceError(
                f"a waiting verdict cannot be read: {error}", where=str(folder), hint="delete it, and run mlgate check"
            ) from error
        if record.key != key:
            raise EvidenceError("a waiting verdict lies under another one's name", where=str(folder))
        return record

    def _of(self, key: str) -> Path:
        if not _KEY_NAME.fullmatch(key):
            raise EvidenceError(f"{key[:80]!r} is no verdict's key")
        return self.path / key

    def _make_room(self, folder: Path) -> None:
        try:
            if folder.is_symlink() or folder.is_file():
                folder.unlink()
            elif folder.exists():
                with contextlib.suppress(OSError):  # what hinders this hinders the next, too, which says so
                    (folder / RECORD).unlink()  # first: half of one is none
                shutil.rmtree(folder)
        except OSError as error:
            raise AdapterError(f"could not put a waiting verdict away: {error.strerror}", where=str(folder)) from error


def _is_whole(folder: Path) -> bool:
    return not folder.is_symlink() and (folder / RECORD).is_file()


def _is_file_name(name: str) -> bool:
    return _FILE_NAME.fullmatch(name) is not None and name != RECORD


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _demand_own(folder: Path) -> None:
    if folder.is_symlink():  # the tree may have brought it
        raise ValueError(f"{folder.name} is a symbolic link")


def _verified_content(folder: Path) -> dict[str, Any]:
    _demand_own(folder)
    said: dict[str, Any] = json.loads(safe_file.read(folder / RECORD, _LARGEST_FILE))
    if said.pop(_SUM) != digest_of(said):
        raise ValueError(f"{RECORD} was changed")
    return said


def _content(folder: Path, name: str, digest: str) -> bytes:
    if not _is_file_name(name):
        raise ValueError(f"{name[:80]!r} is no file's name")
    content = safe_file.read(folder / name, _LARGEST_FILE)
    if _digest(content) != digest:
        raise ValueError(f"{name} was changed")
    return content


def _record(said: Mapping[str, Any], files: Mapping[str, bytes]) -> TrackingRecord:
    if said["format"] != _FORMAT:
        raise ValueError(f"unknown format {str(said['format'])[:80]!r}")
    return TrackingRecord(
        key=str(said["key"]),
        name=str(said["name"]),
        verdict=str(said["verdict"]),
        evidence=str(said["evidence"]),
        began=int(said["began"]),
        params=_texts(said["params"]),
        metrics={str(name): float(value) for name, value in said["metrics"].items()},
        tags=_texts(said["tags"]),
        data=tuple(
            DataUsed(one["check"], one["digest"], one["source"], one["examples"], one["version"])
            for one in said["data"]
        ),
        files=files,
    )


def _data_as_json(data: DataUsed) -> Json:
    return {
        "check": data.check,
        "digest": data.digest,
        "source": data.source,
        "examples": data.examples,
        "version": data.version,
    }


def _texts(value: Mapping[str, Any]) -> Mapping[str, str]:
    return {str(name): str(text) for name, text in value.items()}
