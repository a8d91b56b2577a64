"""A verdict is remembered: written beside the run first, then in MLflow; what MLflow did not take waits."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from mlgate import __version__
from mlgate.adapters.data import dvc
from mlgate.adapters.files import evidence_file
from mlgate.adapters.files.pending_folder import PENDING, PendingFolder
from mlgate.adapters.files.run_folder import EVIDENCE, RunFolder
from mlgate.adapters.git import repository, tracked_files
from mlgate.adapters.github import environment
from mlgate.adapters.process import clock
from mlgate.adapters.terminal.output import tell
from mlgate.commands import unmerged_guard
from mlgate.commands.publish import REPORT
from mlgate.commands.run_options import RunOptions
from mlgate.config.load import load
from mlgate.config.sections.data import Data, DatasetData, FileData, LinesData
from mlgate.core.errors import GateError, Refused
from mlgate.core.outcome import Outcome
from mlgate.core.report import Report
from mlgate.core.tracking.record import DataUsed, LoggedRun, TrackingRecord
from mlgate.flow import tracking_record as flow
from mlgate.reports.content import escape
from mlgate.reports.json_v1 import document as json_v1
from mlgate.reports.markdown import report as markdown
from mlgate.reports.svg import charts
from mlgate.wiring.mlflow import Mlflow
from mlgate.wiring.project import Project

_PULL = re.compile(r"refs/pull/(\d{1,10})/")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9_-]")
_MOST_FINDINGS = 8


def remember(memory: Mlflow, record: TrackingRecord, folder: RunFolder) -> LoggedRun | GateError:
    """Log one verdict; what keeps it from being logged is told and returned, and the verdict waits in the folder."""
    pending = PendingFolder(folder.own(PENDING))
    kept = _is_kept_for_retry(pending, record)
    try:
        recorded = memory.runs.log(record)
    except GateError as error:
        waits = f"\n  it waits in {pending.path}: mlgate sync" if kept else ""
        tell(sys.stderr, f"mlgate: warning: the verdict is not logged: {error}{waits}")
        return error
    _remove_pending(pending, record.key)
    tell(sys.stdout, f"logged: {recorded.where}")
    if memory.is_unnamed and environment.here():
        tell(sys.stderr, "mlgate: notice: this store ends with the job: name one by MLFLOW_TRACKING_URI")
    others = len(pending.keys())
    if others:
        tell(sys.stderr, f"mlgate: notice: {others} older verdicts wait to be logged: mlgate sync")
    return recorded


def _remove_pending(pending: PendingFolder, key: str) -> None:
    """Take away what is logged; left behind, it is logged again, which is the same run."""
    try:
        pending.remove(key)
    except GateError as error:
        tell(sys.stderr, f"mlgate: notice: {error}")


def _is_kept_for_retry(pending: PendingFolder, record: TrackingRecord) -> bool:
    """Write the verdict beside the run, for the case that this process or the server dies; say so where it cannot."""
    try:
        pending.add(record)
    except GateError as error:
        tell(sys.stderr, f"mlgate: warning: the verdict is not kept for a later try: {error}")
        return False
    return True


def record_of(report: Report, content: bytes, project: Project, folder: RunFolder) -> TrackingRecord:
    """Return what MLflow is told of a verdict whose evidence lies in *folder*; *content* is its report.json."""
    return flow.record(
        report,
        verdict=hashlib.sha256(content).hexdigest(),
        began=clock.milliseconds(),
        data=tuple(_data(project)),
        tags={name: text for name, text in _tags(report, project).items() if text},
        files=dict(_files(report, content, folder)),
    )


def run_sync(choice: RunOptions) -> int:
    """Log what waits in the run's folder. Return the exit code: 0 when nothing waits any more."""
    unmerged_guard.refuse(choice.config.parent)  # a change names its own server
    memory, folder = Mlflow.demanded(load(choice.config)), choice.folder
    pending = PendingFolder(folder.path / PENDING)
    if tracked_files.is_brought(choice.config.parent, pending.path):
        raise Refused(
            "the waiting verdicts are committed: whoever did that made them",
            where=str(pending.path),
            hint="delete them",
        )
    keys = pending.keys()
    left = 0
    for number, key in enumerate(keys, 1):
        try:
            record = pending.read(key)
            _demand_ours(record, memory)
            _demand_true(record)
            recorded = memory.runs.log(record)
            pending.remove(key)
        except GateError as error:
            left += 1
            tell(sys.stderr, f"mlgate: {number} of {len(keys)} still waits: {error}")
        else:
            tell(sys.stdout, f"{number} of {len(keys)}: {record.name}: {recorded.where}")
    if not keys:
        tell(sys.stdout, f"nothing waits in {pending.path}")
    return 3 if left else 0


