"""Whatever is seen, in any order: a candidate never gets more than its step allows, and a rollout ends at 0 or 100."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from mlgate.core.deploy.rollout import ALL, Health, Opening, Phase, Plan, Reading, Rollout, State, advance
from mlgate.core.errors import ConfigError
from mlgate.core.outcome import Outcome

BEGAN = 1_800_000_000.0

plans = st.builds(
    lambda shares, hold, patience, deadline, opening, first, outlasts: Plan(
        (0, *shares) if opening else shares, hold, patience, deadline, opening, first, outlasts
    ),
    st.sets(st.integers(1, 99), max_size=4).map(lambda some: (*sorted(some), ALL)),
    st.sampled_from([0.0, 1.0, 30.0]),
    st.sampled_from([1.0, 60.0]),
    st.sampled_from([BEGAN + 50, BEGAN + 500, BEGAN + 5_000]),
    st.none() | st.sampled_from(Opening),
    st.sampled_from([0.0, 5.0, 31.0]),
    st.booleans(),
)
"""Steps, hold, patience and deadline, what comes before the first share of the traffic and for how long, and whether it
waits beyond its deadline."""
moments = st.floats(BEGAN - 10, BEGAN + 10_000)


@st.composite
def readings(draw: st.DrawFn, plan: Plan) -> Reading:
    """Anything at all, and often what a rollout that goes well would see."""
    well = st.just(Health.READY)
    return Reading(
        at=draw(moments),
        candidate=draw(well | st.sampled_from(Health)),
        stable=draw(well | st.sampled_from(Health)),
        weight=draw(st.sampled_from([None, 0, *plan.steps]) | st.integers(0, 100)),
        is_settled=draw(st.booleans()),
        judged=draw(st.just(Outcome.PASSED) | st.sampled_from([None, *Outcome])),
        is_measured=draw(st.booleans()),
        waits=draw(st.none() | st.floats(0, 100)),
        why=draw(st.sampled_from(["", "a sentence"])),
        stop=draw(st.sampled_from(["", "", "", "a signal came"])),
    )


@st.composite
def stories(draw: st.DrawFn) -> tuple[Plan, list[Reading]]:
    plan = draw(plans)
    story = []
    rollout = Rollout(plan, BEGAN)
    for _ in range(draw(st.integers(0, 30))):
        one = draw(st.sampled_from([well(rollout), well(rollout), draw(readings(plan))]))
        story.append(one)
        rollout = rollout.after(one)
    return plan, story


def well(rollout: Rollout, later: float = 31.0) -> Reading:
    """Return what is seen when all goes as the rollout wants it."""
    return Reading(
        at=rollout.state.since + later,
        candidate=Health.READY,
        stable=Health.READY,
        weight=rollout.weight,
        is_settled=True,
        judged=Outcome.PASSED,
    )


def told(plan: Plan, story: list[Reading]) -> list[tuple[State, Reading, State]]:
    """Return each reading with the states before and after it."""
    state, found = State(Phase.LOADING, BEGAN), []
    for reading in story:
        after = advance(plan, state, reading)
        found.append((state, reading, after))
        state = after
    return found


@given(stories())
def test_the_weight_goes_up_by_one_step_at_most_and_only_after_a_good_reading(
    told_of: tuple[Plan, list[Reading]],
) -> None:
    plan, story = told_of
    for before, reading, after in told(plan, story):
        was, now = before.weight(plan), after.weight(plan)
        assert now in (0, *plan.steps)
        if now > was:
            assert now == next(step for step in plan.steps if step > was)
            assert (reading.weight, reading.candidate, reading.stop) == (was, Health.READY, "")
            assert reading.stable in (Health.READY, Health.ABSENT) or (
                reading.stable is Health.BROKEN and plan.steps == (ALL,)
            )
            assert reading.judged in (Outcome.PASSED, Outcome.WARNED)
            assert plan.outlasts or reading.at < plan.deadline
            assert before.phase is Phase.CHECKING or reading.at - before.since >= plan.least(before.step)
            assert plan.opening is None or before.step >= 0


@given(stories())
def test_nothing_has_a_share_before_the_opening_is_over_and_nothing_is_copied_but_then(
    told_of: tuple[Plan, list[Reading]],
) -> None:
    plan, story = told_of
    for before, reading, after in told(plan, story):
        assert after.opening(plan) is None or (plan.opening is not None and after.weight(plan) == 0)
        if before.phase is Phase.HOLDING and before.opening(plan) and after.step == 1:
            assert reading.at - before.since >= plan.opening_hold
            assert reading.judged in (Outcome.PASSED, Outcome.WARNED)
        if after.weight(plan) and plan.opening:
            assert after.step > 0


@given(stories(), st.sampled_from(["candidate", "stable", "weight", "judged"]))
def test_a_reading_with_a_hole_never_raises_the_weight(told_of: tuple[Plan, list[Reading]], hole: str) -> None:
    plan, story = told_of
    for before, reading, _ in told(plan, story):
        nothing = Health.UNKNOWN if hole in ("candidate", "stable") else None
        after = advance(plan, before, replace(reading, **{hole: nothing}))  # type: ignore[arg-type]
        assert after.weight(plan) <= before.weight(plan)


@given(stories())
def test_the_readings_that_moved_it_replay_to_the_same_state(told_of: tuple[Plan, list[Reading]]) -> None:
    plan, story = told_of
    rollout = Rollout(plan, BEGAN)
    for reading in story:
        rollout = rollout.after(reading)
    assert rollout.state == (told(plan, story)[-1][2] if story else State(Phase.LOADING, BEGAN))
    assert Rollout(plan, BEGAN, rollout.history).state == rollout.state
    assert len(set(rollout.states)) == len(rollout.history) + 1
    event(f"ends {rollout.state.phase.value}")


@given(stories())
def test_every_rollout_ends_at_nothing_or_all_once_its_cluster_answers(told_of: tuple[Plan, list[Reading]]) -> None:
    plan, story = told_of
    rollout = Rollout(plan, BEGAN)
    for reading in story:
        rollout = rollout.after(reading)
    stop = "a signal came" if plan.outlasts else ""
    for _ in range(2):  # the deadline is past: it goes back or is done, and the cluster comes to rest
        rollout = rollout.after(replace(well(rollout), at=plan.deadline + 1, stop=stop))
    assert rollout.state.phase.is_over
    assert rollout.weight in (0, ALL)


@given(stories())
def test_a_candidate_that_lost_its_traffic_never_gets_any_again(told_of: tuple[Plan, list[Reading]]) -> None:
    plan, story = told_of
    states = [after for _, _, after in told(plan, story)]
    for before, after in pairwise(states):
        if before.phase in (Phase.RESTORING, Phase.RESTORED):
            assert after.phase in (Phase.RESTORING, Phase.RESTORED)
        if before.phase is Phase.PROMOTED:
            assert after.phase is Phase.PROMOTED


@given(stories(), st.sampled_from(Health), st.sampled_from(Health), st.booleans())
def test_a_promotion_goes_back_only_to_a_stable_model_that_is_ready(
    told_of: tuple[Plan, list[Reading]], candidate: Health, stable: Health, settled: bool
) -> None:
    plan, _ = told_of
    promoting = State(Phase.PROMOTING, BEGAN, len(plan.steps) - 1)
    reading = Reading(BEGAN + 1, candidate, stable, ALL, is_settled=settled, stop="a signal came")
    after = advance(plan, promoting, reading)
    broke = candidate in (Health.BROKEN, Health.ABSENT)
    assert (after.phase is Phase.RESTORING) == (broke and stable is Health.READY)
    assert (after.phase is Phase.PROMOTED) == (settled and candidate is Health.READY)


@given(stories(), st.sampled_from(["stop", "broken", "failed", "unsure", "late", "too much"]))
def test_what_is_against_the_candidate_takes_its_traffic_at_once(
    told_of: tuple[Plan, list[Reading]], what: str
) -> None:
    plan, story = told_of
    rollout = Rollout(plan, BEGAN)
    for reading in story:
        rollout = rollout.after(reading)
    against = {
        "stop": {"stop": "SIGTERM"},
        "broken": {"candidate": Health.BROKEN},
        "failed": {"judged": Outcome.FAILED},
        "unsure": {"judged": Outcome.INCONCLUSIVE},
        "late": {"at": plan.deadline, "stop": "a signal came" if plan.outlasts else ""},
        "too much": {"weight": rollout.weight + 1},
    }[what]
    after = rollout.after(replace(well(rollout), **against))  # type: ignore[arg-type]
    if rollout.state.phase not in (Phase.PROMOTING, Phase.PROMOTED):
        assert after.weight == 0
        assert after.state.phase in (Phase.RESTORING, Phase.RESTORED)


def test_a_rollout_that_waits_outlasts_its_deadline_only_while_it_is_measured() -> None:
    rollout = Rollout(Plan((50, 100), 30, 60, BEGAN + 1_000, outlasts=True), BEGAN)
    while rollout.state.phase is not Phase.HOLDING:
        rollout = rollout.after(well(rollout))
    late = replace(well(rollout), at=BEGAN + 9_000, judged=None)
    assert rollout.after(replace(late, is_measured=True)) is rollout
    assert rollout.after(late).state.phase is Phase.RESTORING
    passed = rollout.after(replace(late, judged=Outcome.PASSED))
    assert (passed.state.phase, passed.weight) == (Phase.SHIFTING, 100)
    assert passed.after(replace(well(passed), at=BEGAN + 9_001)).state.phase is Phase.HOLDING


def test_a_model_that_is_broken_for_good_is_replaced_by_a_plan_of_one_step_alone() -> None:
    for steps, ends in (((ALL,), Phase.PROMOTED), ((50, ALL), Phase.LOADING)):
        rollout = Rollout(Plan(steps, 0, 60, BEGAN + 1_000), BEGAN)
        for _ in range(9):
            rollout = rollout.after(replace(well(rollout), at=BEGAN + 1, stable=Health.BROKEN))
        assert rollout.state.phase is ends


def test_a_plan_with_an_opening_begins_with_none_of_the_traffic() -> None:
    for steps, opening in (((0, 5, ALL), None), ((5, ALL), Opening.MIRRORED), ((0,), Opening.MIRRORED)):
        with pytest.raises(ConfigError, match="must ascend"):
            Plan(steps, 30, 60, BEGAN, opening)


def test_a_rollout_with_an_opening_that_goes_well_is_mirrored_once() -> None:
    rollout = Rollout(Plan((0, 25, ALL), 30, 60, BEGAN + 1_000, Opening.MIRRORED, 10), BEGAN)
    seen = [(rollout.weight, rollout.opening)]
    while not rollout.state.phase.is_over:
        rollout = rollout.after(well(rollout))
        seen.append((rollout.weight, rollout.opening))
    assert [weight for weight, _ in seen] == [0, 0, 0, 0, 25, 25, 100, 100, 100, 100]
    assert [opening for _, opening in seen] == [None, None, *[Opening.MIRRORED] * 2, *[None] * 6]


def test_a_rollout_that_goes_well_takes_each_step_and_ends_promoted() -> None:
    rollout = Rollout(Plan((5, 25, 100), 30, 60, BEGAN + 1_000), BEGAN)
    weights = [rollout.weight]
    while not rollout.state.phase.is_over:
        rollout = rollout.after(well(rollout))
        weights.append(rollout.weight)
    assert weights == [0, 0, 5, 5, 25, 25, 100, 100, 100, 100]
    assert rollout.state.phase is Phase.PROMOTED
