"""Wherever a process dies, whoever comes after it: all or nothing, and never more than the record had allowed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.fake_serving import (
    BEGAN,
    CANDIDATE,
    OTHER,
    PLAN,
    STABLE,
    Cluster,
    Death,
    FakeJudge,
    FakeStop,
    denying,
    tools,
)

from mlgate.core.deploy.release import Deployed, ServiceRecord
from mlgate.core.deploy.rollout import ALL, Health, Phase
from mlgate.core.errors import AdapterError, Overtaken
from mlgate.core.outcome import Outcome
from mlgate.flow.deploy.rollout import RolloutTools, deploy, reconcile, recover

WRITES = 15
"""Of a rollout that goes well; `test_a_good_rollout_…` holds it."""


def roll(of: RolloutTools, candidate: Deployed = CANDIDATE) -> ServiceRecord:
    record = deploy(of, candidate, PLAN, mode="route", owner="a test")
    assert record is not None
    return record


def is_at_rest(cluster: Cluster, model: Deployed) -> bool:
    """Whether *model* has everything, and nothing else is left."""
    alone = cluster.route.get(model.name) == ALL and set(cluster.models) == {model.name}
    return alone and sum(cluster.route.values()) == ALL and cluster.record.accepted == model


def never_above_its_step(cluster: Cluster, model: Deployed = CANDIDATE) -> bool:
    shares = [route.get(model.name, 0) for route in cluster.history]
    rises = [(low, high) for low, high in zip([0, *shares], shares, strict=False) if high > low]
    return all(high == next(step for step in PLAN.steps if step > low) for low, high in rises)


def test_a_good_rollout_ends_with_all_of_the_traffic_and_the_old_model_removed() -> None:
    cluster = Cluster()
    record = roll(tools(cluster))
    assert record.rollout is not None
    assert record.rollout.state.phase is Phase.PROMOTED
    assert is_at_rest(cluster, CANDIDATE)
    assert record.previous == STABLE
    assert cluster.writes == WRITES
    assert never_above_its_step(cluster)


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.INCONCLUSIVE, Outcome.ERRORED])
def test_a_candidate_that_is_not_judged_good_is_removed(outcome: Outcome) -> None:
    cluster = Cluster()
    record = roll(tools(cluster, judge=FakeJudge(outcome)))
    assert is_at_rest(cluster, STABLE)
    assert record.rollout is not None
    assert record.rollout.states[-2].why == "as the fake says"


def test_a_candidate_that_is_never_judged_is_removed_when_patience_ends() -> None:
    cluster = Cluster()
    roll(tools(cluster, judge=FakeJudge(None)))
    assert is_at_rest(cluster, STABLE)
    assert cluster.time < BEGAN + 2 * PLAN.patience


@pytest.mark.parametrize("health", [Health.BROKEN, Health.LOADING, Health.UNKNOWN])
def test_a_candidate_that_never_loads_gets_no_traffic(health: Health) -> None:
    cluster = Cluster(loads=health)
    roll(tools(cluster))
    assert is_at_rest(cluster, STABLE)
    assert all(route.get(CANDIDATE.name, 0) == 0 for route in cluster.history)


def test_what_a_webhook_refuses_leaves_the_stable_model_as_it_was() -> None:
    cluster = Cluster()
    record = roll(denying(cluster))
    assert is_at_rest(cluster, STABLE)
    assert record.rollout is not None
    assert "image not allowed" in record.rollout.states[-2].why


def test_the_first_rollout_of_a_service_has_nothing_beside_it() -> None:
    cluster = Cluster(record=ServiceRecord(), models={}, route={})
    roll(tools(cluster))
    assert is_at_rest(cluster, CANDIDATE)


def test_a_model_that_serves_already_is_left_alone() -> None:
    cluster = Cluster()
    assert deploy(tools(cluster), STABLE, PLAN, mode="route", owner="a test") is None
    assert cluster.writes == 0


def dies(cluster: Cluster, number: int, *, after: bool) -> None:
    """Let the process that writes end at its write *number*."""

    def die(written: int) -> None:
        if written == number:
            raise Death

    if after:
        cluster.after_write = die
    else:
        cluster.before_write = die


def revived(cluster: Cluster) -> None:
    cluster.before_write = cluster.after_write = lambda _: None


def by_recovery(cluster: Cluster) -> None:
    of = tools(cluster)
    recover(of, of.records.load(), "its process died")


def by_another_candidate(cluster: Cluster) -> None:
    roll(tools(cluster), OTHER)


@pytest.mark.parametrize("judge", [FakeJudge(), FakeJudge(Outcome.FAILED)])
@pytest.mark.parametrize("next_one", [by_recovery, by_another_candidate])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("number", range(1, WRITES + 1))
def test_a_process_that_dies_at_any_write_leaves_all_or_nothing_to_the_next_one(
    number: int, next_one: Callable[[Cluster], None], *, after: bool, judge: FakeJudge
) -> None:
    cluster = Cluster()
    dies(cluster, number, after=after)
    with contextlib.suppress(Death):
        roll(tools(cluster, judge=judge))
    revived(cluster)
    next_one(cluster)
    assert any(is_at_rest(cluster, one) for one in (STABLE, CANDIDATE, OTHER))
    assert never_above_its_step(cluster)
    assert not cluster.record.is_under_way


@given(st.integers(1, WRITES), st.booleans(), st.sampled_from([by_recovery, by_another_candidate]))
def test_a_process_that_stalls_and_wakes_after_another_took_over_writes_nothing_more(
    number: int, after: bool, next_one: Callable[[Cluster], None]
) -> None:
    cluster = Cluster()
    at_rest: list[tuple[dict[str, int], ServiceRecord]] = []

    def stall(written: int) -> None:
        if written == number:
            revived(cluster)
            version = cluster.version
            next_one(cluster)
            if cluster.version > version:  # else there was nothing to take over yet
                at_rest.append((dict(cluster.route), cluster.record))

    cluster.before_write, cluster.after_write = (lambda _: None, stall) if after else (stall, lambda _: None)
    with contextlib.suppress(Overtaken, AdapterError):
        roll(tools(cluster))
    assert at_rest in ([], [(cluster.route, cluster.record)])
    of = tools(cluster)
    reconcile(of, of.records.load())  # a model that it made late gets no traffic, and is removed
    assert any(is_at_rest(cluster, one) for one in (STABLE, CANDIDATE, OTHER))


@given(st.integers(1, WRITES))
def test_a_signal_takes_the_traffic_back_unless_the_model_is_being_promoted(number: int) -> None:
    cluster = Cluster()
    stop = FakeStop(cluster)

    def signal(written: int) -> None:
        if written == number:
            stop.why = "SIGTERM"

    cluster.after_write = signal
    roll(tools(cluster, stop=stop))
    assert is_at_rest(cluster, STABLE) or is_at_rest(cluster, CANDIDATE)
    rollout = cluster.record.rollout
    assert rollout is not None
    assert (rollout.state.phase is Phase.PROMOTED) == is_at_rest(cluster, CANDIDATE)


@given(st.sets(st.integers(1, 40), max_size=12), st.booleans())
def test_writes_that_fail_before_or_after_they_took_effect_are_never_made_twice(failing: set[int], after: bool) -> None:
    cluster = Cluster()

    def fail(written: int) -> None:
        if written in failing:
            raise AdapterError("connection reset")

    cluster.before_write, cluster.after_write = (lambda _: None, fail) if after else (fail, lambda _: None)
    try:
        roll(tools(cluster))
    except (AdapterError, Overtaken):
        revived(cluster)
        by_recovery(cluster)
    assert is_at_rest(cluster, CANDIDATE) or is_at_rest(cluster, STABLE)
    assert never_above_its_step(cluster)


def test_a_cluster_that_never_answers_again_is_given_up_with_its_record_kept() -> None:
    cluster = Cluster()

    def fail(written: int) -> None:
        if written > 5:
            raise AdapterError("connection refused")

    cluster.before_write = fail
    with pytest.raises(AdapterError):
        roll(tools(cluster))
    assert cluster.time >= PLAN.deadline
    assert cluster.record.is_under_way
    revived(cluster)
    by_recovery(cluster)
    assert is_at_rest(cluster, STABLE)


def test_a_hand_that_gives_the_candidate_more_than_its_step_takes_it_back() -> None:
    cluster = Cluster()

    def edit(_: int) -> None:
        if cluster.share(CANDIDATE.name) == 5 and cluster.route_version < 100:
            cluster.route = {CANDIDATE.name: 50, STABLE.name: 50}
            cluster.route_version = 100

    cluster.after_write = edit
    roll(tools(cluster))
    assert is_at_rest(cluster, STABLE)
    assert "gets 50 % of the traffic" in replace(cluster.record).rollout.states[-2].why  # type: ignore[union-attr]
