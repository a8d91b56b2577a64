from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgate.core.stats import warmup
from mlgate.core.stats.jackknife import Array


def steady(n: int = 2000, seed: int = 1) -> Array:
    return np.random.default_rng(seed).lognormal(3, 0.15, n)


@pytest.mark.parametrize("seed", range(5))
def test_without_warm_up_nothing_is_cut(seed: int) -> None:
    assert warmup.cut(steady(seed=seed)) == 0


@pytest.mark.parametrize("seed", range(5))
def test_a_slow_warm_up_is_cut(seed: int) -> None:
    slower = 1 + 2 * np.exp(-np.arange(2000) / 200)
    at = warmup.cut(steady(seed=seed) * slower)
    assert 400 <= at <= 1000
    assert np.median(slower[at:]) < 1.02


def test_ten_slow_requests_are_cut_and_little_more() -> None:
    values = steady()
    values[:10] *= 10
    assert 10 <= warmup.cut(values) <= 60


def test_a_run_that_is_still_warming_up_is_cut_whole() -> None:
    assert warmup.cut(steady() * (1 + 2 * np.exp(-np.arange(2000) / 800))) == 2000


def test_a_machine_that_becomes_slower_is_no_warm_up() -> None:
    assert warmup.cut(steady() * np.linspace(1, 1.5, 2000)) == 0


def test_a_busy_neighbour_in_the_middle_is_no_warm_up() -> None:
    values = steady()
    values[800:1000] *= 1.5
    assert warmup.cut(values) == 0


def test_one_late_spike_does_not_move_the_end() -> None:
    slower = steady() * (1 + 2 * np.exp(-np.arange(2000) / 100))
    spiked = slower.copy()
    spiked[1900] *= 1000
    assert abs(warmup.cut(spiked) - warmup.cut(slower)) <= 100


@given(st.floats(1e-3, 1e3))
def test_the_unit_of_time_does_not_matter(unit: float) -> None:
    values = steady() * (1 + 2 * np.exp(-np.arange(2000) / 150))
    assert warmup.cut(values * unit) == warmup.cut(values)


@pytest.mark.parametrize("n", [0, 1, 4, 59])
def test_of_a_few_requests_nothing_is_cut(n: int) -> None:
    assert warmup.cut(steady(n)) == 0


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=200))
def test_any_values_give_an_index_of_them(values: list[float]) -> None:
    assert 0 <= warmup.cut(np.asarray(values)) <= len(values)


def test_equal_values_are_no_warm_up() -> None:
    assert warmup.cut(np.full(500, 7.0)) == 0
