"""The baseline of a run: where it is kept, what is in it, and when a run becomes one."""

from __future__ import annotations

import sys

from mlgate.adapters.files.run_folder import RunFolder
from mlgate.adapters.github import step_files
from mlgate.adapters.terminal.output import tell
from mlgate.commands.run_options import RunOptions
from mlgate.config.sections.kept_baseline import KeptBaseline
from mlgate.config.sections.mlflow_baseline import MlflowBaseline
from mlgate.core.errors import ConfigError
from mlgate.core.evidence import Evidence
from mlgate.core.ports import BaselineStore
from mlgate.core.report import Report
from mlgate.flow.baseline_eligibility import refusal
from mlgate.flow.check import look_up
from mlgate.flow.fitting import Use
from mlgate.flow.judge import Baseline
from mlgate.flow.promotion import CANDIDATE
from mlgate.wiring.project import Project


def store_of(choice: RunOptions, project: Project, folder: RunFolder) -> BaselineStore | None:
    """Return the baseline's store. What could never be saved is told before anything is asked."""
    store = project.baseline_store()
    if store is None and choice.save_baseline:
        raise ConfigError(
            "there is no `baseline:` section to save to", where=str(project.config.path), hint=project.BASELINE_HINT
        )
    kept = project.config.baseline
    if choice.save_baseline and isinstance(kept, MlflowBaseline) and (kept.version or kept.run):
        raise ConfigError(
            "the baseline is one version for good, and cannot become another one",
            where=project.config.where("baseline"),
            hint="follow an alias: baseline: {from: mlflow, alias: champion}",
        )
    if choice.save_baseline and isinstance(kept, MlflowBaseline) and kept.chosen_alias == CANDIDATE:
        raise ConfigError(
            f"{CANDIDATE} is whatever was registered last, approved or not",
            where=project.config.where("baseline"),
            hint="follow another alias: baseline: {from: mlflow, alias: champion}",
        )
    path = project.baseline_path
    if path is not None and path.resolve().is_relative_to(folder.path.resolve()):
        raise ConfigError(
            "the baseline lies in the output folder, which every run writes anew",
            where=project.config.where("baseline", "path"),
            hint="keep it beside mlgate.yaml: baseline.jsonl.gz",
        )
    return store


def baseline_of(project: Project, choice: RunOptions) -> Baseline | None:
    """Load the configured baseline; one that runs beside the candidate is in the same evidence."""
    if project.beside:
        why = "it was not observed in this run: this evidence was made without it"
        return Baseline(project.beside, None, why, bootstrap=choice.bootstrap)
    store, first = project.baseline_store(), choice.save_baseline or project.binding.own_baseline
    return None if store is None else look_up(store, first=first, bootstrap=choice.bootstrap, use=use_of(project))


def use_of(project: Project) -> Use:
    """Return what the file compares where the data moved since the baseline was observed."""
    kept = project.config.baseline
    return Use.COMMON if isinstance(kept, KeptBaseline) and kept.compare == "common" else Use.SAME


def baseline_of_part(project: Project, choice: RunOptions) -> Baseline | None:
    """Return the baseline for a job that only observes. Neither MLflow nor GitHub is asked: such a job has no keys.

    What a part needs a baseline for are times, and those are never held against another run's.
    """
    if project.is_kept_by_ci or isinstance(project.config.baseline, MlflowBaseline):
        return Baseline("MLflow or CI", None, "a part of a run is not judged", bootstrap=choice.bootstrap)
    return baseline_of(project, choice)


def save(store: BaselineStore, evidence: Evidence, report: Report) -> None:
    """Make evidence the baseline when its verdict passes and no comparison says worse, not even as a warning."""
    if refusal(report):
        tell_stays()
        return
    store.save(evidence)
    tell_kept(f"baseline saved: {store.source}")


def tell_stays() -> None:
    """Tell a person that this run is not what the next ones are held against."""
    tell(sys.stderr, "mlgate: the baseline stays what it was: only a model that is not worse becomes one")


def tell_kept(said: str) -> None:
    """Tell a person, and the workflow, that the next runs are held against this one."""
    step_files.write_outputs({"baseline-kept": "true"})
    tell(sys.stdout, said)
