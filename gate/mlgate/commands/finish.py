"""The end of a run, whoever observed: judge, keep the evidence, publish, log, write the verdict, save the baseline."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mlgate.adapters.files import evidence_file
from mlgate.adapters.files.run_folder import EVIDENCE, RunFolder
from mlgate.adapters.process import clock
from mlgate.adapters.terminal.output import tell
from mlgate.commands import baseline, promote, track
from mlgate.commands.ci_jobs import because
from mlgate.commands.publish import desk_of, publish, tell_github
from mlgate.commands.run import Run
from mlgate.config.sections.mlflow_baseline import MlflowBaseline
from mlgate.core.errors import EvidenceError, GateError
from mlgate.core.evidence import Evidence, Gap
from mlgate.core.ports import BaselineStore
from mlgate.core.report import Report
from mlgate.core.tracking.record import LoggedRun
from mlgate.flow.asking_again import can_help
from mlgate.flow.baseline_eligibility import refusal
from mlgate.flow.judge import judge
from mlgate.flow.promotion import CANDIDATE, CHAMPION
from mlgate.wiring.kinds import KINDS
from mlgate.wiring.mlflow import Mlflow
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


def finish(
    run: Run,
    evidence: Evidence,
    *,
    notices: Sequence[str] = (),
    troubles: Sequence[str] = (),
    journal: str = "",
    is_sealed: bool = False,
) -> int:
    """Judge the evidence, seal it, publish the report, log it, write the verdict; then save the baseline, if asked.

    Return the exit code. *notices* and *troubles*: what the report has to say of the jobs that observed. *journal*: the
    file that has the rows until they are sealed; *is_sealed*: they are, for no file had them.
    """
    project, folder = run.project, run.folder
    report = _judge(run, evidence, notices, troubles)
    if not is_sealed:
        seal(evidence, folder, EVIDENCE, journal)
    report = project.complete(report, evidence)
    saved = run.store is not None and not refusal(report)
    desk = desk_of(run.choice, asking_helps=can_help(evidence.rows.values()))
    content = publish(report, folder, project.config.report, sys.stdout, sys.stderr, saved=saved, desk=desk)
    digest = hashlib.sha256(content).hexdigest()
    outcome, code, reason = report.outcome.name.lower(), report.outcome.exit_code, report.reason
    logged = _log_to_mlflow(report, content, project, folder)
    if isinstance(logged, GateError) and project.memory and project.memory.section.required and not code:
        outcome, code = "errored", 3
        reason = f"{report.outcome.name.lower()}, but tracking is required and failed: {logged.message}"
        tell(sys.stderr, "mlgate: `required: true`: a verdict that is not logged does not pass")
    folder.conclude(outcome, code, reason, digest, clock.now())  # before anything is promoted: a disk may be full
    if run.store is not None and code in (0, report.outcome.exit_code):
        _accept(FinishedRun(evidence, report, digest, logged), project, run.store)
    tell_github(outcome, code, folder)
    return code


def _judge(run: Run, evidence: Evidence, notices: Sequence[str], troubles: Sequence[str]) -> Report:
    """Judge. Raises EvidenceError for evidence that passes where jobs have *troubles*."""
    report = judge(run.project.suite, KINDS, evidence, run.baseline)
    if troubles and not report.outcome.blocks:
        said = "all evidence is here and passes, but not all jobs ended well"
        raise EvidenceError(because(said, troubles), hint="look at that job's log, and run it again")
    return replace(report, notices=(*troubles, *notices, *report.notices))


def seal(evidence: Evidence, folder: RunFolder, name: str, journal: str = "") -> None:
    """Write the evidence's file; its *journal* has done its duty when nothing is left to ask."""
    evidence_file.write(folder.own(name), evidence)
    if journal and not any(isinstance(row, Gap) for row in evidence.rows.values()):
        folder.own(journal).unlink(missing_ok=True)


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
        _promote(ended, logged, project, project.memory)
    else:
        tell(sys.stderr, "mlgate: notice: the model is not promoted: mlgate sync, then mlgate promote")


def _promote(ended: FinishedRun, logged: LoggedRun, project: Project, memory: Mlflow) -> None:
    """Make the model a version, and the champion; where the file has `deploy`, the cluster says when it is that."""
    waits = project.config.document.deploy is not None
    kept = project.config.baseline
    chosen = kept.chosen_alias if isinstance(kept, MlflowBaseline) else None
    try:
        done = promote.promote(
            memory,
            ended.report,
            ended.digest,
            logged,
            CANDIDATE if waits else chosen or CHAMPION,
            image=promote.image_of(project.config),
            form=ended.evidence.form,
            model_before=project.model_before(ended.report.provenance.model),
            again=False,
        )
    except GateError as error:  # e.g. it waits for approval: that is no part of the verdict
        tell(sys.stderr, f"mlgate: notice: the model is not promoted: {error}")
        return
    said = promote.said(done, memory)
    if waits:
        tell(sys.stdout, f"{said}\n  next: mlgate deploy; {memory.alias} moves when the cluster has confirmed")
    else:
        baseline.tell_kept(said)
