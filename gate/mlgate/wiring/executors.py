"""Who observes a project's checks: this process, workers of pytest, or, alone on the machine, a load generator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from mlgate.adapters.executors.in_process import InProcessExecutor
from mlgate.adapters.executors.pytest import PytestExecutor
from mlgate.adapters.executors.sequence import SequenceExecutor
from mlgate.adapters.executors.timed import TimedExecutor
from mlgate.adapters.files.plan_file import WorkerPlan
from mlgate.adapters.secrets.redactor import SecretsHidden
from mlgate.core.check import Check
from mlgate.core.ports import Decided, Executor
from mlgate.wiring.kinds import ASKING, TIMING, beside_tests, tests
from mlgate.wiring.model_pair import ModelPair
from mlgate.wiring.project import Project, written

_LARGEST_BATCH = 64


def whole(project: Project, workers: int, log: Path, decided: Decided) -> Executor:
    """Return who observes all: pytest's workers, or this process; then `alone`, what needs the whole machine."""
    sides = model_pair(project, log.parent)
    here = InProcessExecutor(ASKING, lambda: sides.model(baseline=False))
    pytest = PytestExecutor(plan(project, max(1, workers)), log)
    section = project.config.model
    inline = workers == 0 or section.answers is not None or section.image is not None

    def close() -> None:
        sides.close()
        project.secrets.file(log)

    parts = SequenceExecutor(
        [
            (lambda check: beside_tests(check) and inline and not tests(check), here),
            (beside_tests, pytest),
            *_late(sides, decided),
        ],
        close,
    )
    return SecretsHidden(parts, project.secrets)


def alone(project: Project, logs: Path, decided: Decided) -> Executor:
    """Return who observes what pytest's workers cannot: timed load, and a baseline that runs beside."""
    sides = model_pair(project, logs)
    return SecretsHidden(SequenceExecutor(_late(sides, decided), sides.close), project.secrets)


def _late(sides: ModelPair, decided: Decided) -> Sequence[tuple[Callable[[Check], bool], Executor]]:
    return (
        (lambda check: not check.exclusive, InProcessExecutor(ASKING, lambda: sides.model(baseline=True))),
        (lambda _: True, TimedExecutor(TIMING, sides.load, decided)),
    )


def model_pair(project: Project, logs: Path) -> ModelPair:
    """Return what starts the models of both sides, and keeps their logs in a folder."""
    candidate, past = written(project.config.model), project.config.baseline_model
    return ModelPair(
        project.root, project.suite, project.images, candidate, written(past) if past else {}, logs, project.secrets
    )


def plan(project: Project, workers: int) -> WorkerPlan:
    """Return what workers need to know."""
    largest = max((len(check.examples) for check in project.suite.checks), default=0)
    endpoint = project.config.model.endpoint
    at_once = endpoint.concurrency * 2 if endpoint else 1
    batch = min(max(-(-largest // (workers * 16)), at_once, 1), _LARGEST_BATCH)
    asked = replace(project.suite, checks=tuple(check for check in project.suite.checks if beside_tests(check)))
    return WorkerPlan(asked, written(project.config.model), str(project.root.resolve()), batch, workers)
