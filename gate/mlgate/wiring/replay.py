"""Old evidence, judged or explained by today's rules. Asks no model, writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlgate.adapters import evidence_file
from mlgate.adapters.run_folder import EVIDENCE
from mlgate.core.report import Report, Segment
from mlgate.flow.explain import explain
from mlgate.flow.judge import judge
from mlgate.wiring.baselines import baseline_of
from mlgate.wiring.choice import Choice
from mlgate.wiring.project import KINDS


def run_replay(choice: Choice, path: Path | None) -> Report:
    """Judge old evidence by today's rules, data and baseline. Writes nothing."""
    project = choice.project()
    evidence = evidence_file.read(path if path is not None else choice.folder.path / EVIDENCE)
    report = judge(project.suite, KINDS, evidence, baseline_of(project, choice))
    return project.complete(report, evidence)


def run_explain(choice: Choice, path: Path | None, *, check: str, metric: str, count: int) -> Sequence[Segment]:
    """Find the examples that moved a metric most."""
    project = choice.project()
    evidence = evidence_file.read(path if path is not None else choice.folder.path / EVIDENCE)
    return explain(
        project.suite, KINDS, evidence, baseline_of(project, choice), check=check, metric=metric, count=count
    )
