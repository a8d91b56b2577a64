"""One run at a desk or in CI: its folder, its journal, one flow call, its reports and its exit code."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mlgate.adapters import evidence_file, github_files, journal_file
from mlgate.adapters.journal_file import JournalFile
from mlgate.adapters.progress_line import ProgressLine
from mlgate.adapters.run_folder import EVIDENCE, RunFolder
from mlgate.core.check import Suite
from mlgate.core.errors import ConfigError, EvidenceError, GateError
from mlgate.core.evidence import Evidence, Gap
from mlgate.core.outcome import Outcome
from mlgate.core.ports import BaselineStore, Decided
from mlgate.core.report import Report, Segment
from mlgate.flow.check import check, look_up, nothing, observe, settled, settles, usable
from mlgate.flow.explain import explain
from mlgate.flow.judge import Baseline, judge
from mlgate.flow.merge import merge, refuse_foreign
from mlgate.reports.escape import terminal
from mlgate.wiring.forks import refuse_strangers
from mlgate.wiring.needs import Needs, evidence_in
from mlgate.wiring.policy import Base
from mlgate.wiring.project import KINDS, Project
from mlgate.wiring.publish import publish, tell_github
from mlgate.wiring.tell import tell

FOLDER = ".mlgate"


@dataclass(frozen=True, slots=True)
class Choice:
    """What the caller chose for one run."""

    config: Path
    output: Path | None = None
    """None: `.mlgate` beside the configuration."""
    workers: int = 1
    """0: observe in this process."""
    shard: tuple[int, int] | None = None
    resume: bool = False
    save_baseline: bool = False
    """Make this run the baseline when it passes."""
    bootstrap: bool = False
    """There is nothing to compare with: comparisons warn."""
    base: str = ""
    """Whose rules bind: a git ref, `auto`, or empty and `none` for this checkout's own."""
    approved: bool = False
    """A person approved that the change under test edits the rules."""
    keep_baseline: bool = False
    """The same, where the baseline is the one that CI keeps; else nothing."""
    image: str = ""
    """The image to test in place of the file's."""
    part: str = ""
    """One of PARTS, or empty: all."""
    forks: bool = False
    """A fork's code may run on a self-hosted machine."""

    def saving(self, project: Project) -> Choice:
        """Return the choice with what `keep_baseline` means for *project*."""
        return replace(self, save_baseline=self.save_baseline or (self.keep_baseline and project.is_kept_by_ci))

    def project(self) -> Project:
        """Read what is to be tested, and by whose rules."""
        return Project.load(self.config, Base(self.base, self.approved, self.bootstrap), self.image)

    @property
    def folder(self) -> RunFolder:
        """Return the run's folder."""
        return RunFolder(self.output if self.output is not None else self.config.parent / FOLDER)


@contextlib.contextmanager
def recorded(folder: RunFolder) -> Iterator[None]:
    """Make the verdict file say `incomplete` first, and what stopped the run when it was stopped."""
    with folder.held():
        folder.begin("the run has not ended")
        try:
            yield
        except GateError as error:
            outcome = "refused" if error.exit_code == 5 else "errored"  # noqa: PLR2004 - the documented code
            with contextlib.suppress(GateError):
                folder.conclude(outcome, error.exit_code, str(error))
            with contextlib.suppress(GateError):
                tell_github(outcome, error.exit_code, folder)
            raise
        except Exception:
            with contextlib.suppress(GateError):
                tell_github("errored", 3, folder)  # the verdict file stays `incomplete`
            raise
        except KeyboardInterrupt:
            with contextlib.suppress(GateError):
                folder.conclude("incomplete", 130, "interrupted: go on with `mlgate check --resume`")
            raise


