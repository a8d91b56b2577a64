"""A model that becomes larger, or loses a pod, while a step holds: that is waited for as long as patience lasts."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from tests.support.fake_serving import CANDIDATE, PLAN, STABLE, Cluster, FakeStop, tools

from mlgate.core.deploy.ports import Judgement
from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.deploy.rollout import Health, Phase
from mlgate.core.outcome import Outcome
from mlgate.flow.deploy.rollout import deploy

LATE = PLAN.hold + PLAN.patience + 2
"""So long into a step: past what it may last by itself."""


@dataclass
class Slow:
    """Needs longer than hold and patience for each step. *unready*: how long a model is not ready, from LATE on."""

    cluster: Cluster
    model: str
    unready: float
    asked: int = 0

    def judge(self, record: ServiceRecord) -> Judgement:
        assert record.rollout is not None
        state = record.rollout.state
        if state.phase is not Phase.HOLDING:
            return Judgement(Outcome.PASSED)
        elapsed = self.cluster.time - state.since
        self.asked += LATE <= elapsed < LATE + self.unready
        return Judgement(Outcome.PASSED if elapsed > LATE + 12 else None, is_measured=True)


@dataclass
class Hours(FakeStop):
    """Lets time pass, and a model grow."""

    slow: Slow | None = None

    def wait(self, seconds: float) -> None:
        super().wait(seconds)
        assert self.slow is not None
        rollout = self.cluster.record.rollout
        if rollout is not None and rollout.state.phase is Phase.HOLDING:
            elapsed = self.cluster.time - rollout.state.since
            grows = LATE <= elapsed < LATE + self.slow.unready
            self.cluster.models[self.slow.model] = Health.LOADING if grows else Health.READY


def rolled(model: str, unready: float) -> tuple[ServiceRecord, Slow]:
    cluster = Cluster()
    slow = Slow(cluster, model, unready)
    of = tools(cluster, judge=slow, stop=Hours(cluster, slow=slow))  # type: ignore[arg-type]
    record = deploy(of, CANDIDATE, PLAN, mode="route", owner="a test")
    assert record is not None
    return record, slow


@pytest.mark.parametrize("model", [STABLE.name, CANDIDATE.name])
def test_a_model_that_grows_in_a_step_that_lasts_long_does_not_end_it(model: str) -> None:
    record, slow = rolled(model, PLAN.patience - 2)
    assert record.rollout is not None
    assert record.rollout.state.phase is Phase.PROMOTED
    assert slow.asked  # it is judged meanwhile


def test_a_candidate_that_stays_unready_goes_back_with_how_long_it_was() -> None:
    record, _ = rolled(CANDIDATE.name, PLAN.patience + 5)
    assert record.rollout is not None
    assert record.rollout.state.phase is Phase.RESTORED
    assert record.rollout.states[-2].why == "the candidate was not ready for 10 s"
