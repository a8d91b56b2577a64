"""Joining the evidence of a run's parts, here or in CI, and judging the whole."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from mlgate.adapters.files import evidence_file
from mlgate.adapters.terminal.output import tell
from mlgate.commands.ci_jobs import CiJobs, because, evidence_in
from mlgate.commands.finish import finish
from mlgate.commands.run import Run, recorded
from mlgate.commands.run_options import RunOptions
from mlgate.core.errors import EvidenceError, GateError
from mlgate.core.evidence import Evidence
from mlgate.flow.merge import merge, refuse_foreign
from mlgate.reports.content.escape import terminal
from mlgate.wiring.project import Project


def run_merge(choice: RunOptions, paths: Sequence[Path], needs: CiJobs | None = None) -> int:
    """Join shards and judge the whole; *needs* says what the jobs that sent them came to.

    A job that did not do what was planned blocks, even where its evidence is whole.
    """
    folder = choice.folder
    files, missing = _files_in(paths)
    digests = {path: _digest(path) for path in files}
    read = [(str(path), _readable(path)) for path in files]  # first: one may lie in the folder that begins anew
    with recorded(folder, choice.config):
        run = Run.prepare(choice, folder, files)
        if needs is not None:
            needs.vouch(digests)
        troubles = needs.troubles(run.project, digests.values()) if needs is not None else ()
        if missing is not None:
            raise EvidenceError(because(missing.message, troubles), where=missing.where, hint=missing.hint)
        evidence, notices = _merge(run.project, read)
        return finish(run, evidence, notices=notices, troubles=troubles)


def _merge(project: Project, read: Sequence[tuple[str, Callable[[int], Evidence]]]) -> tuple[Evidence, Sequence[str]]:
    """Return the evidence of all parts, and what the report should say of them."""
    evidence, notices = merge([(name, part(project.suite.most_rows)) for name, part in read])
    refuse_foreign(evidence, project.provenance_beside(evidence.provenance))
    evidence = project.secrets.evidence(evidence)  # a job that observed may have known fewer
    for notice in notices:
        tell(sys.stderr, f"mlgate: notice: {terminal(notice)}")
    return evidence, (*notices, *_attempts(evidence))


def _attempts(evidence: Evidence) -> tuple[str, ...]:
    """Return a notice where parts were observed in several attempts: a second look at one part is a second chance."""
    found = sorted({dict(one.versions).get("attempt", "1") for one in evidence.environments})
    several = f"parts of this run are of attempts {' and '.join(found)}: some jobs were run again"
    return (several,) if len(found) > 1 else ()


def _files_in(paths: Sequence[Path]) -> tuple[tuple[Path, ...], EvidenceError | None]:
    try:
        return evidence_in(paths), None
    except EvidenceError as error:
        return (), error


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