def run(choice: Choice) -> int:
    """Observe, judge, publish. Return the exit code."""
    folder = choice.folder
    with recorded(folder):
        refuse_strangers(allowed=choice.forks)
        project = choice.project()
        choice = choice.saving(project)
        store = _store(choice, project, folder)
        if choice.shard or choice.part:
            return _shard(choice, project, folder, choice.shard or (1, 1))
        evidence, report = _whole(choice, project, folder)
        _keep(evidence, folder, "journal.jsonl", EVIDENCE)
        if choice.save_baseline and store is not None:
            _save_baseline(store, evidence, report)
        return conclude(report, project, folder)


def _store(choice: Choice, project: Project, folder: RunFolder) -> BaselineStore | None:
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


def _whole(choice: Choice, project: Project, folder: RunFolder) -> tuple[Evidence, Report]:
    baseline = baseline_of(project, choice)
    kept, path = _kept(choice, project, project.suite, folder, "journal.jsonl")
    here = project.environment
    left = len(project.suite.without(kept.rows).planned)
    with JournalFile(path, kept, here) as journal:
        return check(
            project.suite,
            KINDS,
            project.executor(choice.workers, folder.path / "pytest.log", decided(project, baseline)),
            kept=kept,
            environment=here,
            journal=journal,
            progress=ProgressLine(left, sys.stderr),
            baseline=baseline,
        )


def _kept(choice: Choice, project: Project, suite: Suite, folder: RunFolder, name: str) -> tuple[Evidence, Path]:
    """Return what an interrupted run has observed of *suite*, when this one goes on from it; else put it aside.

    What will be asked again is not kept: a journal with both would say two things about one row.
    """
    path = folder.path / name
    if choice.resume:
        return usable(suite, KINDS, journal_file.read(path, project.provenance)), path
    folder.put_aside(name)
    return nothing(project.provenance), path


def _shard(choice: Choice, project: Project, folder: RunFolder, shard: tuple[int, int]) -> int:
    k, n = shard
    part = project.part(choice.part).shard(k, n)
    number = f"{choice.part}-{k}of{n}" if choice.part else f"{k}of{n}"
    name = f"evidence-{number}.jsonl.gz"
    folder.put_aside(name)
    kept, path = _kept(choice, project, part, folder, f"journal-{number}.jsonl")
    here = project.environment
    left = len(part.without(kept.rows).planned)
    with JournalFile(path, kept, here) as journal:
        evidence = observe(
            part,
            KINDS,
            project.executor(
                choice.workers, folder.path / "pytest.log", decided(project, baseline_of(project, choice))
            ),
            kept=kept,
            environment=here,
            journal=journal,
            progress=ProgressLine(left, sys.stderr),
        )
    _keep(evidence, folder, path.name, name)
    missing = part.planned - set(settled(part, KINDS, evidence))
    what = f"{choice.part} {k} of {n}" if choice.part else f"shard {k} of {n}"
    folder.conclude("incomplete", 3, f"{what}: `mlgate merge` judges it with the others")
    tell(
        sys.stdout,
        f"{what}: {len(part.planned) - len(missing):,} of {len(part.planned):,} examples observed\n"
        f"  evidence: {folder.path / name}\n"
        f"  next: mlgate merge evidence-*.jsonl.gz, where all parts are together",
    )
    github_files.write_outputs(
        {"evidence-path": str(folder.path / name), "evidence-digest": evidence_file.digest(folder.path / name)}
    )
    return 3 if missing else 0


def _keep(evidence: Evidence, folder: RunFolder, journal: str, name: str) -> None:
    """Seal the evidence; the journal has done its duty when nothing is left to ask."""
    evidence_file.write(folder.path / name, evidence)
    if not any(isinstance(row, Gap) for row in evidence.rows.values()):
        (folder.path / journal).unlink(missing_ok=True)


def _save_baseline(store: BaselineStore, evidence: Evidence, report: Report) -> None:
    """Make evidence the baseline when its verdict passes and no comparison says worse, not even as a warning."""
    compared = [f for f in report.findings if f.rule.bound.compares]
    held = all(f.outcome is Outcome.PASSED or f.topic in ("no-baseline", "unusable-baseline") for f in compared)
    if report.outcome.blocks or not held:
        tell(sys.stderr, "mlgate: the baseline stays what it was: only a model that is not worse becomes one")
        return
    store.save(evidence)
    tell(sys.stdout, f"baseline saved: {store.source}")


