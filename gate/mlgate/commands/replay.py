"""Old evidence, judged or explained by today's rules. Asks no model, writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlgate.adapters.files import evidence_file
from mlgate.adapters.files.run_folder import EVIDENCE
from mlgate.commands.baseline import baseline_of
from mlgate.commands.run_options import RunOptions
from mlgate.core.evidence import Evidence
from mlgate.core.power import Forecast
from mlgate.core.report import Report, Segment
from mlgate.flow.explain import explain
from mlgate.flow.fitting import Use
from mlgate.flow.judge import judge
from mlgate.flow.power import foretell
from mlgate.wiring.evidence_source import refuse_brought
from mlgate.wiring.kinds import KINDS
from mlgate.wiring.project import Project


def run_replay(choice: RunOptions, path: Path | None) -> Report:
    """Judge old evidence by today's rules, data and baseline. Writes nothing."""
    project = choice.project()
    evidence = _evidence(choice, project, path)
    report = judge(project.suite, KINDS, evidence, baseline_of(project, choice), Use.RESCORED)
    return project.complete(report, evidence)


def run_power(choice: RunOptions, path: Path | None) -> Forecast:
    """Foretell what the rules would make of harmless changes, by what old evidence varied."""
    project = choice.project()
    evidence, baseline = _evidence(choice, project, path), baseline_of(project, choice)
    return foretell(project.suite, judge(project.suite, KINDS, evidence, baseline, Use.RESCORED), baseline)


def run_explain(choice: RunOptions, path: Path | None, *, check: str, metric: str, count: int) -> Sequence[Segment]:
    """Find the examples that moved a metric most."""
    project = choice.project()
    evidence = _evidence(choice, project, path)
    return explain(
        project.suite, KINDS, evidence, baseline_of(project, choice), check=check, metric=metric, count=count
    )


def _evidence(choice: RunOptions, project: Project, path: Path | None) -> Evidence:
    """Read what a run left. Raises Refused where the rules of a base bind, and the change brings it."""
    place = path if path is not None else choice.folder.path / EVIDENCE
    refuse_brought(project.binding.base, place)
    return project.secrets.evidence(evidence_file.read(place, project.most_rows_of_older))
