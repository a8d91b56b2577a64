"""One run at a desk or in CI: the gate itself observes, and what an interrupted run has observed is not asked again."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from mlgate.adapters.files import evidence_file, journal_file
from mlgate.adapters.files.journal_file import JournalFile
from mlgate.adapters.github import step_files
from mlgate.adapters.terminal.output import tell
from mlgate.adapters.terminal.run_progress import RunProgress
from mlgate.commands.finish import finish, seal
from mlgate.commands.fork_guard import refuse_strangers
from mlgate.commands.run import Run, recorded
from mlgate.commands.run_options import RunOptions
from mlgate.core.check import Suite
from mlgate.core.evidence import Evidence
from mlgate.flow.check import nothing, observe, settled, settles, usable
from mlgate.wiring import executors, models
from mlgate.wiring.evidence_source import refuse_brought
from mlgate.wiring.kinds import KINDS, tests

_JOURNAL = "journal.jsonl"


def run_check(choice: RunOptions) -> int:
    """Observe the whole and finish, or one part and leave it to `mlgate merge`. Return the exit code."""
    folder = choice.folder
    with recorded(folder, choice.config):
        refuse_strangers(allowed=choice.forks)
        run = Run.prepare(choice, folder)
        if choice.is_part:
            return _observe_part(run, *(choice.shard or (1, 1)))
        evidence = observe_all(run, run.project.suite, _JOURNAL)
        return finish(run, evidence, notices=_notices(run), journal=_JOURNAL)


def _notices(run: Run) -> Sequence[str]:
    """Return what only the machine that observes can tell of the model."""
    project = run.project
    return tuple(filter(None, [models.unseen(project.config.model, project.root)]))


def observe_all(run: Run, suite: Suite, journal: str) -> Evidence:
    """Ask what is not yet settled of *suite*; each row is in the *journal* before it is counted."""
    project, folder, baseline = run.project, run.folder, run.baseline
    kept, path = _rows_to_resume(run, suite, journal)
    if any(not tests(check) for check in suite.without(kept.rows).checks if check.rows):
        models.require_variables(project.config)
    here = project.environment
    left = len(suite.without(kept.rows).planned)
    with JournalFile(path, kept, here) as opened:
        decided = settles(project.suite, KINDS, project.provenance, baseline)
        return observe(
            suite,
            KINDS,
            executors.whole(project, run.choice.workers, folder.path / "pytest.log", decided),
            kept=kept,
            environment=here,
            journal=opened,
            progress=RunProgress(left, sys.stderr),
        )


def _rows_to_resume(run: Run, suite: Suite, name: str) -> tuple[Evidence, Path]:
    """Return what an interrupted run has observed of *suite*, when this one goes on from it; else put it aside.

    What will be asked again is not kept: a journal with both would say two things about one row.
    """
    project, path = run.project, run.folder.path / name
    if run.choice.resume:
        refuse_brought(project.binding.base, path, "answers")
        rows = journal_file.read(path, project.provenance, evidence_file.older(suite.most_rows))
        return usable(suite, KINDS, rows), path
    run.folder.put_aside(name)
    return nothing(project.provenance), path


def _observe_part(run: Run, k: int, n: int) -> int:
    part, folder = run.choice.part, run.folder
    suite = run.project.part(part).shard(k, n)
    number = f"{part}-{k}of{n}" if part else f"{k}of{n}"
    name, journal = f"evidence-{number}.jsonl.gz", f"journal-{number}.jsonl"
    folder.put_aside(name)
    evidence = observe_all(run, suite, journal)
    seal(evidence, folder, name, journal)
    missing = suite.planned - set(settled(suite, KINDS, evidence))
    what = f"{part} {k} of {n}" if part else f"shard {k} of {n}"
    folder.conclude("incomplete", 3, f"{what}: `mlgate merge` judges it with the others")
    tell(
        sys.stdout,
        f"{what}: {len(suite.planned) - len(missing):,} of {len(suite.planned):,} examples observed\n"
        f"  evidence: {folder.path / name}\n"
        f"  next: mlgate merge evidence-*.jsonl.gz, where all parts are together",
    )
    step_files.write_outputs(
        {"evidence-path": str(folder.path / name), "evidence-digest": evidence_file.digest(folder.path / name)}
    )
    return 3 if missing else 0
