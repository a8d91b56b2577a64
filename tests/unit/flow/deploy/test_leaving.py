"""When a process leaves a rollout, and what it tells the next one."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from tests.support.fake_serving import BEGAN, CANDIDATE, PLAN, STABLE

from mlgate.core.deploy.release import Handover, ServiceRecord
from mlgate.core.deploy.rollout import Health, Phase, Reading, Rollout
from mlgate.core.outcome import Outcome
from mlgate.flow.deploy.leaving import NEVER, Leaving

READY = Reading(BEGAN, Health.READY, Health.READY, 0, judged=Outcome.PASSED)
HISTORY = (READY, READY, replace(READY, weight=5))
CALM = replace(READY, weight=5, judged=None, is_measured=True)
UNTIL = BEGAN + 50


def record(turns: int = 3, handover: Handover | None = None) -> ServiceRecord:
    """Return a record after so many readings; after three its first step holds."""
    return ServiceRecord(
        "route", STABLE, candidate=CANDIDATE, rollout=Rollout(PLAN, BEGAN, HISTORY[:turns]), handover=handover
    )


def leaving(at: float, until: float = UNTIL, **given: object) -> Leaving:
    return Leaving(lambda: at, until, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("at", "reading", "leaves"),
    [
        (UNTIL - 1, CALM, False),
        (UNTIL, CALM, True),
        (UNTIL, replace(CALM, is_measured=False), False),
        (UNTIL, replace(CALM, waits=1.0), False),
        (UNTIL + PLAN.patience, replace(CALM, is_measured=False), True),
        (UNTIL + PLAN.patience, replace(CALM, waits=1.0), True),
    ],
)
def test_a_step_that_holds_is_left_when_it_is_time_and_nothing_is_lacking(
    at: float, reading: Reading, leaves: bool
) -> None:
    assert leaving(at).is_time(record(), reading) == leaves


@pytest.mark.parametrize("turns", [0, 1, 2])
def test_what_is_about_to_happen_is_seen_to_its_end(turns: int) -> None:
    one = record(turns)
    assert one.rollout is not None
    assert one.rollout.state.phase is not Phase.HOLDING
    assert not leaving(UNTIL + 1000).is_time(one, CALM)


def test_the_first_step_is_left_at_once_by_who_detaches() -> None:
    assert leaving(BEGAN, -math.inf).is_time(record(), replace(CALM, is_measured=False))
    assert not leaving(BEGAN, -math.inf).gives_up(record())


def test_who_carries_it_to_its_end_never_leaves() -> None:
    assert not NEVER.is_time(record(), CALM)
    assert not NEVER.gives_up(record())


def test_whoever_is_wanted_to_end_leaves_at_any_time() -> None:
    assert leaving(BEGAN, wants=lambda: "SIGTERM").is_time(record(1), READY)
    assert leaving(BEGAN, wants=lambda: "SIGTERM").gives_up(record(1))


def test_when_checks_asked_is_handed_over() -> None:
    since = BEGAN
    spans = [(-math.inf, since - 100), (-math.inf, since + 1), (since + 2, since + 4), (since + 8, math.inf)]
    left = leaving(since + 9, asked=lambda: spans).left(record(), CALM)
    assert left.handover is not None
    assert left.handover.asked == (
        (since, since + 1),
        (since + 2, since + 4),
        (since + 8, since + 9),
    )


def test_what_a_process_that_died_may_have_asked_is_not_counted() -> None:
    taken = Handover(asked=((1.0, 2.0),), taken=5.0)
    assert taken.asked_until(9.0) == ((1.0, 2.0), (5.0, 9.0))
    assert replace(taken, taken=None).asked_until(9.0) == ((1.0, 2.0),)


def test_how_often_containers_were_restarted_is_kept_where_it_was_not_seen_again() -> None:
    before = Handover(restarts={"a": 1, "b": 2})
    left = leaving(BEGAN).left(record(handover=before), replace(CALM, restarts=(("b", 3), ("c", 0))))
    assert left.handover is not None
    assert left.handover.restarts == {"a": 1, "b": 3, "c": 0}
    assert left.is_detached


def test_no_reading_is_kept_with_restarts() -> None:
    after = record(2).after(replace(READY, weight=5, at=BEGAN + 1, restarts=(("a", 1),)))
    assert after.rollout is not None
    assert after.rollout.history[-1].restarts == ()
