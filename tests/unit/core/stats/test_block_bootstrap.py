from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgate.core.metric import Better, Metric
from mlgate.core.stats.aa_noise import noise
from mlgate.core.stats.block_bootstrap import (
    bounds,
    draws,
    fewest_values,
    half_width,
    log_width,
    resampled,
    too_few,
)
from mlgate.core.stats.jackknife import Array
from mlgate.core.stats.quantile_ranks import ranks
from mlgate.core.stats.ratio import ratio
from mlgate.core.stats.series import Series, rank, shared

QUANTILES = st.sampled_from([0.0, 0.5, 0.95])
BAD = [math.nan, math.inf, -math.inf, -1.0]


def series(
    values: Array, rounds: int = 20, quantile: float = 0.95, first: Mapping[int, bool] | None = None, **other: Any
) -> Series:
    metric = Metric("p95_ms", "ms", Better.LOWER)
    number = np.arange(len(values)) * rounds // max(1, len(values))
    return Series("p95_ms", metric, "load", quantile, values, number, first or {}, **other)


def ratio_width(one: Series, other: Series, confidence: float) -> float:
    """Return half the width of the ratio's interval; these values are of no request, so percentiles are compared."""
    return ratio(one, other).half(confidence)


def times(n: int = 600, seed: int = 1) -> Array:
    return np.random.default_rng(seed).lognormal(3, 0.3, n)


def orders(rounds: int, seed: int = 5) -> dict[int, bool]:
    return dict(enumerate((np.random.default_rng(seed).random(rounds) < 0.5).tolist()))


# the value


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60), st.integers(1, 99))
def test_a_percentile_is_a_time_that_was_measured(values: list[int], percent: int) -> None:
    found = series(np.asarray(values, float), quantile=percent / 100).corpus()
    below = sum(value <= found for value in values)
    assert found in values
    assert below * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)


@pytest.mark.parametrize("hundredths", range(1, 100))
def test_a_rank_is_exact_for_every_percentile_of_a_hundred(hundredths: int) -> None:
    assert rank(hundredths / 100, 100) == hundredths


def test_the_mean_is_the_mean() -> None:
    assert series(np.array([1.0, 2.0, 6.0]), quantile=0.0).corpus() == 3.0


def test_no_value_is_no_number() -> None:
    assert math.isnan(series(np.array([])).corpus())


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("quantile", [0.0, 0.95])
def test_one_value_that_is_no_time_leaves_no_number_at_all(bad: float, quantile: float) -> None:
    values = times()
    values[7] = bad
    one, sound = series(values, quantile=quantile), series(times(), quantile=quantile)
    assert math.isnan(one.corpus())
    assert "is a time" in too_few(one)
    assert math.isnan(log_width(one, 0.95))
    assert math.isnan(ratio_width(one, sound, 0.95))
    assert math.isnan(ratio_width(sound, one, 0.95))
    assert not bounds(one, 0.95).finite
    assert math.isnan(noise(one, sound))


# the draws


