"""A rollout that is left and gone on with at whatever times ends like an attended one, and a bad one never rises."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.laws.test_deploy import by_another_candidate, dies, is_at_rest, never_above_its_step, revived
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
    tools,
)

from mlgate.core.deploy.ports import Judgement
from mlgate.core.deploy.release import Handover, ServiceRecord
from mlgate.core.deploy.rollout import Health, Phase, Plan
from mlgate.core.errors import AdapterError
from mlgate.core.outcome import Outcome
from mlgate.flow.deploy.detached import go_on
from mlgate.flow.deploy.leaving import Leaving
from mlgate.flow.deploy.rollout import carry_out, deploy, reconcile, recover

RULES = "what it is judged by"
LATER = PLAN.deadline - BEGAN


@dataclass
class TurningJudge(FakeJudge):
    """Good until a time, and bad from then on."""

    cluster: Cluster = field(default_factory=Cluster)
    bad_from: float = math.inf

    def judge(self, record: ServiceRecord) -> Judgement:
        is_bad = self.cluster.time >= self.bad_from
        return Judgement(Outcome.FAILED, "it became worse") if is_bad else super().judge(record)


def detached(cluster: Cluster, judge: FakeJudge | None = None) -> ServiceRecord:
    leaving = Leaving(lambda: cluster.time, -math.inf)
    record = deploy(tools(cluster, judge=judge), CANDIDATE, PLAN, mode="route", owner="a", rules=RULES, leaving=leaving)
    assert record is not None
    return record


def call(cluster: Cluster, seconds: float, judge: FakeJudge | None = None, stop: FakeStop | None = None) -> None:
    """Do what one `mlgate reconcile` does."""
    of = tools(cluster, judge=judge)
    of = replace(of, stop=stop) if stop else of
    record = of.records.load()
    if not record.is_detached:
        reconcile(of, record)
        return
    go_on(of, record, Leaving(lambda: cluster.time, cluster.time + seconds), RULES)


def reconciled(cluster: Cluster, calls: Sequence[tuple[float, float]], judge: FakeJudge | None = None) -> None:
    """Call again and again, with these pauses before these calls, until it is over."""
    for pause, seconds in itertools.cycle(calls):
        if not cluster.record.is_under_way:
            return
        cluster.time += pause
        call(cluster, seconds, judge)


CALLS = st.lists(st.tuples(st.floats(0.1, 60), st.floats(0, 20)), min_size=1, max_size=6)


def test_a_detached_rollout_is_left_as_soon_as_its_first_step_holds() -> None:
    cluster = Cluster()
    record = detached(cluster)
    assert record.is_detached
    assert record.rollout is not None
    assert (record.rollout.state.phase, record.rollout.weight) == (Phase.HOLDING, 5)
    assert cluster.record == record
    assert cluster.route == {STABLE.name: 95, CANDIDATE.name: 5}


def test_calls_in_time_promote_a_good_candidate() -> None:
    cluster = Cluster()
    detached(cluster)
    reconciled(cluster, [(5.0, 1.0)])
    assert is_at_rest(cluster, CANDIDATE)
    assert not cluster.record.is_detached


@given(CALLS)
def test_whenever_it_is_gone_on_with_it_ends_like_an_attended_one(calls: list[tuple[float, float]]) -> None:
    cluster = Cluster()
    detached(cluster)
    reconciled(cluster, calls)
    rollout = cluster.record.rollout
    assert rollout is not None
    assert is_at_rest(cluster, CANDIDATE) or is_at_rest(cluster, STABLE)
    assert never_above_its_step(cluster)
    promoting = [one for one in rollout.states if one.phase is Phase.PROMOTING]
    assert bool(promoting) == is_at_rest(cluster, CANDIDATE)
    assert all(one.since < PLAN.deadline for one in promoting)
    if not promoting:
        assert "the deadline passed before" in rollout.states[-2].why


@given(CALLS, st.floats(0, LATER))
def test_a_candidate_that_became_bad_never_gets_more(calls: list[tuple[float, float]], turns: float) -> None:
    cluster = Cluster()
    bad_from = BEGAN + turns
    judge = TurningJudge(cluster=cluster, bad_from=bad_from)
    shares: list[tuple[float, int]] = []
    cluster.after_write = lambda _: shares.append((cluster.time, cluster.share(CANDIDATE.name)))
    detached(cluster, judge)
    reconciled(cluster, calls, judge)
    before = [share for at, share in shares if at < bad_from + 0.5]  # a look may have begun
    after = [share for at, share in shares if at >= bad_from + 0.5]
    rollout = cluster.record.rollout
    assert rollout is not None
    if not any(one.phase is Phase.PROMOTING and one.since <= bad_from + 0.5 for one in rollout.states):
        assert max(after, default=0) <= max(before, default=0)
        assert is_at_rest(cluster, STABLE)


@given(CALLS, st.sampled_from([Health.BROKEN, Health.ABSENT]))
def test_a_candidate_that_broke_while_nobody_looked_goes_back_at_the_first_look(
    calls: list[tuple[float, float]], health: Health
) -> None:
    cluster = Cluster()
    detached(cluster)
    if health is Health.ABSENT:
        del cluster.models[CANDIDATE.name]
    else:
        cluster.models[CANDIDATE.name] = health
    cluster.time += calls[0][0]
    at = cluster.time
    call(cluster, calls[0][1])
    assert cluster.record.rollout is not None
    assert cluster.record.rollout.states[-2].phase is Phase.RESTORING
    assert cluster.record.rollout.states[-2].since < at + 1
    assert max(route.get(CANDIDATE.name, 0) for route in cluster.history) == 5
    assert is_at_rest(cluster, STABLE)


@given(st.floats(0, 20))
def test_a_call_is_over_in_time(seconds: float) -> None:
    cluster = Cluster()
    detached(cluster, FakeJudge(None))
    cluster.time += 5
    begin = cluster.time
    call(cluster, seconds, FakeJudge(None))
    assert cluster.time - begin <= seconds + 2 * PLAN.patience


def test_a_call_in_which_nothing_is_decided_leaves_the_step_as_it_is() -> None:
    cluster = Cluster()
    patient = Plan(PLAN.steps, 1000.0, PLAN.patience, BEGAN + 5000)
    leaving = Leaving(lambda: cluster.time, -math.inf)
    deploy(tools(cluster), CANDIDATE, patient, mode="route", owner="a", rules=RULES, leaving=leaving)
    for _ in range(5):
        cluster.time += 60
        call(cluster, 10.0)
        assert cluster.record.is_detached
        assert cluster.route == {STABLE.name: 95, CANDIDATE.name: 5}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("number", range(1, 10))
def test_a_call_that_dies_at_any_write_is_gone_on_with_by_the_next_one(number: int, *, after: bool) -> None:
    cluster = Cluster()
    detached(cluster)
    dies(cluster, cluster.writes + number, after=after)
    with contextlib.suppress(Death):
        reconciled(cluster, [(1.0, 1.0)])
    revived(cluster)
    reconciled(cluster, [(1.0, 1.0)])
    assert is_at_rest(cluster, CANDIDATE)
    assert never_above_its_step(cluster)


def test_a_rollout_whose_process_died_is_not_detached_and_nobody_goes_on_with_it() -> None:
    cluster = Cluster()

    def die(_: int) -> None:
        if cluster.share(CANDIDATE.name):
            raise Death

    cluster.after_write = die
    with contextlib.suppress(Death):
        detached(cluster)
    revived(cluster)
    route = dict(cluster.route)
    assert not cluster.record.is_detached
    call(cluster, 10.0)
    assert cluster.route == route
    cluster.time = PLAN.deadline
    call(cluster, 10.0)
    assert is_at_rest(cluster, STABLE)


def test_who_judges_by_other_rules_takes_it_back() -> None:
    cluster = Cluster()
    record = detached(cluster)
    of = tools(cluster)
    of.records.load()
    go_on(of, record, Leaving(lambda: cluster.time, cluster.time + 10), "other rules")
    assert is_at_rest(cluster, STABLE)
    assert cluster.record.rollout is not None
    assert "the rules in mlgate.yaml are others" in cluster.record.rollout.states[-2].why


def test_a_signal_ends_the_call_and_not_the_rollout() -> None:
    cluster = Cluster()
    detached(cluster)
    cluster.time += 1
    call(cluster, 1000.0, stop=FakeStop(cluster, "stopped by SIGTERM"))
    assert cluster.record.is_detached
    reconciled(cluster, [(1.0, 1.0)])
    assert is_at_rest(cluster, CANDIDATE)


def test_a_cluster_that_does_not_answer_is_left_to_the_next_call() -> None:
    cluster = Cluster()
    detached(cluster)

    def fail(_: int) -> None:
        raise AdapterError("connection refused")

    cluster.time += 1
    of = tools(cluster)
    record = of.records.load()
    leaving = Leaving(lambda: cluster.time, cluster.time + 5)
    begin = cluster.time
    taken = replace(record, handover=Handover(taken=cluster.time))
    of.records.save(taken)
    cluster.before_write = fail
    with pytest.raises(AdapterError):
        carry_out(of, taken, leaving)
    assert cluster.time - begin <= 5 + 2 * PLAN.patience
    revived(cluster)
    reconciled(cluster, [(1.0, 1.0)])
    assert is_at_rest(cluster, CANDIDATE)


def test_an_attended_deploy_of_the_same_model_takes_it_over_and_ends_it() -> None:
    cluster = Cluster()
    detached(cluster)
    cluster.time += 5
    record = deploy(tools(cluster), CANDIDATE, PLAN, mode="route", owner="c", rules=RULES)
    assert record is not None
    assert record.handover is None
    assert is_at_rest(cluster, CANDIDATE)


@pytest.mark.parametrize("is_detached", [True, False])
def test_by_other_rules_nobody_goes_on_with_it_it_begins_anew(is_detached: bool) -> None:
    cluster = Cluster()
    record = detached(cluster)
    of = tools(cluster)
    left = of.records.load()
    of.records.save(left if is_detached else replace(left, handover=None))
    cluster.time += 5
    began = record.rollout.began if record.rollout else math.nan
    ended = deploy(tools(cluster), CANDIDATE, PLAN, mode="route", owner="c", rules="other rules")
    assert ended is not None
    assert ended.rollout is not None
    assert ended.rollout.began > began
    assert ended.rules == "other rules"
    assert is_at_rest(cluster, CANDIDATE)


def test_another_model_takes_it_back_first() -> None:
    cluster = Cluster()
    detached(cluster)
    by_another_candidate(cluster)
    assert is_at_rest(cluster, OTHER)


def test_a_person_takes_it_back() -> None:
    cluster = Cluster()
    of = tools(cluster)
    detached(cluster)
    recover(of, of.records.load(), "a person asked for it")
    assert is_at_rest(cluster, STABLE)


def test_the_first_model_of_a_service_is_left_with_everything() -> None:
    cluster = Cluster(record=ServiceRecord(), models={}, route={})
    record = detached(cluster)
    assert record.rollout is not None
    assert record.rollout.weight == 100
    reconciled(cluster, [(1.0, 1.0)])
    assert is_at_rest(cluster, CANDIDATE)
