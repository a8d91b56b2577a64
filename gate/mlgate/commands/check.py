"""One run at a desk or in CI: its folder, its journal, one flow call, its reports and its exit code."""

from __future__ import annotations

import sys
from pathlib import Path

from mlgate.adapters.files import evidence_file, journal_file
from mlgate.adapters.files.journal_file import JournalFile
from mlgate.adapters.files.run_folder import EVIDENCE, RunFolder
from mlgate.adapters.github import step_files
from mlgate.adapters.terminal.output import tell
from mlgate.adapters.terminal.run_progress import RunProgress
from mlgate.commands import baseline as baselines
from mlgate.commands.baseline import baseline_of, baseline_of_part
from mlgate.commands.finish import finish
from mlgate.commands.fork_guard import refuse_strangers
from mlgate.commands.run_options import RunOptions, recorded
from mlgate.core.check import Suite
from mlgate.core.evidence import Evidence, Gap
from mlgate.core.ports import Decided
from mlgate.core.report import Report
from mlgate.flow.check import check, nothing, observe, settled, settles, usable
from mlgate.flow.judge import Baseline
from mlgate.wiring.evidence_source import refuse_brought
from mlgate.wiring.project import KINDS, Project


def run(choice: RunOptions) -> int:
    """Observe, judge, publish. Return the exit code."""
    folder = choice.folder
    with recorded(folder, choice.config):
        refuse_strangers(allowed=choice.forks)
        project = choice.project()
        choice = choice.saving(project)
        store = baselines.store_of(choice, project, folder)
        if choice.shard or choice.part:
            return _shard(choice, project, folder, choice.shard or (1, 1))
        evidence, report = _whole(choice, project, folder)
        _keep(evidence, folder, "journal.jsonl", EVIDENCE)
        return finish(evidence, report, project, folder, store if choice.save_baseline else None)


def _whole(choice: RunOptions, project: Project, folder: RunFolder) -> tuple[Evidence, Report]:
    baseline = baseline_of(project, choice)
    kept, path = _rows_to_resume(choice, project, project.suite, folder, "journal.jsonl")
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
            progress=RunProgress(left, sys.stderr),
            baseline=baseline,
        )


def _rows_to_resume(
    choice: RunOptions, project: Project, suite: Suite, folder: RunFolder, name: str
) -> tuple[Evidence, Path]:
    """Return what an interrupted run has observed of *suite*, when this one goes on from it; else put it aside.

    What will be asked again is not kept: a journal with both would say two things about one row.
    """
    path = folder.path / name
    if choice.resume:
        refuse_brought(project.root, path, project.binding.base, "answers")
        rows = journal_file.read(path, project.provenance, evidence_file.older(suite.most_rows))
        return usable(suite, KINDS, rows), path
    folder.put_aside(name)
    return nothing(project.provenance), path


def _shard(choice: RunOptions, project: Project, folder: RunFolder, shard: tuple[int, int]) -> int:
    k, n = shard
    part = project.part(choice.part).shard(k, n)
    number = f"{choice.part}-{k}of{n}" if choice.part else f"{k}of{n}"
    name = f"evidence-{number}.jsonl.gz"
    folder.put_aside(name)
    kept, path = _rows_to_resume(choice, project, part, folder, f"journal-{number}.jsonl")
    here = project.environment
    left = len(part.without(kept.rows).planned)
    with JournalFile(path, kept, here) as journal:
        evidence = observe(
            part,
            KINDS,
            project.executor(
                choice.workers, folder.path / "pytest.log", decided(project, baseline_of_part(project, choice))
            ),
            kept=kept,
            environment=here,
            journal=journal,
            progress=RunProgress(left, sys.stderr),
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
    step_files.write_outputs(
        {"evidence-path": str(folder.path / name), "evidence-digest": evidence_file.digest(folder.path / name)}
    )
    return 3 if missing else 0


def _keep(evidence: Evidence, folder: RunFolder, journal: str, name: str) -> None:
    """Seal the evidence; the journal has done its duty when nothing is left to ask."""
    evidence_file.write(folder.own(name), evidence)
    if not any(isinstance(row, Gap) for row in evidence.rows.values()):
        folder.own(journal).unlink(missing_ok=True)


def decided(project: Project, baseline: Baseline | None) -> Decided:
    """Return what tells a timed check when it may stop."""
    return settles(project.suite, KINDS, project.provenance, baseline)
