"""A tighter rule never has a milder outcome, with the same evidence, whatever `on_breach` and `on_inconclusive` say."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.laws.test_latency import KINDS, observed, speed
from tests.support.law_load import LawLoad

from mlgate.core.check import Bound, Check, Example, Rule
from mlgate.core.comparison import hold_baseline, hold_fact, hold_slice
from mlgate.core.latency.block import LoadBlock
from mlgate.core.latency.metrics import timing as metric_of
from mlgate.core.limits import hold_bounds, hold_limit
from mlgate.core.metric import Better, Metric
from mlgate.core.outcome import Outcome
from mlgate.core.stats.aa_noise import noise
from mlgate.core.stats.jackknife import Width
from mlgate.core.stats.ratio import ratio
from mlgate.core.stats.series import Fact, Series
from mlgate.core.verdict import Delta, Finding, Measurement
from mlgate.flow import judge_latency
from mlgate.flow.base_rules import joined
from mlgate.flow.judge import Baseline, judge

SOFT = st.sampled_from([Outcome.INCONCLUSIVE, Outcome.WARNED])
BREACH = st.sampled_from([Outcome.FAILED, Outcome.WARNED])
METRICS = st.sampled_from([Metric("m", "ratio", Better.HIGHER), Metric("m", "ratio", Better.LOWER)])
LIMITS = st.lists(st.floats(0, 2), min_size=2, max_size=6)
finite = st.floats(-2, 2)


@st.composite
def chains(draw: st.DrawFn, bounds: Sequence[Bound], name: str = "m") -> list[Rule]:
    """Rules of one bound, each at least as tight as the one before: in its limit, or in what it makes of a breach."""
    bound = draw(st.sampled_from(bounds))
    limits = sorted(draw(LIMITS), reverse=bound is not Bound.MIN)
    breach, soft = draw(BREACH), draw(SOFT)
    found = []
    for limit in limits:
        breach = Outcome.FAILED if breach is Outcome.FAILED else draw(BREACH)
        soft = Outcome.INCONCLUSIVE if soft is Outcome.INCONCLUSIVE else draw(SOFT)
        relative = bound.compares and name != "m"
        found.append(Rule(name, bound, limit, relative, on_breach=breach, on_inconclusive=soft))
    return found


def assert_never_milder(rules: Sequence[Rule], judged: Callable[[Rule], Finding]) -> None:
    found = [judged(rule) for rule in rules]
    said = [(one.rule.limit_text, one.outcome.name, one.topic) for one in found]
    assert [one.outcome for one in found] == sorted(one.outcome for one in found), said


@given(METRICS, chains([Bound.MIN, Bound.MAX]), finite, finite, finite)
def test_of_a_value_that_is_held_against_a_limit(
    metric: Metric, rules: list[Rule], value: float, a: float, b: float
) -> None:
    one = Measurement("c", "m", metric, value, 100, 0.0, 0.0, "s")
    assert_never_milder(rules, lambda rule: hold_limit(rule, one))
    low, high = sorted((a, b))
    assert_never_milder(rules, lambda rule: hold_bounds(rule, one, low, high))


@given(METRICS, st.data(), finite, finite, st.floats(0, 1), st.floats(0, 0.5), st.floats(1, 3), st.booleans())
def test_of_a_difference_to_the_baseline(
    metric: Metric,
    data: st.DataObject,
    before: float,
    change: float,
    spread: float,
    floor: float,
    widening: float,
    same: bool,
) -> None:
    rules = data.draw(chains([Bound.MAX_DROP if metric.better is Better.HIGHER else Bound.MAX_RISE]))
    n = data.draw(st.sampled_from([5, 19, 20, 200]))
    past = Measurement("c", "m", metric, before, n, 0.0, 0.0, "s")
    now = replace(past, value=before + change)
    early = data.draw(st.booleans())
    delta = Delta(change, Width(spread, floor), Width(spread * widening, floor), identical=same, early=early)
    for hold in (hold_baseline, hold_slice):
        assert_never_milder(rules, lambda rule, hold=hold: hold(rule, now, past, delta))  # type: ignore[misc]
    assert_never_milder(rules, lambda rule: hold_fact(rule, now, past))


@st.composite
def duets(draw: st.DrawFn, name: str) -> tuple[Series, Series]:
    """Two sides of some rounds, of equal models or not, on a quiet machine or not, one value a request or not."""
    found = metric_of(name)
    assert found is not None
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rounds, each = draw(st.sampled_from([9, 14, 16, 30])), draw(st.sampled_from([5, 12, 40, 60, 200]))
    slower = draw(st.sampled_from([1.0, 1.02, 1.05, 1.1, 1.5, 3.0]))
    shaken, own = draw(st.sampled_from([0.0, 0.05, 0.3])), draw(st.sampled_from([0.02, 0.15, 0.6]))
    numbers = np.repeat(np.arange(1, rounds + 1), each)
    machine = np.exp(rng.normal(0, shaken, rounds))
    first = {number: bool(number % 4 in (1, 2)) for number in range(1, rounds + 1)}
    places = np.tile(np.arange(each), rounds) if draw(st.booleans()) else None
    sides = []
    for factor, opens in ((slower, True), (1.0, False)):
        block = machine * np.exp(rng.normal(0, shaken / 3, rounds))
        values = 20 * factor * np.repeat(block, each) * np.exp(rng.normal(0, own, rounds * each))
        began = {number: one is opens for number, one in first.items()}
        one = Series(name, found.metric, "s", found.quantile, values, numbers, began, "one run")
        sides.append(replace(one, requests=places, examples=places))
    return sides[0], sides[1]


@pytest.mark.parametrize("name", ["p50_ms", "p95_ms", "p99_ms", "mean_ms"])
@settings(max_examples=60)
@given(data=st.data())
def test_of_times_that_were_taken_in_turn(name: str, data: st.DataObject) -> None:
    part, past = data.draw(duets(name))
    rules = data.draw(chains([Bound.MAX_RISE], name))
    compared = ratio(part, past)
    floor, half = noise(part, past), compared.half(0.95)
    edges = {0.001, 0.04, 0.1, 0.6, part.corpus() / past.corpus() - 1, compared.value - 1}
    edges |= {compared.value * math.exp(min(half, 9.0)) - 1} if math.isfinite(half) else set()
    edges |= {edge * times for edge in (floor, math.expm1(min(half, 9.0))) if edge > 0 for times in (0.99, 1.01)}
    soft, breach = data.draw(SOFT), data.draw(BREACH)
    rules += [
        Rule(name, Bound.MAX_RISE, max(0.0, edge), relative=True, on_breach=breach, on_inconclusive=soft)
        for edge in edges
    ]
    check = Check("speed", "latency", ())
    for soften in (Outcome.INCONCLUSIVE, Outcome.WARNED):
        chain = sorted((replace(rule, on_inconclusive=soften, on_breach=breach) for rule in rules), key=_loosest)
        assert_never_milder(chain, lambda rule: next(judge_latency.compare(check, [(rule, part, past)], across=False)))
    assert_never_milder(
        sorted((replace(rule, bound=Bound.MAX, relative=False, limit=50 * rule.limit) for rule in chain), key=_loosest),
        lambda rule: judge_latency.hold(check, rule, part),
    )


def _loosest(rule: Rule) -> float:
    return -rule.limit


@pytest.mark.parametrize("metric", [Metric("image_mb", "MB", Better.LOWER), Metric("start_s", "s", Better.LOWER)])
@given(data=st.data())
def test_of_a_number_that_a_run_has_once(metric: Metric, data: st.DataObject) -> None:
    now, past = (Fact(metric.name, metric, "s", data.draw(st.floats(1, 3)), "run") for _ in range(2))
    rules = data.draw(chains([Bound.MAX_RISE], metric.name))
    check = Check("speed", "latency", ())
    assert_never_milder(rules, lambda rule: next(judge_latency.compare(check, [(rule, now, past)], across=False)))


@pytest.mark.parametrize("soft", [Outcome.INCONCLUSIVE, Outcome.WARNED])
@pytest.mark.parametrize("breach", [Outcome.FAILED, Outcome.WARNED])
@pytest.mark.parametrize("law", [LawLoad(), LawLoad(fails=0.02), LawLoad(dies_after=700)])
def test_of_errors_of_a_model_that_lives_or_dies(law: LawLoad, breach: Outcome, soft: Outcome) -> None:
    limits = (1.0, 0.5, 0.1, 0.03, 0.02, 0.01, 0.0)
    rules = [Rule("error_rate", Bound.MAX, one, on_breach=breach, on_inconclusive=soft) for one in limits]
    suite, evidence = observed(speed(rules[0]), replace(law, asked={}, count=0))
    (check,) = suite.checks
    outcomes = [
        judge(replace(suite, checks=(replace(check, rules=(rule,)),)), KINDS, evidence, None).outcome for rule in rules
    ]
    assert outcomes == sorted(outcomes)


@pytest.mark.parametrize("name", ["p95_ms", "p99_ms"])
@pytest.mark.parametrize("slower", [1.0, 3.0, 10.0, 30.0])
def test_in_a_closed_loop_a_slower_model_is_never_milder_because_fewer_requests_fit(name: str, slower: float) -> None:
    """A run of fixed length holds fewer requests of a slower model, and too few requests are what a rule may soften."""

    class Timed(LawLoad):
        def press(self, examples: Sequence[Example], order: Sequence[int], _: int, seconds: float) -> LoadBlock:
            n = max(1, round(20 / self.slower))
            replies = tuple(self._reply(examples, order[i % len(order)], seconds * i / n, 1.0) for i in range(n))
            return LoadBlock(replies, {"wall_s": seconds, "cpu_s": self.cpu, "steal_s": 0.0})

    limit = Rule(name, Bound.MAX, 45.0, on_inconclusive=Outcome.WARNED)
    rise = Rule(name, Bound.MAX_RISE, 0.9, relative=True, on_inconclusive=Outcome.WARNED)
    check = speed(limit, rise, mode="closed", concurrency=1)
    suite, evidence = observed(check, Timed(slower=slower), Timed(seed=2))
    outcome = judge(suite, KINDS, evidence, Baseline("image old", None, "")).outcome
    assert outcome.blocks is (slower > 1)


def test_a_slower_tail_fails_under_every_margin_that_it_breaks_and_no_softening_lets_it_through() -> None:
    """A change tightened its own p99 from 60 % to 0.1 %, and `on_inconclusive: warn` let a 3 times slower model in."""
    soft = Rule("p99_ms", Bound.MAX_RISE, 0.6, relative=True, on_inconclusive=Outcome.WARNED)
    check = speed(soft)
    suite, evidence = observed(check, LawLoad(slower=3.0), LawLoad(seed=2))
    mine, *others = suite.checks
    for limit in (0.6, 0.1, 0.04, 0.001, 0.0):
        head = replace(mine, rules=(replace(soft, limit=limit),))
        both, _ = joined([mine], [head])
        for judged in (head, *both):
            report = judge(replace(suite, checks=(judged, *others)), KINDS, evidence, Baseline("image old", None, ""))
            assert report.outcome is Outcome.FAILED, limit


def test_where_the_base_softens_the_tighter_rule_of_a_change_stands_beside_the_bases() -> None:
    soft = Rule("p99_ms", Bound.MAX_RISE, 0.6, relative=True, on_inconclusive=Outcome.WARNED)
    for base in (soft, replace(soft, on_inconclusive=Outcome.INCONCLUSIVE, on_breach=Outcome.WARNED)):
        tighter = replace(base, limit=0.001)
        (both,), _ = joined([speed(base)], [speed(tighter)])
        assert [rule.limit for rule in both.rules] == [0.6, 0.001]
    hard = replace(soft, on_inconclusive=Outcome.INCONCLUSIVE)
    (both,), _ = joined([speed(hard)], [speed(replace(hard, limit=0.001))])
    assert [rule.limit for rule in both.rules] == [0.001]
