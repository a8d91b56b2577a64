"""Joining the evidence of a run's parts, here or in CI, and judging the whole."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from mlgate.adapters.files import evidence_file
from mlgate.adapters.files.run_folder import EVIDENCE
from mlgate.adapters.terminal.output import tell
from mlgate.commands import baseline
from mlgate.commands.baseline import baseline_of
from mlgate.commands.ci_jobs import CiJobs, evidence_in
from mlgate.commands.finish import finish
from mlgate.commands.run_options import RunOptions, recorded
from mlgate.core.errors import EvidenceError, GateError
from mlgate.core.evidence import Evidence
from mlgate.flow.judge import judge
from mlgate.flow.merge import merge, refuse_foreign
from mlgate.reports.content.escape import terminal
from mlgate.wiring.evidence_source import refuse_brought
from mlgate.wiring.project import KINDS


def run_merge(choice: RunOptions, paths: Sequence[Path], needs: CiJobs | None = None) -> int:
    """Join shards and judge the whole; *needs* says what the jobs that sent them came to.

    A job that did not do what was planned blocks, even where its evidence is whole.
    """
    folder = choice.folder
    files, trouble = _found(paths)
    digests = {path: _digest(path) for path in files}
    read = [(str(path), _readable(path)) for path in files]  # first: one may lie in the folder that begins anew
    with recorded(folder, choice.config):
        project = choice.project()
        choice = choice.saving(project)
        for path in files:
            refuse_brought(project.root, path, project.binding.base)
        store = baseline.store_of(choice, project, folder)
        if needs is not None:
            needs.vouch(digests)
        troubles = needs.troubles(project, digests.values()) if needs is not None else ()
        if trouble is not None:
            raise EvidenceError(_because(trouble.message, troubles), where=trouble.where, hint=trouble.hint)
        evidence, notices = merge([(name, part(project.suite.most_rows)) for name, part in read])
        refuse_foreign(evidence, project.provenance_beside(evidence.provenance))
        evidence = project.secrets.evidence(evidence)  # a job that observed may have known fewer
        for notice in notices:
            tell(sys.stderr, f"mlgate: notice: {terminal(notice)}")
        notices += _attempts(evidence)
        report = judge(project.suite, KINDS, evidence, baseline_of(project, choice))
        if troubles and not report.outcome.blocks:
            said = "all evidence is here and passes, but not all jobs ended well"
            raise EvidenceError(_because(said, troubles), hint="look at that job's log, and run it again")
        report = replace(report, notices=(*troubles, *notices, *report.notices))
        evidence_file.write(folder.own(EVIDENCE), evidence)
        return finish(evidence, report, project, folder, store if choice.save_baseline else None)


def _attempts(evidence: Evidence) -> tuple[str, ...]:
    """Return a notice where parts were observed in several attempts: a second look at one part is a second chance."""
    found = sorted({dict(one.versions).get("attempt", "1") for one in evidence.environments})
    several = f"parts of this run are of attempts {' and '.join(found)}: some jobs were run again"
    return (several,) if len(found) > 1 else ()


def _found(paths: Sequence[Path]) -> tuple[tuple[Path, ...], EvidenceError | None]:
    try:
        return evidence_in(paths), None
    except EvidenceError as error:
        return (), error


def _because(said: str, troubles: Sequence[str]) -> str:
    return f"{said}: {'; '.join(troubles)}" if troubles else said


def _digest(path: Path) -> str:
    """Return a file's digest; of one that is no file, or cannot be read, nothing that a job could vouch for."""
    try:
        return evidence_file.digest(path)
    except (GateError, OSError):
        return ""


def _readable(path: Path) -> Callable[[int], Evidence]:
    """Take an evidence file's bytes now; decode them, and say what is wrong, when it is known how many may be there."""
    try:
        content = evidence_file.content_of(path)
    except GateError as error:
        wrong = error
    else:
        return lambda most: evidence_file.parse(content, str(path), most)

    def fail(most: int) -> Evidence:  # noqa: ARG001 - as the other one
        raise wrong

    return fail
