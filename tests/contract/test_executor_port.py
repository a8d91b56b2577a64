"""Every executor yields the same rows for the same suite, whatever happens to who runs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.waiting import alive, until

from mlgate.adapters.executors.in_process import InProcessExecutor
from mlgate.adapters.executors.pytest import PytestExecutor
from mlgate.adapters.files.plan_file import WorkerPlan
from mlgate.core.check import Check, Example, Json, Suite, data_digest
from mlgate.core.evidence import Gap, Observation
from mlgate.core.ports import Executor
from mlgate.wiring.kinds import ASKING
from mlgate.wiring.models import model

MODEL = "def shout(text):\n    if text == 'bad':\n        raise ValueError('no')\n    return text.upper()\n"
Made = Callable[[Path], Executor]


def suite(inputs: list[Json]) -> Suite:
    examples = tuple(Example(f"e{i:02}", text, ("x",)) for i, text in enumerate(inputs))
    return Suite.of([Check("c", "accuracy", examples, data_digest=data_digest(examples))])


def written(root: Path) -> dict[str, Json]:
    (root / "model.py").write_text(MODEL)
    return {"name": "m", "python": "model:shout"}


def inline(root: Path) -> Executor:
    section = written(root)
    return InProcessExecutor(ASKING, lambda: model(section, root, suite([]), 1))


def by_pytest(workers: int) -> Made:
    return lambda root: PytestExecutor(WorkerPlan(suite([]), written(root), str(root), 3, workers), root / "pytest.log")


EXECUTORS = pytest.mark.parametrize(
    "made", [inline, by_pytest(1), by_pytest(2)], ids=["inline", "pytest", "pytest on two workers"]
)


@EXECUTORS
def test_every_planned_example_gets_exactly_one_row(made: Made, tmp_path: Path) -> None:
    inputs: list[Json] = [f"text {i}" for i in range(10)]
    inputs[4] = "bad"
    asked = suite(inputs)
    rows = list(made(tmp_path).observe(asked))
    assert sorted(row.key for row in rows) == sorted(asked.planned)
    found = {row.example: row for row in rows}
    assert found["e04"] == Gap("c", "e04", "ValueError: no (model.py:3)", "model") or isinstance(found["e04"], Gap)
    assert found["e09"] == Observation("c", "e09", {"answer": "TEXT 9"})


@EXECUTORS
def test_nothing_to_ask_starts_nothing(made: Made, tmp_path: Path) -> None:
    executor = made(tmp_path)
    (tmp_path / "model.py").write_text("import pathlib\npathlib.Path('started').touch()\n")
    assert list(executor.observe(suite([]))) == []
    assert not (tmp_path / "started").exists()


@EXECUTORS
def test_a_consumer_that_stops_early_leaves_no_process(made: Made, tmp_path: Path) -> None:
    executor = made(tmp_path)
    (tmp_path / "model.py").write_text(
        "import os, time\nopen(f'pid-{os.getpid()}', 'w')\n\ndef shout(text):\n    time.sleep(0.01)\n    return text\n"
    )
    for _ in executor.observe(suite([f"text {i}" for i in range(200)])):
        break
    pids = [int(path.name.removeprefix("pid-")) for path in tmp_path.glob("pid-*")]
    until(lambda: not any(map(alive, pids)))


def test_references_never_reach_the_workers(tmp_path: Path) -> None:
    from mlgate.adapters.files import plan_file

    examples = (Example("a", "asked", ("the hidden answer",)),)
    plan = WorkerPlan(Suite.of([Check("c", "accuracy", examples)]), {}, "/", 1, 1)
    plan_file.write(tmp_path / "plan.json", plan)
    assert "hidden" not in (tmp_path / "plan.json").read_text()
    assert json.loads((tmp_path / "plan.json").read_text())["checks"][0]["examples"] == [["a", "asked", []]]
