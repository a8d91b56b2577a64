"""The baseline as an evidence file in the project."""

from __future__ import annotations

import os
from pathlib import Path

from mlgate.adapters.files import evidence_file
from mlgate.core.errors import EvidenceError
from mlgate.core.evidence import Evidence

ACCEPT = "accept one with `mlgate check --save-baseline`"


class FileBaseline:
    """Evidence of the last accepted model, in a file that is reviewed and committed like any other."""

    def __init__(self, path: Path, shown: str, most: int = evidence_file.MOST_ROWS, there: Path | None = None) -> None:
        self.path = path
        self.shown = shown
        self.most = most
        """Rows that it may have."""
        self._there = there or path
        """Where the evidence is read from: DVC may have a copy of it."""

    def read_from(self, there: Path) -> FileBaseline:
        """Return the same store, whose evidence is read from another file."""
        return type(self)(self.path, self.shown, self.most, there)

    @property
    def source(self) -> str:
        """Return where it is, as the configuration names it."""
        return f"file {self.shown}"

    @property
    def accept(self) -> str:
        """Return how a first baseline comes to be."""
        return ACCEPT

    def load(self) -> Evidence | None:
        """Return the evidence, or None when there is nothing at all at the path: a link to nowhere is an error."""
        return None if self._absent() else evidence_file.read(self._there, self.most)

    def _absent(self) -> bool:
        try:
            self._there.lstat()
        except FileNotFoundError:
            nearest = next(place for place in self._there.absolute().parents if os.path.lexists(place))
            if nearest.is_dir():
                return True
            raise EvidenceError(
                "a link to nowhere is where the baseline's folder belongs", where=str(nearest)
            ) from None
        except (OSError, ValueError) as error:
            raise EvidenceError(f"could not look for the baseline: {error}", where=self.shown) from error
        return False

    def save(self, evidence: Evidence) -> None:
        """Replace the file, atomically."""
        evidence_file.write(self.path, evidence)


class CiBaseline(FileBaseline):
    """Evidence of the last run on the base branch that passed: CI keeps it, and restores it before it judges."""

    @property
    def source(self) -> str:
        """Return what it is: nobody named a file."""
        return "the default branch's last run that passed"

    @property
    def accept(self) -> str:
        """Return how a first baseline comes to be."""
        return "let the gate run on the default branch once, or at a desk `mlgate check --save-baseline`"
