"""The end of a run: its report is published and remembered, its verdict written; then it is the baseline, if asked."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass

from mlgate.adapters.files.run_folder import RunFolder
from mlgate.adapters.terminal.output import tell
from mlgate.commands import baseline, promote, track
from mlgate.commands.publish import publish, tell_github
from mlgate.config.sections.mlflow_baseline import MlflowBaseline
from mlgate.core.errors import GateError
from mlgate.core.evidence import Evidence
from mlgate.core.ports import BaselineStore
from mlgate.core.report import Report
from mlgate.core.tracking.record import LoggedRun
from mlgate.flow.baseline_eligibility import refusal
from mlgate.flow.promotion import CHAMPION
from mlgate.wiring.project import Project


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run that is published, and perhaps logged."""

    evidence: Evidence
    report: Report
    digest: str
    """SHA-256 of report.json."""
    logged: LoggedRun | GateError | None
    """Why it is not; None where nothing is to be logged."""


def finish(evidence: Evidence, report: Report, project: Project, folder: RunFolder, store: BaselineStore | None) -> int:
    """Publish a report, log it, write its verdict; then keep it as the baseline in *store*. Return the exit code."""
    report = project.complete(report, evidence)
    saved = store is not None and not refusal(report)
    content = publish(report, folder, project.config.report, sys.stdout, sys.stderr, saved=saved)
    digest = hashlib.sha256(content).hexdigest()
    outcome, code, reason = report.outcome.name.lower(), report.outcome.exit_code, report.reason
    logged = _log_to_mlflow(report, content, project, folder)
    if isinstance(logged, GateError) and project.memory and project.memory.section.required and not code:
        outcome, code = "errored", 3
        reason = f"{report.outcome.name.lower()}, but tracking is required and failed: {logged.message}"
        tell(sys.stderr, "mlgate: `required: true`: a verdict that is not logged does not pass")
    folder.conclude(outcome, code, reason, digest)  # before anything is promoted: a disk may be full
    if store is not None and code in (0, report.outcome.exit_code):
        _accept(FinishedRun(evidence, report, digest, logged), project, store)
    tell_github(outcome, code, folder)
    return code


def _log_to_mlflow(report: Report, content: bytes, project: Project, folder: RunFolder) -> LoggedRun | GateError | None:
    if project.memory is None:
        return None
    return track.remember(project.memory, track.record_of(report, content, project, folder), folder)


def _accept(ended: FinishedRun, project: Project, store: BaselineStore) -> None:
    kept, logged = project.config.baseline, ended.logged
    if not isinstance(kept, MlflowBaseline):
        baseline.save(store, ended.evidence, ended.report)
        return
    if refusal(ended.report):
        baseline.tell_stays()
    elif kept.latest:
        tell(sys.stdout, f"the next runs are held against the last pass of {kept.latest}, without being saved")
    elif project.memory is not None and isinstance(logged, LoggedRun):
        try:
            done = promote.promote(
                project.memory,
                ended.report,
                ended.digest,
                logged,
                kept.chosen_alias or CHAMPION,
                image=promote.image_of(project.config),
                form=ended.evidence.form,
                model_before=project.model_before(ended.report.provenance.model),
                again=False,
            )
        except GateError as error:  # e.g. it waits for approval: that is no part of the verdict
            tell(sys.stderr, f"mlgate: notice: the model is not promoted: {error}")
        else:
            baseline.tell_kept(promote.said(done, project.memory))
    else:
        tell(sys.stderr, "mlgate: notice: the model is not promoted: mlgate sync, then mlgate promote")
