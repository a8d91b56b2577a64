"""The configuration as the rest of the gate sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlgate.config.check_section import Check
from mlgate.config.document import Baseline, Document
from mlgate.config.model_section import ModelSection
from mlgate.config.position import Positions


@dataclass(frozen=True, slots=True)
class Config:
    """One mlgate.yaml that was found to be sound, and where each of its entries is written."""

    path: Path
    """The file, as the user gave it."""
    root: Path
    """The folder that its paths are relative to."""
    document: Document
    positions: Positions

    @property
    def model(self) -> ModelSection:
        """Return the model under test."""
        return self.document.model

    @property
    def checks(self) -> Mapping[str, Check]:
        """Return the checks by id, as written."""
        return self.document.checks

    @property
    def baseline(self) -> Baseline | None:
        """Return where the baseline is kept, if the file says so."""
        return self.document.baseline

    @property
    def report(self) -> tuple[str, ...]:
        """Return the reports to write."""
        return self.document.report

    def where(self, *steps: str | int) -> str:
        """Return `file:line:column` of an entry: `config.where("checks", "summaries", "data")`."""
        return self.positions.where(steps)