def baseline_of(project: Project, choice: Choice) -> Baseline | None:
    """Load the configured baseline; one that runs beside the candidate is in the same evidence."""
    if project.beside:
        why = "it was not observed in this run: this evidence was made without it"
        return Baseline(project.beside, None, why, bootstrap=choice.bootstrap)
    store = project.baseline_store()
    return None if store is None else look_up(store, first=choice.save_baseline, bootstrap=choice.bootstrap)


def decided(project: Project, baseline: Baseline | None) -> Decided:
    """Return what tells a timed check when it may stop."""
    return settles(project.suite, KINDS, project.provenance, baseline)


def conclude(report: Report, project: Project, folder: RunFolder) -> int:
    """Publish a report and write its verdict, last. Return the exit code."""
    report = replace(report, policy=project.policy)
    digest = publish(report, folder, project.config.report, sys.stdout, sys.stderr)
    outcome = report.outcome
    folder.conclude(outcome.name.lower(), outcome.exit_code, report.reason, digest)
    tell_github(outcome.name.lower(), outcome.exit_code, folder)
    return outcome.exit_code


def run_merge(choice: Choice, paths: Sequence[Path], needs: Needs | None = None) -> int:
    """Join shards and judge the whole; *needs* says what the jobs that sent them came to.

    A job that did not do what was planned blocks, even where its evidence is whole.
    """
    folder = choice.folder
    files, trouble = _found(paths)
    digests = {path: _digest(path) for path in files}
    read = [(str(path), _readable(path)) for path in files]  # first: one may lie in the folder that begins anew
    with recorded(folder):
        project = choice.project()
        choice = choice.saving(project)
        store = _store(choice, project, folder)
        if needs is not None:
            needs.vouch(digests)
        troubles = needs.troubles(project, digests.values()) if needs is not None else ()
        if trouble is not None:
            raise EvidenceError(_because(trouble.message, troubles), where=trouble.where, hint=trouble.hint)
        evidence, notices = merge([(name, part()) for name, part in read])
        refuse_foreign(evidence, project.provenance_beside(evidence.provenance))
        for notice in notices:
            tell(sys.stderr, f"mlgate: notice: {terminal(notice)}")
        report = judge(project.suite, KINDS, evidence, baseline_of(project, choice))
        if troubles and not report.outcome.blocks:
            said = "all evidence is here and passes, but not all jobs ended well"
            raise EvidenceError(_because(said, troubles), hint="look at that job's log, and run it again")
        report = replace(report, notices=(*troubles, *notices, *report.notices))
        evidence_file.write(folder.path / EVIDENCE, evidence)
        if choice.save_baseline and store is not None:
            _save_baseline(store, evidence, report)
        return conclude(report, project, folder)


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


def _readable(path: Path) -> Callable[[], Evidence]:
    """Read evidence now, and say later, in a run's record, what was wrong with it."""
    try:
        evidence = evidence_file.read(path)
    except GateError as error:
        wrong = error
    else:
        return lambda: evidence

    def fail() -> Evidence:
        raise wrong

    return fail


def run_replay(choice: Choice, path: Path | None) -> Report:
    """Judge old evidence by today's rules, data and baseline. Writes nothing."""
    project = choice.project()
    evidence = evidence_file.read(path if path is not None else choice.folder.path / EVIDENCE)
    report = judge(project.suite, KINDS, evidence, baseline_of(project, choice))
    return replace(report, policy=project.policy)


def run_explain(choice: Choice, path: Path | None, *, check: str, metric: str, count: int) -> Sequence[Segment]:
    """Find the examples that moved a metric most."""
    project = choice.project()
    evidence = evidence_file.read(path if path is not None else choice.folder.path / EVIDENCE)
    return explain(
        project.suite, KINDS, evidence, baseline_of(project, choice), check=check, metric=metric, count=count
    )