def _demand_ours(record: TrackingRecord, memory: Mlflow) -> None:
    """Raise GateError for another model's verdict: two files of one folder share what waits."""
    name = record.tags.get("mlgate.name", "")
    if name != memory.name:
        raise GateError(f"it is of the model {name[:80]!r}", hint="sync it with its own file: mlgate sync -c FILE")


def _demand_true(record: TrackingRecord) -> None:
    """Raise Refused for a record that is not what its own report and evidence say: it may come from anywhere."""
    try:
        text = record.files[REPORT]
        report = json_v1.parse(text.decode())
        most = evidence_file.older(sum(one.planned for one in report.checks))
        evidence = evidence_file.parse(record.files[EVIDENCE], EVIDENCE, most)
    except (KeyError, UnicodeDecodeError) as error:
        raise Refused("a waiting verdict has no report or no evidence") from error
    digest = hashlib.sha256(text).hexdigest()
    made = flow.record(report, verdict=digest, began=record.began, data=record.data, tags={}, files=record.files)
    said = (record.key, record.verdict, record.evidence, record.params, record.metrics)
    if (
        evidence.digest != report.evidence
        or said != (made.key, made.verdict, made.evidence, made.params, made.metrics)
        or any(record.tags.get(name) != value for name, value in made.tags.items())
        or ("mlgate.acceptable" in record.tags) != ("mlgate.acceptable" in made.tags)
    ):
        raise Refused("a waiting verdict is not what its report and its evidence say: somebody edited it")


def _files(report: Report, content: bytes, folder: RunFolder) -> Iterator[tuple[str, bytes]]:
    yield EVIDENCE, folder.own(EVIDENCE).read_bytes()
    yield REPORT, content
    yield "summary.md", markdown.render(report).encode("utf-8", "replace")
    yield "measurements.svg", charts.measurements(report).encode("utf-8", "replace")
    for one in report.loads:
        yield f"latency-{_NOT_PLAIN.sub('_', one.check)}.svg", charts.latency(one).encode("utf-8", "replace")


def _data(project: Project) -> Iterator[DataUsed]:
    for check in project.suite.checks:
        section = project.config.checks[check.id].data if check.id in project.config.checks else None
        if section is not None:
            where = _where(section)
            version = _version(project.root / where, _top(project.root))
            yield DataUsed(check.id, check.data_digest, where, len(check.examples), version)


def _where(section: Data) -> str:
    match section:
        case FileData(path=path):
            return path
        case LinesData(source=source):
            return source
        case DatasetData(dataset=name):
            return name


def _top(root: Path) -> Path:
    """Return the repository's folder, where a pointer may lie above the configuration; outside git the latter's."""
    try:
        return repository.top(root)
    except GateError:
        return root


def _version(path: Path, root: Path) -> str:
    """Return what DVC calls the data, where it does."""
    found = dvc.version_of(path, root) if path.exists() else None
    if found is None:
        return ""
    return found.text if found.matches is not False else f"{found.text}, changed since"


def _tags(report: Report, project: Project) -> Mapping[str, str]:
    run = environment.here()
    pull = _PULL.match(run.ref) if run else None
    own = run is not None and not run.is_change and run.ref.startswith("refs/heads/")
    branch = run.ref.removeprefix("refs/heads/") if run and own else ""
    commit = report.provenance.commit
    if run is None:
        branch = repository.branch(project.root)
        branch += "+dirty" if branch and commit.endswith("+dirty") else ""
    image = project.config.model.image
    facts = dict(report.loads[0].facts) if report.loads else {}
    return {
        "mlgate.version": __version__,
        "mlgate.name": project.memory.name if project.memory else "",
        "mlgate.reviewed": "true" if run and not unmerged_guard.why(project.root) else "",
        "mlgate.branch": branch,
        "mlgate.pull_request": pull[1] if pull else "",
        "mlgate.link": run.url if run else "",
        "mlgate.image": " ".join(filter(None, (image.ref, facts.get("image", "")))) if image else "",
        "mlflow.source.type": "JOB",
        "mlflow.source.name": "mlgate",
        "mlflow.source.git.commit": commit.removesuffix("+dirty"),
        "mlflow.source.git.branch": branch.removesuffix("+dirty"),
        "mlflow.note.content": "\n".join(_description(report, run.url if run else "")),
    }


def _description(report: Report, link: str) -> Iterator[str]:
    """Yield what MLflow shows as a run's description, in Markdown: why, and every finding that is not a pass."""
    yield f"**{report.outcome.name}**: {escape.markdown(report.reason)}"
    yield ""
    others = [one for one in report.findings if one.outcome is not Outcome.PASSED]
    for one in others[:_MOST_FINDINGS]:
        place = f"{one.check} {one.slice}".strip()
        yield f"* {one.outcome.name.lower()} · {escape.markdown(place)} · {escape.markdown(one.why)}"
    if others[_MOST_FINDINGS:]:
        yield f"* and {len(others) - _MOST_FINDINGS:,} more: mlgate/summary.md among the artifacts"
    if link:
        yield f"\n[The CI run]({link})"
