from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgate.core.check import Better, Bound, Metric, Rule
from mlgate.core.outcome import Outcome
from mlgate.core.power import ENOUGH, power
from mlgate.core.statistics import Width
from mlgate.core.verdict import Delta, Finding, Measurement, hold_baseline

UNIT = Metric("rougeL", "ratio", Better.HIGHER)
TIME = Metric("p50_ms", "ms", Better.LOWER)


def finding(delta: Delta, limit: float = 0.01, *, unit: Metric = UNIT, relative: bool = False) -> Finding:
    before = Measurement("c", unit.name, unit, 40.0 if unit is TIME else 0.3, 1000, math.nan, math.nan, "s")
    rule = Rule(unit.name, Bound.MAX_RISE if unit is TIME else Bound.MAX_DROP, limit, relative)
    return Finding("c", rule, Outcome.INCONCLUSIVE, "", "", "", before, before, delta)


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


@given(st.floats(1e-4, 0.1), st.floats(1e-4, 0.1))
def test_under_the_margin_that_is_named_enough_pass(error: float, limit: float) -> None:
    found = power(finding(compared(error), limit), 0.95)
    assert found is not None
    again = power(finding(compared(error), found.needed_margin), 0.95)
    assert again is not None
    assert again.passes == pytest.approx(ENOUGH)
    assert again.more == pytest.approx(1.0, abs=1e-3)


@given(st.floats(1e-4, 0.1), st.floats(1e-3, 0.1), st.floats(0, 0.05))
def test_with_the_data_that_is_named_enough_pass(error: float, limit: float, unseen: float) -> None:
    one = finding(compared(error, unseen), limit)
    found = power(one, 0.95)
    assert found is not None
    again = power(one, 0.95, found.more)
    assert again is not None
    assert again.passes >= ENOUGH - 1e-6


def test_what_so_few_examples_can_miss_stops_harmless_changes_too() -> None:
    one, other = power(finding(compared(0.001)), 0.95), power(finding(compared(0.001, unseen=0.02)), 0.95)
    assert one is not None
    assert other is not None
    assert one.passes > 0.99
    assert other.passes < 0.01
    assert other.more > 1.9


def test_of_times_the_share_is_of_the_ratio_and_an_early_look_is_no_excuse() -> None:
    early = Delta(0.4, Width(0.08), Width(0.08), base=40.0, rounds=15, error=0.02)
    one = finding(early, 0.05, unit=TIME, relative=True)
    found = power(one, 0.95, growth=4.0)
    assert found is not None
    assert found.margin == pytest.approx(0.05)
    assert found.known == pytest.approx(math.expm1(2.001 * 0.01), abs=1e-4)  # 60 rounds: half the error
    assert found.passes == pytest.approx(0.998, abs=0.001)


@pytest.mark.parametrize(("within", "times"), [(1.0, 2.0), (0.75, 3.0), (0.45, math.inf), (0.0, math.inf)])
def test_more_requests_a_round_take_away_what_single_ones_bring(within: float, times: float) -> None:
    error = 0.05 / (1.959964 + 1.644854) * math.sqrt(2)  # twice the square of what is wanted
    delta = Delta(0.0, Width(0.0), Width(0.0), base=40.0, rounds=10**9, error=error, within=within)
    found = power(finding(delta, math.expm1(0.05), unit=TIME, relative=True), 0.95)
    assert found is not None
    assert found.crowded == pytest.approx(times, rel=0.01)


def test_a_difference_that_says_its_width_only_is_no_more_certain_for_that() -> None:
    said, silent = (power(finding(one), 0.95) for one in (compared(0.004), replace(compared(0.004), error=0.0)))
    assert said is not None
    assert silent is not None
    assert silent.passes == pytest.approx(said.passes, abs=0.001)


def test_where_nothing_differed_a_harmless_change_passes() -> None:
    found = power(finding(Delta(0.0, Width(0.0), Width(0.0), identical=True)), 0.95)
    assert found is not None
    assert found.passes == 1.0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_no_number_is_not_foretold(bad: float) -> None:
    found = power(finding(Delta(0.0, Width(bad), Width(bad), error=bad)), 0.95)
    assert found is not None
    assert math.isnan(found.passes)
    assert math.isinf(found.more)


def test_only_comparisons_are_foretold() -> None:
    one = finding(compared(0.01))
    assert power(replace(one, delta=None), 0.95) is None
    assert power(replace(one, rule=replace(one.rule, bound=Bound.MIN)), 0.95) is None
