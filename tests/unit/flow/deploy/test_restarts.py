"""A rollout whose process dies, and is begun again by the same command: it goes on from where it was."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from tests.support.fake_serving import BEGAN, CANDIDATE, OTHER, Cluster, Death, FakeStop, tools

from mlgate.core.deploy.release import Deployed, ServiceRecord
from mlgate.core.deploy.rollout import Phase, Plan
from mlgate.core.errors import Overtaken
from mlgate.flow.deploy.rollout import deploy

DAY = 86_400.0
WEEKS = Plan((5, 25, 100), 7 * DAY, 600.0, BEGAN + 30 * DAY)


@dataclass
class Mortal(FakeStop):
    """Time leaps, and the process dies at a leap."""

    lives: int = 1_000_000

    def wait(self, seconds: float) -> None:
        super().wait(DAY / 4 if seconds > 1 else seconds)
        self.lives -= 1
        if not self.lives:
            raise Death


def begun(cluster: Cluster, lives: int, *, candidate: Deployed = CANDIDATE, plan: Plan = WEEKS) -> ServiceRecord | None:
    """Let one process deploy, which dies after so many waits; None: it did."""
    try:
        return deploy(
            tools(cluster, stop=Mortal(cluster, lives=lives)),
            candidate,
            plan,
            mode="route",
            owner=f"dies after {lives}",
        )
    except Death:
        return None


def shares(cluster: Cluster) -> list[int]:
    """Return which percents the candidate had, in their order."""
    found = [route.get(CANDIDATE.name, 0) for route in cluster.history]
    return [one for one, before in zip(found, [-1, *found], strict=False) if one != before]


@pytest.mark.parametrize("lives", [1, 2, 3, 5, 8])
def test_a_rollout_of_weeks_goes_on_after_every_restart(lives: int) -> None:
    cluster, deaths = Cluster(), 0
    while (ended := begun(cluster, lives)) is None:
        deaths += 1
    assert ended.rollout is not None
    assert ended.rollout.state.phase is Phase.PROMOTED
    assert deaths > 5
    assert shares(cluster) == [0, 5, 25, 100]
    assert 21 * DAY <= cluster.time - BEGAN < 23 * DAY  # no step began again


@pytest.mark.parametrize(
    ("candidate", "plan"),
    [(OTHER, WEEKS), (CANDIDATE, replace(WEEKS, hold=DAY)), (CANDIDATE, replace(WEEKS, steps=(50, 100)))],
    ids=["another model", "another time", "other steps"],
)
def test_whatever_else_is_deployed_takes_it_back_first(candidate: Deployed, plan: Plan) -> None:
    cluster = Cluster()
    assert begun(cluster, 40) is None
    assert shares(cluster)[-1] == 25
    ended = begun(cluster, 1000, candidate=candidate, plan=plan)
    assert ended is not None
    assert shares(cluster)[:4] == [0, 5, 25, 0]


def test_one_that_is_late_or_goes_back_already_is_not_carried_on() -> None:
    for late in (True, False):
        cluster = Cluster()
        assert begun(cluster, 10) is None
        if late:
            cluster.time = WEEKS.deadline
        else:
            stopping = tools(cluster, stop=Mortal(cluster, why="stopped by SIGTERM", lives=1))
            with pytest.raises(Death):
                deploy(stopping, CANDIDATE, WEEKS, mode="route", owner="another")
        again = Plan(WEEKS.steps, WEEKS.hold, WEEKS.patience, cluster.time + 30 * DAY)
        assert begun(cluster, 1000, plan=again) is not None
        assert shares(cluster) == [0, 5, 0, 5, 25, 100]


def test_a_process_that_only_stalled_sees_that_it_was_overtaken() -> None:
    cluster = Cluster()
    stalled = tools(cluster, stop=Mortal(cluster, lives=10))
    with pytest.raises(Death):
        deploy(stalled, CANDIDATE, WEEKS, mode="route", owner="stalled")
    assert begun(cluster, 1) is None
    with pytest.raises(Overtaken):
        stalled.records.confirm()
