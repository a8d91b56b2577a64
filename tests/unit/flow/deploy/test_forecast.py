"""What is said before a rollout begins of steps that will last longer than they hold."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.simulated_rollout import BEGAN, SimulatedRollout

from mlgate.core.check import Bound, Rule
from mlgate.core.deploy.rollout import Opening, Plan
from mlgate.core.deploy.traffic import Traffic, TrafficCounts, TrafficWindow
from mlgate.flow.deploy.forecast import assumed, at_rate, long_steps, rate_of, serving, step_forecasts

PLAN = Plan((5, 25, 100), 600.0, 300.0, 0.0)
FOUR_HOURS = 4 * 3600.0
RULES = (Rule("error_rate", Bound.MAX_RISE, 0.005), Rule("p95_ms", Bound.MAX_RISE, 0.1, relative=True))
EDGES = (50.0, 100.0, 250.0)


def seen(rate: float, errors: float = 0.002) -> Traffic:
    n = rate * 600
    counts = TrafficCounts(n, n * errors, (n * 0.6, n * 0.15, n * 0.01), n)
    return Traffic(EDGES, (TrafficWindow(600.0, 600.0, counts, None),))


def test_enough_traffic_needs_no_words() -> None:
    assert list(long_steps(PLAN, RULES, seen(20), FOUR_HOURS)) == []


def test_the_slowest_rule_of_a_step_is_told() -> None:
    first, second = long_steps(PLAN, RULES, seen(4), FOUR_HOURS)
    assert first.startswith("step of 5 %: at 4 requests/s error_rate max_rise 0.005 takes about ")
    assert first.endswith(", longer than it holds (10 min)")
    assert second.startswith("step of 25 %: at 4 requests/s error_rate max_rise 0.005 takes about ")


def test_what_cannot_be_settled_at_all_is_told() -> None:
    said = list(long_steps(PLAN, RULES, seen(0.1), FOUR_HOURS))
    assert len(said) == 2
    assert all("is not settled before the deadline: a candidate like what serves would go back" in one for one in said)


def test_a_rule_that_can_never_be_judged_is_told_with_the_reason() -> None:
    n = 12_000.0
    counts = TrafficCounts(n, 0.0, (n * 0.6, n * 0.5, n * 0.001), n)
    said = list(long_steps(PLAN, RULES, Traffic(EDGES, (TrafficWindow(600.0, 600.0, counts, None),)), FOUR_HOURS))
    assert said[0].startswith(
        "step of 5 %: at 20 requests/s p95_ms max_rise 10% cannot be judged: the histogram is too"
    )


def test_a_rule_that_asks_for_better_lasts_no_longer_than_its_step() -> None:
    assert list(long_steps(PLAN, [Rule("error_rate", Bound.SUPERIOR, 0.0)], seen(0.1), FOUR_HOURS)) == []


def test_a_shadow_is_foretold_too() -> None:
    plan = Plan((0, 50, 100), 600.0, 300.0, 0.0, Opening.MIRRORED, 60.0)
    said = list(long_steps(plan, RULES[:1], seen(2), FOUR_HOURS))
    assert said[0].startswith("step of 0 % (mirrored): at 2 requests/s ")
    assert said[0].endswith("longer than it holds (60 s)")


@pytest.mark.parametrize("nothing", [Traffic(), seen(0)])
def test_a_service_that_nobody_asks_is_told(nothing: Traffic) -> None:
    (said,) = long_steps(PLAN, RULES, nothing, FOUR_HOURS)
    assert said.startswith("nobody asks the service now")


def test_limits_are_foretold_of_the_last_step_too() -> None:
    rule = Rule("error_rate", Bound.MAX, 0.004)
    assert [one.partition(":")[0] for one in long_steps(PLAN, [rule], seen(2), FOUR_HOURS)][-1] == "step of 100 %"


@pytest.mark.parametrize(("share", "serves"), [(0.002, 0.002), (0.2, 0.002)], ids=["promoted", "rolled back"])
def test_what_serves_after_a_rollout_is_asked_for_both_models(share: float, serves: float) -> None:
    story = SimulatedRollout(share=share, plan=Plan((50, 100), 600.0, 300.0, BEGAN + 3600)).run()
    second = serving(story)
    assert rate_of(second) == pytest.approx(20, rel=0.05)
    assert second.edges_ms == story.traffic.edges_ms
    (window,) = second.windows
    assert window.candidate is not None
    assert window.candidate.errors / window.candidate.requests == pytest.approx(serves, abs=0.002)
    assert rate_of(at_rate(second, 100)) == pytest.approx(100)


def test_a_rollout_without_requests_says_nothing_of_the_service() -> None:
    story = SimulatedRollout(rate=0.0, plan=Plan((5, 100), 600.0, 300.0, BEGAN + 3600)).run()
    assert rate_of(serving(story)) == 0
    assert rate_of(serving(replace(story, traffic=Traffic()))) == 0


def test_ten_times_the_requests_are_settled_sooner() -> None:
    rules = [*RULES, Rule("requests", Bound.MIN, 500.0)]
    slow, fast = (list(step_forecasts(PLAN, rules, assumed(rate, 0.002), FOUR_HOURS)) for rate in (8.0, 80.0))
    assert [(one.weight, one.rule) for one in slow] == [(one.weight, one.rule) for one in fast]
    assert all(a.after >= b.after for a, b in zip(slow, fast, strict=True))
    assert all(one.requests == pytest.approx(80 * one.weight / 100 * one.after) for one in fast if not one.why)
    few = next(one for one in slow if one.rule.metric == "requests")
    assert few.requests >= 500
