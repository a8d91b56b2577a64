"""The baseline as an evidence file in the project."""

from __future__ import annotations

from pathlib import Path

from mlgate.adapters import evidence_file
from mlgate.core.evidence import Evidence


class FileBaseline:
    """Evidence of the last accepted model, in a file that is reviewed and committed like any other."""

    def __init__(self, path: Path, shown: str) -> None:
        self._path = path
        self._shown = shown

    @property
    def source(self) -> str:
        """Return where it is, as the configuration names it."""
        return f"file {self._shown}"

    def load(self) -> Evidence | None:
        """Return the evidence, or None when there is no such file."""
        return evidence_file.read(self._path) if self._path.exists() else None

    def save(self, evidence: Evidence) -> None:
        """Replace the file, atomically."""
        evidence_file.write(self._path, evidence)
