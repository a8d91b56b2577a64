from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgate.core.stats.jackknife import (
    Array,
    Width,
    change_size,
    influence,
    interval,
    simultaneous,
    standard_error,
    width,
)
from mlgate.core.stats.student_t import student


def mean(totals: Array) -> Array:
    return np.asarray(totals[..., 0] / totals[..., 1])


def table(values: list[float]) -> Array:
    return np.column_stack([values, np.ones(len(values))])


def test_the_influence_of_a_mean_is_each_values_distance_from_it() -> None:
    values = [1.0, 2.0, 4.0, 9.0]
    assert influence(table(values), mean) == pytest.approx(np.array(values) - 4.0)


def test_the_interval_of_a_mean_of_even_values_is_students() -> None:
    values = np.linspace(1, 5, 50)
    found = interval(float(values.mean()), influence(table(list(values)), mean), 0.95)
    half = student(0.975, 49) * values.std(ddof=1) / np.sqrt(50)
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half))


@pytest.mark.parametrize(
    ("losses", "exact"), [(2, 7.225), (3, 8.767), (5, 11.668), (10, 18.390), (15, 24.740), (30, 42.827)]
)
def test_a_few_losses_among_many_equals_are_bounded_as_a_poisson_count_is(losses: int, exact: float) -> None:
    values = np.zeros(10_000)
    values[:losses] = 1.0
    found = interval(float(values.mean()), influence(table(list(values)), mean), 0.95)
    assert found.high * 10_000 == pytest.approx(exact, rel=0.03)


def test_no_interval_is_narrower_than_students() -> None:
    rng = np.random.default_rng(4)
    for values in (rng.normal(size=40), rng.exponential(size=40), rng.standard_t(2, size=40), 1e100 * rng.random(40)):
        found = interval(0.0, values, 0.95)
        assert found.high >= student(0.975, 39) * standard_error(values) * (1 - 1e-12)


def test_equal_influences_have_no_width_and_numbers_that_are_none_no_interval() -> None:
    assert interval(1.0, np.full(30, 0.25), 0.95).high == 1.0
    assert not interval(1.0, np.array([1.0, np.nan, 2.0]), 0.95).finite
    assert not interval(1.0, np.array([1.0, np.inf, 2.0]), 0.95).finite


def test_chunks_do_not_change_the_influence(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(2).random((101, 2)) + 1
    whole = influence(rows, mean)
    monkeypatch.setattr("mlgate.core.stats.jackknife._CHUNK_NUMBERS", 10)
    assert influence(rows, mean) == pytest.approx(whole, abs=1e-12)


def test_one_row_has_no_interval() -> None:
    assert not interval(1.0, influence(table([1.0]), mean), 0.95).finite
    assert np.isnan(standard_error(np.array([1.0])))


def test_independent_comparisons_cost_what_sidak_says_and_equal_ones_cost_nothing() -> None:
    rng = np.random.default_rng(3)
    independent = rng.normal(size=(4000, 5))
    assert simultaneous(independent, 0.95) == pytest.approx(0.95 ** (1 / 5), abs=1e-3)
    same = np.repeat(independent[:, :1], 5, axis=1)
    assert simultaneous(same, 0.95) == pytest.approx(0.95, abs=2e-3)
    assert simultaneous(independent[:, :1], 0.95) == 0.95
    assert simultaneous(np.zeros((40, 3)), 0.95) == 0.95


@given(st.integers(1, 30), st.floats(0.51, 0.999), st.integers(0, 9))
def test_together_asks_at_least_what_one_asks_and_at_most_what_independent_ones_do(
    columns: int, confidence: float, seed: int
) -> None:
    table = np.random.default_rng(seed).normal(size=(50, columns))
    assert confidence <= simultaneous(table, confidence) <= confidence ** (1 / columns)


def test_where_no_example_moved_the_interval_is_the_exact_limit_for_none_of_n() -> None:
    still, unchanged = np.zeros(100), np.zeros(100, bool)
    found = interval(0.0, still, 0.95, change_size(still, unchanged, span=1.0))
    assert found.high == pytest.approx(-np.log(0.025) / 100)
    assert 1 - (1 - found.high) ** 100 == pytest.approx(0.975, abs=0.002)
    assert interval(0.0, still, 0.95).high == 0


def test_a_change_that_is_seen_takes_from_the_pretended_ones_weight() -> None:
    moved = np.array([0.0, 0.25, -0.75, 0.0])
    assert change_size(moved, moved != 0, span=1.0) == pytest.approx((1 + 0.25 + 0.75) / 3)
    assert change_size(moved, np.array([True] * 4), span=1.0) == pytest.approx((1 + 0.25 + 0.75) / 5)


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=60), st.floats(0.5, 0.999, exclude_min=True), st.floats(0, 1))
def test_no_interval_is_narrower_than_its_floor(values: list[float], confidence: float, size: float) -> None:
    found = width(np.array(values), confidence, size)
    assert found.half >= found.floor == pytest.approx(-np.log((1 - confidence) / 2) * size / len(values))


@pytest.mark.parametrize("confidence", [0.0, -0.5, 1.0, 0.9999999999999999, 2.0, float("nan")])
def test_a_confidence_that_is_none_has_no_width(confidence: float) -> None:
    assert not width(np.array([0.1, 0.2, 0.4]), confidence, 1.0).finite


@given(st.floats(1e-6, 1e6), st.floats(0, 1e6), st.floats(1e-6, 1e6))
def test_after_its_growth_a_width_is_what_was_wanted(spread: float, floor: float, distance: float) -> None:
    growth = Width(spread, floor).growth(distance)
    after = Width(spread / math.sqrt(growth), floor / growth)
    assert after.half == pytest.approx(distance)
    assert Width(spread, floor).growth(0.0) == Width(spread, floor).growth(-1.0) == math.inf
