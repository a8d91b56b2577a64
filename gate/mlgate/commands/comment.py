"""The comment and the status that a pull request gets after its untrusted run has ended."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from mlgate.adapters.files import safe_file
from mlgate.adapters.github import workflow_run
from mlgate.adapters.github.api import Github
from mlgate.adapters.github.retries import Retries
from mlgate.adapters.github.workflow_run import WorkflowRun
from mlgate.adapters.terminal.output import tell
from mlgate.commands.publish import REPORT
from mlgate.core.errors import AdapterError, ConfigError, EvidenceError
from mlgate.core.report import Report
from mlgate.core.untrusted_report import UntrustedReport
from mlgate.reports.content.escape import command_data, terminal
from mlgate.reports.json_v1 import document as json_v1
from mlgate.reports.markdown import comment as page
from mlgate.wiring.github import client

LARGEST_REPORT = 16 << 20
"""Bytes of a report."""


def comment(
    folder: Path,
    name: str,
    *,
    status: bool,
    environ: Mapping[str, str] = os.environ,
    patience: Retries | None = None,
    out: TextIO | None = None,
) -> int:
    """Tell the pull request what the run that ended has left in *folder*; return the exit code.

    Which pull request, and how the run ended, is what GitHub says; only the report is the run's own word.
    """
    run = _run(environ)
    if run.event != "pull_request":
        return _nothing(out, environ, f"{run.name} is of {run.event}: only runs of pull_request are commented")
    hint = "give the step `env: {MLGATE_GITHUB_TOKEN: '${{ github.token }}'}`"
    with client.connect("write a comment with", hint, patience=patience, environ=environ) as line:
        github = Github(line, run.repository)
        number, why = _pull_request(github, run)
        if number is None:
            return _nothing(out, environ, why)
        heard, body = _heard(folder, name, run)

        def write() -> str:
            written = github.upsert(number, page.marker(name), body)
            return f"the comment on pull request #{number} is {written.value}"

        def mark() -> str:
            github.set_status(run.sha, f"mlgate/{name}", heard.state.value, page.description(heard), run.url)
            return f"the status mlgate/{name} is {heard.state.value}"

        _all([mark, write] if status else [write], out)
    return 0


def _all(acts: Sequence[Callable[[], str]], out: TextIO | None) -> None:
    """Carry out every act, whatever became of the one before, and say what it did; then raise the first error."""
    failed: list[AdapterError] = []
    for act in acts:
        try:
            tell(out or sys.stdout, f"mlgate: {act()}")
        except AdapterError as error:
            failed.append(error)
    for other in failed[1:]:
        tell(sys.stderr, f"mlgate: {terminal(str(other), 2000)}")
    if failed:
        raise failed[0]


def _run(environ: Mapping[str, str]) -> WorkflowRun:
    event, path = environ.get("GITHUB_EVENT_NAME", "workflow_run"), environ.get("GITHUB_EVENT_PATH", "")
    if event != "workflow_run" or not path:
        raise ConfigError(
            "a comment is written by a workflow that the end of another one starts",
            where="GITHUB_EVENT_NAME" if path else "GITHUB_EVENT_PATH",
            hint="call it in a workflow with `on: {workflow_run: {types: [completed]}}`",
        )
    return workflow_run.read(Path(path))


def _pull_request(github: Github, run: WorkflowRun) -> tuple[int | None, str]:
    """Return the number of the one open pull request whose head the run tested; else None and why there is none."""
    branch = terminal(run.branch, 100)
    if not (run.head and run.branch):
        return None, f"{run.name} is of a branch that is gone: there is nothing to comment on"
    owner = run.head.partition("/")[0]
    known = [pull for pull in github.pull_requests(owner, run.branch) if pull.head == run.head]
    same = [pull for pull in known if pull.sha == run.sha]
    if len(same) == 1:
        return same[0].number, ""
    if same:
        numbers = ", ".join(f"#{pull.number}" for pull in same)
        return None, f"{run.sha[:10]} is the head of {numbers}: which of them {run.name} is of, GitHub does not say"
    if known:
        return None, f"a newer commit than {run.sha[:10]} is there: the comment is left to its run"
    return None, f"no open pull request has the branch {branch} of {run.head}"


def _heard(folder: Path, name: str, run: WorkflowRun) -> tuple[UntrustedReport, str]:
    """Return what the run left, and the comment that says so."""
    try:
        heard = _hearsay(run, report=_report(folder / REPORT, run))
        return heard, page.render(name, heard)
    except EvidenceError as error:
        why = error.message if error.where in ("", REPORT) else f"{error.where}: {error.message}"
    except Exception as error:  # noqa: BLE001 - a hostile report may hold what no gate writes; the comment comes anyway
        why = f"{REPORT} cannot be shown: {type(error).__name__}"
    heard = _hearsay(run, why=why)
    return heard, page.render(name, heard)


def _hearsay(run: WorkflowRun, *, report: Report | None = None, why: str = "") -> UntrustedReport:
    return UntrustedReport(run.conclusion, run.url, run.name, run.is_fork, report, why)


def _report(path: Path, run: WorkflowRun) -> Report:
    """Return the report. Raises EvidenceError for what is none: all of it was written by the change under test."""
    try:
        content = safe_file.read(path, LARGEST_REPORT)
    except FileNotFoundError as error:
        raise EvidenceError(f"{REPORT} is missing from what the run left") from error
    except OSError as error:
        raise EvidenceError(f"{REPORT} cannot be read: {error.strerror}") from error
    if len(content) > LARGEST_REPORT:
        raise EvidenceError(f"{REPORT} is too large: more than {LARGEST_REPORT >> 20} MB")
    try:
        report = json_v1.parse(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise EvidenceError(f"{REPORT} is not a report: it is not UTF-8") from error
    except EvidenceError as error:
        raise EvidenceError(f"{REPORT} is not a report: {error.where}: {error.message}") from error
    if report.provenance.run not in ("", f"github-{run.id}"):
        raise EvidenceError(f"{REPORT} is of another run: {report.provenance.run[:40]}")
    return report


def _nothing(out: TextIO | None, environ: Mapping[str, str], why: str) -> int:
    """Say why nothing is written, where a person looks: on the run's page if there is one."""
    inside = environ.get("GITHUB_ACTIONS") == "true"
    line = terminal(why, 400)
    tell(out or sys.stdout, f"::notice title=mlgate::{command_data(line)}" if inside else f"mlgate: {line}")
    return 0
