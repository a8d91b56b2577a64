"""The baseline of a run: where it is kept, what is in it, and when a run becomes one."""

from __future__ import annotations

import sys

from mlgate.adapters import github_files
from mlgate.adapters.run_folder import RunFolder
from mlgate.core.errors import ConfigError
from mlgate.core.evidence import Evidence
from mlgate.core.outcome import Outcome
from mlgate.core.ports import BaselineStore
from mlgate.core.report import Report
from mlgate.flow.check import look_up
from mlgate.flow.judge import Baseline
from mlgate.wiring.choice import Choice
from mlgate.wiring.project import Project
from mlgate.wiring.tell import tell


def store_of(choice: Choice, project: Project, folder: RunFolder) -> BaselineStore | None:
    """Return the baseline's store. What could never be saved is told before anything is asked."""
    store = project.baseline_store()
    if store is None and choice.save_baseline:
        raise ConfigError(
            "there is no `baseline:` section to save to", where=str(project.config.path), hint=project.BASELINE_HINT
        )
    path = project.baseline_path
    if path is not None and path.resolve().is_relative_to(folder.path.resolve()):
        raise ConfigError(
            "the baseline lies in the output folder, which every run writes anew",
            where=project.config.where("baseline", "path"),
            hint="keep it beside mlgate.yaml: baseline.jsonl.gz",
        )
    return store


def baseline_of(project: Project, choice: Choice) -> Baseline | None:
    """Load the configured baseline; one that runs beside the candidate is in the same evidence."""
    if project.beside:
        why = "it was not observed in this run: this evidence was made without it"
        return Baseline(project.beside, None, why, bootstrap=choice.bootstrap)
    store, first = project.baseline_store(), choice.save_baseline or project.compares_first
    return None if store is None else look_up(store, first=first, bootstrap=choice.bootstrap)


def save(store: BaselineStore, evidence: Evidence, report: Report) -> None:
    """Make evidence the baseline when its verdict passes and no comparison says worse, not even as a warning."""
    compared = [f for f in report.findings if f.rule.bound.compares]
    held = all(f.outcome is Outcome.PASSED or f.topic in ("no-baseline", "unusable-baseline") for f in compared)
    if report.outcome.blocks or not held:
        tell(sys.stderr, "mlgate: the baseline stays what it was: only a model that is not worse becomes one")
        return
    store.save(evidence)
    github_files.write_outputs({"baseline-kept": "true"})
    tell(sys.stdout, f"baseline saved: {store.source}")