@settings(max_examples=20)
@given(st.integers(1, 400), st.integers(1, 15), st.sampled_from([0.01, 0.5, 0.9, 0.95, 0.999]), st.integers(0, 99))
def test_a_draw_is_the_percentile_of_the_values_it_repeats(n: int, rounds: int, quantile: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    one = series(np.ceil(20 * rng.random(n)), rounds, quantile)  # many ties
    numbers = np.unique(one.rounds)
    weights = draws(len(numbers))[:5]
    logs = resampled(one, numbers, weights)
    for log, weight in zip(logs, weights, strict=True):
        drawn = np.repeat(one.values, weight.astype(int)[np.searchsorted(numbers, one.rounds)])
        assert log == np.log(series(drawn, quantile=quantile).corpus())


def test_a_draw_of_a_mean_is_the_mean_of_the_values_it_repeats() -> None:
    one = series(times(), quantile=0.0)
    weights = draws(20)[:5]
    for log, weight in zip(resampled(one, np.arange(20), weights), weights, strict=True):
        assert log == pytest.approx(math.log(np.repeat(one.values, weight.astype(int)[one.rounds]).mean()))


# laws of the widths


@settings(max_examples=20)
@given(st.floats(1e-6, 1e6), QUANTILES)
def test_the_unit_of_time_changes_no_width(unit: float, quantile: float) -> None:
    one, other = series(times(), quantile=quantile), series(times(seed=2), quantile=quantile)
    scaled = replace(one, values=one.values * unit)
    assert log_width(scaled, 0.9) == pytest.approx(log_width(one, 0.9), rel=1e-6)
    assert ratio_width(scaled, other, 0.9) == pytest.approx(ratio_width(one, other, 0.9), rel=1e-6)


@settings(max_examples=20)
@given(st.integers(0, 99), QUANTILES)
def test_the_order_of_requests_inside_a_round_changes_nothing(seed: int, quantile: float) -> None:
    one, other = series(times(), quantile=quantile), series(times(seed=2), quantile=quantile)
    order = np.lexsort([np.random.default_rng(seed).random(len(one.values)), one.rounds])
    mixed = replace(one, values=one.values[order])
    assert log_width(mixed, 0.9) == pytest.approx(log_width(one, 0.9), rel=1e-9)
    assert ratio_width(mixed, other, 0.9) == pytest.approx(ratio_width(one, other, 0.9), rel=1e-9)


def test_identical_means_have_a_ratio_of_exactly_one() -> None:
    one = series(times(), quantile=0.0)
    assert ratio_width(one, one, 0.95) == 0.0


def test_the_sides_can_change_places() -> None:
    one, other = series(times()), series(times(seed=2))
    assert ratio_width(one, other, 0.95) == pytest.approx(ratio_width(other, one, 0.95))


def test_what_slows_both_sides_of_a_round_cancels() -> None:
    drift = np.repeat(np.random.default_rng(3).lognormal(0, 0.3, 20), 30)
    calm = ratio_width(series(times()), series(times(seed=2)), 0.95)
    drifting = ratio_width(series(times() * drift), series(times(seed=2) * drift), 0.95)
    assert drifting < 2 * calm
    assert log_width(series(times() * drift), 0.95) > 2 * calm


@pytest.mark.parametrize("quantile", [0.0, 0.5, 0.95])
def test_more_rounds_are_narrower_on_average(quantile: float) -> None:
    few, many = (
        np.mean([log_width(series(times(30 * rounds, seed), rounds, quantile), 0.95) for seed in range(20)])
        for rounds in (10, 40)
    )
    assert many < 0.7 * few


@settings(max_examples=20)
@given(st.floats(0.51, 0.99))
def test_more_confidence_is_wider(confidence: float) -> None:
    one = series(times())
    assert log_width(one, confidence) < log_width(one, confidence + 0.005)


@pytest.mark.parametrize("confidence", [0.0, 1.0, -1.0, 2.0, math.nan])
def test_a_confidence_that_is_none_gives_no_width(confidence: float) -> None:
    assert math.isnan(log_width(series(times()), confidence))


def test_the_same_values_give_the_same_width_to_the_last_bit() -> None:
    assert log_width(series(times()), 0.95) == log_width(series(times()), 0.95)


def test_a_bound_holds_the_value_between_its_ends() -> None:
    one = series(times())
    found = bounds(one, 0.95)
    half = math.exp(log_width(one, 0.90))
    assert found.low <= one.corpus() / half < one.corpus() * half <= found.high


def test_a_bound_of_few_values_is_a_rank_that_holds_for_every_law() -> None:
    one = series(times(59), 8)
    assert bounds(one, 0.95).high >= one.values.max()
    assert bounds(one, 0.975).high == math.inf  # 72 would be needed


def test_the_bounds_of_a_mean_are_the_ends_of_its_interval() -> None:
    one = series(times(), quantile=0.0)
    assert bounds(one, 0.95).high == pytest.approx(one.corpus() * math.exp(log_width(one, 0.90)))


# what ranks allow


def in_a_gap(few: int, seed: int = 1) -> Series:
    """Return 100 times of which *few* lie in a tail that is five times as slow: the p95 is in it from 6 on."""
    values = times(100, seed) / 20
    values[np.random.default_rng(seed).permutation(100)[:few]] *= 100
    return series(values)


def test_a_percentile_before_a_gap_may_lie_behind_it() -> None:
    before, behind = in_a_gap(4), in_a_gap(7, seed=2)
    assert behind.corpus() > 5 * before.corpus()
    assert ratio_width(behind, before, 0.95) > math.log(behind.corpus() / before.corpus())
    assert ratio_width(before, before, 0.95) > math.log(5)


def test_the_guard_takes_nothing_from_the_pairing_of_many_values() -> None:
    drift = np.repeat(np.random.default_rng(3).lognormal(0, 0.3, 20), 100)
    one, other = (series(np.random.default_rng(seed).lognormal(3, 0.05, 2000) * drift, quantile=0.5) for seed in (1, 2))
    alone = half_width(resampled(one, np.arange(20), draws(20)) - resampled(other, np.arange(20), draws(20)), 20, 0.95)
    assert alone <= ratio_width(one, other, 0.95) <= 1.1 * alone


def test_59_values_bound_a_p95_at_95_percent_and_no_surer() -> None:
    one, other = series(times(59), 10), series(times(59, seed=2), 10)
    assert math.isfinite(ratio_width(one, other, 0.95))
    assert ratio_width(one, other, 0.99) == math.inf


def test_zeros_within_reach_of_the_percentile_bound_nothing() -> None:
    values = times()
    values[: int(0.93 * 600)] = 0.0
    values = np.random.default_rng(4).permutation(values)
    assert not math.isfinite(ratio_width(series(values), series(times()), 0.95))


@given(st.sampled_from([0.05, 0.5, 0.95, 0.99]), st.integers(1, 400), st.floats(0.5, 0.999))
def test_a_rank_holds_with_the_confidence_it_says(quantile: float, n: int, confidence: float) -> None:
    chance = np.array([math.comb(n, k) * quantile**k * (1 - quantile) ** (n - k) for k in range(n + 1)])
    below, above = ranks(quantile, n, confidence)
    assert chance[:below].sum() <= 1 - confidence + 1e-9
    assert above == n + 1 or chance[:above].sum() >= confidence - 1e-9
    nearer = ranks(quantile, n, confidence, exact=False)
    assert below <= nearer[0]
    assert nearer[1] <= above


# too few


@pytest.mark.parametrize(("quantile", "n"), [(0.95, 59), (0.99, 299), (0.5, 5), (0.05, 59), (0.0, 1)])
def test_a_percentile_needs_so_many_values(quantile: float, n: int) -> None:
    assert fewest_values(quantile) == n


def test_58_requests_are_too_few_for_a_p95() -> None:
    assert too_few(series(times(58), 10)) == "58 requests are too few for an interval of p95_ms: it needs 59"
    assert math.isnan(log_width(series(times(58), 10), 0.95))
    assert math.isfinite(log_width(series(times(59), 10), 0.95))


def test_seven_rounds_are_too_few() -> None:
    assert too_few(series(times(), 7)) == "7 rounds are too few for an interval: it needs 8"
    assert math.isnan(ratio_width(series(times(), 7), series(times(), 7), 0.95))
    assert too_few(series(times(), 8)) == ""


def test_a_percentile_of_zero_has_no_interval() -> None:
    one = series(np.zeros(600))
    assert "is 0" in too_few(one)
    assert math.isnan(log_width(one, 0.95))


def test_zeros_below_the_percentile_do_no_harm() -> None:
    values = times()
    values[::3] = 0.0
    assert math.isfinite(log_width(series(values), 0.95))


def test_an_empty_series_has_a_reason() -> None:
    assert too_few(series(np.array([]))) == "0 rounds are too few for an interval: it needs 8"


# two sides


def test_only_rounds_that_both_have_count() -> None:
    one, other = series(times()), series(times(seed=2))
    missing = other.of(np.arange(3, 20))
    left, right = shared(one, missing)
    assert set(left.rounds) == set(right.rounds) == set(range(3, 20))
    assert ratio_width(one, missing, 0.95) == ratio_width(left, right, 0.95)


def test_sides_that_share_too_few_rounds_have_no_ratio() -> None:
    one = series(times())
    assert math.isnan(ratio_width(one.of(np.arange(13)), one.of(np.arange(6, 20)), 0.95))


def test_sides_may_have_unequal_counts_in_a_round() -> None:
    assert math.isfinite(ratio_width(series(times(900)), series(times(200)), 0.95))


def test_two_percentiles_have_no_ratio() -> None:
    assert math.isnan(ratio_width(series(times(), quantile=0.5), series(times()), 0.95))


def test_a_quotient_is_one_value_with_one_interval() -> None:
    fresh, repeated = series(times(seed=3) * 4, quantile=0.5), series(times(900), quantile=0.5)
    speedup = fresh.over(repeated)
    assert speedup.corpus() == fresh.corpus() / repeated.corpus()
    assert log_width(speedup, 0.9) == pytest.approx(ratio_width(fresh, repeated, 0.9))


def test_a_quotient_is_as_sound_as_what_it_is_divided_by() -> None:
    few = series(times(), quantile=0.5).over(series(times(4), rounds=4, quantile=0.5))
    assert "too few" in too_few(few)
    bad = times()
    bad[3] = math.nan
    assert math.isnan(series(times()).over(series(bad)).corpus())
    assert math.isnan(log_width(series(times()).over(series(bad)), 0.95))


# the machine's noise


def duet(rounds: int = 60, drift: float = 0.0, ratio: float = 1.0, seed: int = 1) -> tuple[Series, Series]:
    rng = np.random.default_rng(seed)
    first = orders(rounds, seed)
    sides = []
    speed = rng.lognormal(0, drift, (rounds, 2))  # of the two halves of each round
    for factor, own in ((ratio, first), (1.0, {number: not began for number, began in first.items()})):
        half = np.where([own[i] for i in range(rounds)], speed[:, 0], speed[:, 1])
        values = factor * rng.lognormal(3, 0.2, (rounds, 20)) * half[:, None]
        sides.append(series(values.ravel(), rounds, 0.5, own))
    return sides[0], sides[1]


@pytest.mark.parametrize("drift", [0.0, 0.05])
def test_the_noise_is_about_the_width_of_equal_models(drift: float) -> None:
    seen = [duet(drift=drift, seed=seed) for seed in range(12)]
    widths = np.mean([math.expm1(ratio_width(*sides, 0.95)) for sides in seen])
    assert np.mean([noise(*sides) for sides in seen]) == pytest.approx(widths, rel=0.15)


def test_a_slower_candidate_is_no_noise() -> None:
    assert noise(*duet(ratio=3.0)) == pytest.approx(noise(*duet()), rel=1e-9)


def test_without_neighbours_of_one_side_the_noise_is_not_known() -> None:
    one, other = duet()
    always = dict.fromkeys(range(60), True)
    assert math.isnan(noise(replace(one, first=always), other))
    assert math.isnan(noise(one.of(np.arange(0, 60, 2)), other))
    assert math.isnan(noise(replace(one, first={}), other))
