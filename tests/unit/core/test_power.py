from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgate.core.check import Bound, Rule
from mlgate.core.comparison import hold_baseline
from mlgate.core.metric import Better, Metric
from mlgate.core.outcome import Outcome
from mlgate.core.power import ENOUGH_PASSES, power
from mlgate.core.stats.jackknife import Width
from mlgate.core.stats.student_t import student
from mlgate.core.verdict import Delta, Finding, Measurement

UNIT = Metric("rougeL", "ratio", Better.HIGHER)
TIME = Metric("p50_ms", "ms", Better.LOWER)
RATE = Metric("tokens_per_s", "1/s", Better.HIGHER)


def finding(delta: Delta, limit: float = 0.01, *, unit: Metric = UNIT, relative: bool = False) -> Finding:
    value = delta.base or 0.3
    before = Measurement("c", unit.name, unit, value, 1000, math.nan, math.nan, "s")
    bound = Bound.MAX_RISE if unit.better is Better.LOWER else Bound.MAX_DROP
    return Finding(
        "c", Rule(unit.name, bound, limit, relative), Outcome.INCONCLUSIVE, "", "", "", before, before, delta
    )


def compared(error: float, unseen: float = 0.0) -> Delta:
    return Delta(0.0, Width(1.96 * error), Width(2.3 * error), unseen=unseen, error=error)


@pytest.mark.parametrize("error", [0.002, 0.004, 0.01])
def test_as_many_pass_as_would(error: float) -> None:
    one = finding(compared(error))
    found = power(one, 0.95)
    assert found is not None
    assert one.baseline is not None
    rng, passed = np.random.default_rng(1), []
    for value in rng.normal(0, error, 4000):
        delta = replace(one.delta or compared(error), value=float(value))
        after = replace(one.baseline, value=one.baseline.value + float(value))
        passed.append(hold_baseline(one.rule, after, one.baseline, delta).outcome is Outcome.PASSED)
    assert found.passes == pytest.approx(np.mean(passed), abs=0.025)


@given(st.floats(1e-4, 0.08), st.floats(1e-4, 0.1))
def test_under_the_margin_that_is_named_enough_pass(error: float, limit: float) -> None:
    found = power(finding(compared(error), limit), 0.95)
    assert found is not None
    again = power(finding(compared(error), found.needed_margin), 0.95)
    assert again is not None
    assert again.passes == pytest.approx(ENOUGH_PASSES)
    assert again.more == pytest.approx(1.0, abs=1e-3)


@given(st.floats(1e-4, 0.1), st.floats(1e-3, 0.1), st.floats(0, 0.05))
def test_with_the_data_that_is_named_enough_pass(error: float, limit: float, unseen: float) -> None:
    one = finding(compared(error, unseen), limit)
    found = power(one, 0.95)
    assert found is not None
    again = power(one, 0.95, found.more)
    assert again is not None
    assert again.passes >= ENOUGH_PASSES - 1e-6


def test_what_so_few_examples_can_miss_stops_harmless_changes_too() -> None:
    one, other = power(finding(compared(0.001)), 0.95), power(finding(compared(0.001, unseen=0.02)), 0.95)
    assert one is not None
    assert other is not None
    assert one.passes > 0.99
    assert other.passes < 0.01
    assert other.more > 1.9


def test_of_times_the_share_is_of_the_ratio_and_an_early_look_is_no_excuse() -> None:
    half = 0.02 * student(0.995, 14)
    early = Delta(0.4, Width(half), Width(half), base=40.0, rounds=15, error=0.02, sure=0.99)
    found = power(finding(early, 0.05, unit=TIME, relative=True), 0.95, growth=4.0)
    assert found is not None
    assert found.margin == pytest.approx(0.05)
    assert found.known == pytest.approx(math.expm1(2.001 * 0.01), abs=1e-4)  # 60 rounds: half the error
    assert found.passes == pytest.approx(0.998, abs=0.001)


def test_what_guards_an_interval_guards_the_next_one() -> None:
    """The verdict is by the interval, not by its error: ranks, a mean beside a median, two percentiles' own ratio."""
    narrow = Delta(0.0, Width(0.02 * student(0.975, 59)), Width(0.1), base=40.0, rounds=60, error=0.02)
    wide = replace(narrow, alone=Width(0.12))
    found, guarded = (power(finding(one, 0.1, unit=TIME, relative=True), 0.95) for one in (narrow, wide))
    assert found is not None
    assert guarded is not None
    assert found.passes > 0.99
    assert guarded.known == pytest.approx(math.expm1(0.12))
    assert guarded.passes < 0.12, "the verdict is inconclusive at the very estimate that is foretold"
    assert guarded.more > 2 * found.more


