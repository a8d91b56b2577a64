"""The configuration as the rest of the gate sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlgate.config.sections.check import Check
from mlgate.config.sections.document import Baseline, Document
from mlgate.config.sections.model import ModelSection
from mlgate.config.sections.paired_baseline import EndpointBaseline, ImageBaseline, beside
from mlgate.config.sections.tracking import MlflowTracking
from mlgate.config.validate.metric_choice import ResolvedCheck
from mlgate.config.yaml.position import Positions


@dataclass(frozen=True, slots=True)
class Config:
    """One mlgate.yaml that was found to be sound, and where each of its entries is written."""

    path: Path
    """The file, as the user gave it."""
    root: Path
    """The folder that its paths are relative to."""
    document: Document
    positions: Positions
    resolved: Mapping[str, ResolvedCheck] = field(repr=False, compare=False)
    """What each check measures and by which rules, by id."""
    past: ModelSection | None = None
    """The accepted model that runs beside the candidate, where it is not the one that `document` describes."""

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
    def baseline_model(self) -> ModelSection | None:
        """Return the accepted model that runs beside the candidate; None without one, or with kept evidence."""
        kept = self.document.baseline
        if self.past is not None:
            return self.past
        return beside(self.model, kept) if isinstance(kept, ImageBaseline | EndpointBaseline) else None

    def is_duet(self, check_id: str) -> bool:
        """Return whether the check is held against a baseline that runs beside the candidate."""
        if not isinstance(self.document.baseline, ImageBaseline | EndpointBaseline):
            return False
        return any(one.rule.compares for one in self.resolved[check_id].rules)

    @property
    def report(self) -> tuple[str, ...]:
        """Return the reports to write."""
        return self.document.report

    @property
    def tracking(self) -> MlflowTracking | None:
        """Return where verdicts are remembered, if the file says so."""
        return self.document.tracking.mlflow if self.document.tracking else None

    def where(self, *steps: str | int) -> str:
        """Return `file:line:column` of an entry: `config.where("checks", "summaries", "data")`."""
        return self.positions.where(steps)
