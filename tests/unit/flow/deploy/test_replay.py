"""A kept rollout, judged by other rules than its own. That its own come to the same is a law."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from tests.support.simulated_rollout import BEGAN, RULES, SimulatedRollout

from mlgate.core.check import Bound, Rule
from mlgate.core.deploy.rollout import Health, Plan, Reading
from mlgate.core.deploy.story import RolloutStory
from mlgate.core.deploy.traffic import Traffic
from mlgate.core.errors import EvidenceError
from mlgate.flow.deploy.replay import replay

PLAN = Plan((25, 100), 300.0, 120.0, BEGAN + 3600)


LOOSE = Rule("error_rate", Bound.MAX, 0.1)


@cache
def story(share: float = 0.002) -> RolloutStory:
    return SimulatedRollout(share=share, plan=PLAN, rules=[LOOSE]).run()


def test_tighter_rules_take_back_what_was_promoted() -> None:
    assert story(0.04).is_promoted
    found = replay(story(0.04), RULES)
    assert (found.exit_code, len(found.steps)) == (1, 1)
    step = found.deciding
    assert step is not None
    assert (step.weight, step.then.passed, step.now.passed) == (25, True, False)
    assert step.now.after < step.then.after
    assert "max_rise 0.005 allows +0.5 points" in step.now.why


def test_what_went_back_early_is_not_decided_by_wider_rules() -> None:
    assert not story(0.2).is_promoted
    found = replay(story(0.2), [Rule("error_rate", Bound.MAX, 0.5)])
    assert (found.exit_code, found.is_promoted, found.deciding) == (3, False, None)
    assert [step.now.passed for step in found.steps] == [None]


def test_a_step_that_is_not_decided_does_not_hide_a_later_one() -> None:
    few = Rule("requests", Bound.MIN, 3000.0)
    found = replay(story(0.04), [few])
    assert [step.now.passed for step in found.steps] == [None, True]
    assert found.exit_code == 3
    found = replay(story(0.04), [few, Rule("p95_ms", Bound.MAX, 90.0)])
    assert [step.now.passed for step in found.steps] == [None, False]
    assert found.exit_code == 1


def test_what_stopped_a_rollout_is_nothing_that_rules_say() -> None:
    whole = story()
    turn = next(n for n, state in enumerate(whole.rollout.states) if state.weight(PLAN) == 100)
    stopped = whole.at(turn + 1).rollout
    assert stopped is not None
    for reading in (
        Reading(stopped.state.since + 60, stop="SIGTERM"),
        Reading(BEGAN + 3000, weight=0, is_settled=True),
    ):
        stopped = stopped.after(replace(reading, candidate=Health.READY))
    found = replay(replace(whole, rollout=stopped), [LOOSE])
    assert [step.now.passed for step in found.steps] == [True, None]
    assert found.steps[1].then.why == "SIGTERM"
    assert found.exit_code == 3


def test_what_nobody_counted_cannot_be_judged() -> None:
    for nothing in (replace(story(), traffic=Traffic()), replace(story(), judged_by=None)):
        with pytest.raises(EvidenceError, match="nothing was counted"):
            replay(nothing, RULES)