@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize("limit", [0.05, 0.1, 0.2, 0.4])
@pytest.mark.parametrize("unit", [TIME, RATE])
def test_of_ratios_as_many_pass_as_would(unit: Metric, limit: float, relative: bool) -> None:
    delta = Delta(0.0, Width(0.1), Width(0.12), base=40.0, rounds=60, error=0.1 / student(0.975, 59))
    one = finding(delta, limit if relative else limit * 40, unit=unit, relative=relative)
    found = power(one, 0.95)
    assert found is not None
    assert one.baseline is not None
    passed = []
    for log in np.random.default_rng(2).normal(0, delta.error, 2000):
        after = replace(one.baseline, value=40 * math.exp(log))
        moved = replace(delta, value=40 * math.expm1(log))
        passed.append(hold_baseline(one.rule, after, one.baseline, moved).outcome is Outcome.PASSED)
    assert found.passes == pytest.approx(np.mean(passed), abs=0.03)
    if math.isfinite(found.needed_margin):
        again = power(finding(delta, found.needed_margin, unit=unit, relative=relative), 0.95)
        assert again is not None
        assert again.passes == pytest.approx(ENOUGH_PASSES)


def test_a_fall_by_all_there_is_is_no_margin() -> None:
    delta = Delta(0.0, Width(4.0), Width(5.0), base=40.0, rounds=60, error=2.0)
    for unit, none in ((RATE, True), (TIME, False)):
        found = power(finding(delta, 0.1, unit=unit, relative=True), 0.95)
        assert found is not None
        assert math.isinf(found.needed_margin) is none
    loose = power(finding(replace(delta, alone=Width(0.1), error=0.05), 1.2, unit=RATE, relative=True), 0.95)
    assert loose is not None
    assert loose.passes == 1.0


def test_more_data_are_looked_at_more_often() -> None:
    one = finding(Delta(0.0, Width(0.06), Width(0.08), base=40.0, rounds=60, error=0.03), 0.1, unit=TIME, relative=True)
    once, often = power(one, 0.95), power(one, 0.95, 1.0, 0.963)
    assert once is not None
    assert often is not None
    assert (once.passes, once.needed_margin) == (often.passes, often.needed_margin)
    assert often.more > 1.02 * once.more


def test_a_difference_that_says_its_width_only_is_no_more_certain_for_that() -> None:
    said, silent = (power(finding(one), 0.95) for one in (compared(0.004), replace(compared(0.004), error=0.0)))
    assert said is not None
    assert silent is not None
    assert silent.passes == pytest.approx(said.passes, abs=0.001)


@pytest.mark.parametrize("identical", [True, False])
def test_where_nothing_differed_nothing_is_foretold(identical: bool) -> None:
    found = power(finding(Delta(0.0, Width(0.0), Width(0.0), identical=identical)), 0.95)
    assert found is not None
    assert math.isnan(found.passes)
    assert "changed nothing" in found.unknown


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("rounds", [0, 60])
def test_what_is_no_number_is_not_foretold(bad: float, rounds: int) -> None:
    delta = Delta(0.0, Width(bad), Width(bad), error=0.01, rounds=rounds, base=40.0 if rounds else 0.0)
    found = power(replace(finding(delta), why="it is not known"), 0.95)
    assert found is not None
    assert math.isnan(found.passes)
    assert math.isinf(found.more)
    assert found.unknown == "it is not known"


def test_too_few_examples_pass_under_no_margin() -> None:
    one = finding(compared(0.001))
    assert one.measured is not None
    found = power(replace(one, measured=replace(one.measured, n=8)), 0.95)
    assert found is not None
    assert found.passes == 0.0
    assert math.isinf(found.needed_margin)
    assert found.more == 2.5


@pytest.mark.parametrize(("topic", "withheld"), [("left-out", True), ("pieces", True), ("noise", True), ("", False)])
def test_a_pass_that_is_withheld_for_another_reason_is_not_foretold(topic: str, withheld: bool) -> None:
    found = power(replace(finding(compared(0.001)), topic=topic, why="for another reason"), 0.95)
    assert found is not None
    assert math.isnan(found.passes) is withheld


def test_from_100_examples_on_half_of_what_they_can_miss_is_held_as_the_verdict_holds_it() -> None:
    one = finding(compared(0.0001, unseen=0.04), 0.03)
    assert one.measured is not None
    found = power(replace(one, measured=replace(one.measured, n=90)), 0.95)
    assert found is not None
    assert found.more == pytest.approx(100 / 90, rel=0.01)


def test_only_comparisons_are_foretold() -> None:
    one = finding(compared(0.01))
    assert power(replace(one, delta=None), 0.95) is None
    assert power(replace(one, rule=replace(one.rule, bound=Bound.MIN)), 0.95) is None
