"""A rollout that somebody else moves: each weight is judged from when it was seen; what is not seen never passes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgate.core.check import Bound, Rule
from mlgate.core.deploy.observed import ObservedRollout, ObservedVerdict
from mlgate.core.deploy.release import Deployed, Release, ServiceRecord
from mlgate.core.deploy.rollout import Health
from mlgate.core.deploy.traffic import Traffic, TrafficCounts, TrafficWindow
from mlgate.core.errors import AdapterError
from mlgate.core.outcome import Outcome
from mlgate.flow.deploy.observe import ObservedPlan, RolloutObserver
from mlgate.flow.deploy.step_judge import TrafficRules

BEGAN = 1_800_000_000.0
INTERVAL = 15.0
PLAN = ObservedPlan((25, 50, 100), 600.0, 300.0)
RULES = (Rule("error_rate", Bound.MAX, 0.02), Rule("p95_ms", Bound.MAX, 300.0))
EDGES = (100.0, 300.0)


def model(name: str) -> Deployed:
    return Deployed(Release(), ({"kind": "Deployment"},), name)


WELL = ObservedRollout(model("new"), model("old"), 25, candidate_health=Health.READY, stable_health=Health.READY)


@dataclass
class Foreign:
    """A rollout whose weights the test sets, and whose users ask 40 times a second."""

    seen: ObservedRollout = WELL
    fails: float = 0.001
    counts: bool = True
    lasted: float = 0.0
    now: float = BEGAN
    asked: list[tuple[float, float]] = field(default_factory=list)
    raises: AdapterError | None = None

    def __post_init__(self) -> None:
        rules = TrafficRules(RULES, self.read, INTERVAL, lambda: self.now)
        self.observer = RolloutObserver(self.see, rules, PLAN, lambda: self.now, self.lasted)

    def see(self) -> ObservedRollout:
        if self.raises is not None:
            raise self.raises
        return self.seen

    def read(self, _: ServiceRecord, since: float, until: float) -> Traffic:
        self.asked.append((since, until))
        if not self.counts:
            return Traffic(why="Prometheus has no numbers of the candidate")
        share = (self.seen.weight or 0) / 100
        windows = []
        for number in range(int((until - since) // INTERVAL)):
            mine, its = (600.0 * part for part in (share, 1 - share))
            windows.append(
                TrafficWindow(
                    since + INTERVAL * (number + 1),
                    INTERVAL,
                    TrafficCounts(mine, mine * self.fails, (mine * 0.1, mine * 0.01), mine, mine * 40),
                    TrafficCounts(its, its * 0.001, (its * 0.1, its * 0.01), its, its * 40)
                    if self.seen.stable
                    else None,
                )
            )
        return Traffic(EDGES, tuple(windows))

    def after(self, seconds: float, **seen: Any) -> ObservedVerdict:
        self.now += seconds
        self.seen = replace(self.seen, **seen)
        return self.observer.look()


def test_a_step_passes_when_its_time_is_over_and_its_rules_are_kept() -> None:
    foreign = Foreign()
    assert foreign.after(0).outcome is None
    assert foreign.after(300).outcome is None
    found = foreign.after(400)
    assert (found.outcome, found.exit_code, found.may_go_on) == (Outcome.PASSED, 0, True)
    assert found.since == BEGAN
    assert found.counts["candidate"].requests == pytest.approx(150 * 45)
    assert dict(found.counts["stable"].times_ms)["p95_ms"] == pytest.approx(211, abs=1)


def test_a_worse_candidate_fails_before_its_time_is_over() -> None:
    foreign = Foreign(fails=0.2)
    foreign.after(0)
    found = foreign.after(300)
    assert (found.outcome, found.exit_code, found.may_go_on) == (Outcome.FAILED, 1, False)
    assert "requests failed" in found.why


def test_another_weight_begins_anew_and_takes_nothing_from_the_step_before() -> None:
    foreign = Foreign()
    foreign.after(0)
    assert foreign.after(700).outcome is Outcome.PASSED
    found = foreign.after(10, weight=50)
    assert found.outcome is None
    assert found.since == BEGAN + 710
    assert found.counts == {}
    foreign.after(700)
    assert min(since for since, _ in foreign.asked[-2:]) == BEGAN + 710


def test_the_same_weight_of_the_next_rollout_begins_anew() -> None:
    foreign = Foreign(fails=0.2)
    foreign.after(0)
    assert foreign.after(700).outcome is Outcome.FAILED
    assert foreign.after(10, weight=0).outcome is None
    foreign.fails = 0.001
    found = foreign.after(10, weight=25)
    assert (found.outcome, found.since) == (None, BEGAN + 720)


def test_a_weight_that_is_not_known_for_a_moment_stays_the_same_step() -> None:
    foreign = Foreign()
    foreign.after(0)
    assert foreign.after(100, weight=None).exit_code == 3
    assert foreign.after(600, weight=25).since == BEGAN


def test_who_knows_since_when_the_weight_lasts_says_it_once() -> None:
    foreign = Foreign(lasted=700.0)
    assert foreign.after(0).outcome is Outcome.PASSED
    assert foreign.after(0, weight=50).since == BEGAN


@pytest.mark.parametrize(
    "seen",
    [
        {"candidate": None},
        {"weight": None},
        {"weight": 0},
        {"candidate_health": Health.LOADING},
        {"candidate_health": Health.ABSENT},
        {"candidate_health": Health.UNKNOWN},
        {"stable_health": Health.BROKEN},
        {"stable_health": Health.LOADING},
        {"stable_health": Health.UNKNOWN},
    ],
    ids=str,
)
def test_what_is_not_seen_well_never_passes(seen: dict[str, Any]) -> None:
    foreign = Foreign(seen=replace(WELL, **seen))
    foreign.after(0)
    found = foreign.after(700)
    assert (found.outcome, found.exit_code) == (None, 3)
    assert found.why


def test_what_is_not_counted_never_passes() -> None:
    foreign = Foreign(counts=False)
    foreign.after(0)
    found = foreign.after(5000)
    assert found.exit_code == 3
    assert "Prometheus has no numbers" in found.why


def test_a_cluster_that_does_not_answer_is_not_known() -> None:
    foreign = Foreign(raises=AdapterError("the Kubernetes API does not answer"))
    found = foreign.after(700)
    assert (found.exit_code, found.why) == (3, "the Kubernetes API does not answer")


@pytest.mark.parametrize("weight", [None, 0, 25])
def test_a_broken_candidate_has_failed_whatever_its_weight(weight: int | None) -> None:
    foreign = Foreign(seen=replace(WELL, weight=weight, candidate_health=Health.BROKEN, why="it keeps crashing"))
    found = foreign.after(0)
    assert (found.exit_code, found.why) == (1, "it keeps crashing")


def test_before_its_first_traffic_a_candidate_that_is_well_may_go_on_and_has_not_passed() -> None:
    found = Foreign(seen=replace(WELL, weight=0)).after(0)
    assert (found.outcome, found.may_go_on) == (None, True)
    assert not Foreign(seen=replace(WELL, weight=0, candidate_health=Health.LOADING)).after(0).may_go_on
    assert not Foreign(seen=replace(WELL, weight=None)).after(0).may_go_on


def test_alone_with_all_of_the_traffic_it_is_held_against_limits() -> None:
    foreign = Foreign(seen=replace(WELL, stable=None, weight=100, stable_health=Health.ABSENT))
    foreign.after(0)
    assert foreign.after(700).outcome is Outcome.PASSED
    foreign.fails = 0.2
    assert foreign.after(700).outcome is Outcome.FAILED


@pytest.mark.parametrize(("weight", "steps"), [(25, (25, 50, 100)), (50, (50, 100)), (100, (100,)), (7, (7, 100))])
def test_what_comes_after_a_weight_that_the_file_does_not_have_is_everything(
    weight: int, steps: tuple[int, ...]
) -> None:
    assert PLAN.at(weight).steps == steps
    assert PLAN.at(weight).deadline == math.inf


@given(
    st.lists(
        st.tuples(st.floats(0, 900), st.sampled_from([None, 0, 25, 50, 100]), st.sampled_from(Health), st.booleans()),
        min_size=1,
        max_size=12,
    )
)
def test_whatever_is_seen_nothing_passes_but_a_step_that_was_seen_for_as_long_as_it_holds(
    story: list[tuple[float, int | None, Health, bool]],
) -> None:
    foreign = Foreign()
    for seconds, weight, health, counts in story:
        foreign.counts = counts
        found = foreign.after(seconds, weight=weight, candidate_health=health)
        if found.outcome is Outcome.PASSED:
            assert found.since is not None
            assert found.at - found.since >= PLAN.hold
            assert health is Health.READY
            assert counts
            assert weight
