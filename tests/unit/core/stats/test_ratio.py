from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgate.core.metric import Better, Metric
from mlgate.core.stats.jackknife import Array
from mlgate.core.stats.paired_requests import PairedRequests
from mlgate.core.stats.ratio import ratio
from mlgate.core.stats.series import Series

ROUNDS, EACH = 40, 12
METRIC = Metric("p_ms", "ms", Better.LOWER)
QUANTILES = (0.5, 0.9, 0.95)


def side(values: Array, quantile: float = 0.5, rounds: int = ROUNDS) -> Series:
    each = len(values) // rounds
    numbers = np.repeat(np.arange(1, rounds + 1), each)
    first = {number: bool(number % 4 in (1, 2)) for number in range(1, rounds + 1)}
    places = np.tile(np.arange(each), rounds)
    return Series("p_ms", METRIC, "load", quantile, values, numbers, first, "run", requests=places, examples=places)


def duet(seed: int = 1, *, slower: float = 1.0, own: float = 0.05, payload: float = 0.5) -> tuple[Series, Series]:
    """Return two sides of which each request's level differs by *payload*, and each time besides by *own*."""
    rng = np.random.default_rng(seed)
    level = rng.normal(3, payload, ROUNDS * EACH)
    after, before = (np.exp(level + rng.normal(0, own, ROUNDS * EACH)) for _ in range(2))
    return side(slower * after), side(before)


def of(quantile: float, sides: tuple[Series, Series]) -> tuple[Series, Series]:
    return replace(sides[0], quantile=quantile), replace(sides[1], quantile=quantile)


def of_no_request(sides: Sequence[Series]) -> tuple[Series, Series]:
    """Return the sides so that only their percentiles can be compared."""
    return replace(sides[0], requests=None), replace(sides[1], requests=None)


@pytest.mark.parametrize("quantile", [*QUANTILES, 0.1, 0.99])
@given(st.floats(0.2, 5))
@settings(max_examples=10)
def test_where_every_request_takes_as_much_longer_it_is_that(quantile: float, slower: float) -> None:
    _, before = duet()
    after = replace(before, values=slower * before.values)
    found = ratio(*of(quantile, (after, before)))
    assert found.value == pytest.approx(slower)
    assert after.corpus() / before.corpus() == pytest.approx(slower)


@pytest.mark.parametrize("quantile", QUANTILES)
def test_what_the_request_itself_explains_makes_it_no_wider(quantile: float) -> None:
    apart, together = [], []
    for payload in (0.0, 1.0):
        sides = of(quantile, duet(payload=payload))
        together.append(ratio(*sides).half(0.95))
        apart.append(ratio(*of_no_request(sides)).half(0.95))
    assert together[1] == pytest.approx(together[0], rel=0.6)
    assert apart[1] > 1.5 * together[1]


@pytest.mark.parametrize("quantile", QUANTILES)
def test_swapping_the_sides_turns_it_round(quantile: float) -> None:
    one, other = of(quantile, duet(slower=1.2))
    there, back = ratio(one, other), ratio(other, one)
    assert there.by_request
    assert back.by_request
    assert there.log == pytest.approx(-back.log, abs=0.01)  # of an even number of pairs the median is the lower one
    assert there.half(0.95) == pytest.approx(back.half(0.95), rel=0.25)


def test_a_part_of_the_requests_that_takes_much_longer_is_not_lost_in_a_median() -> None:
    """Of a server that hardly varies, no pair but those of the slow part differs, and the p95 is theirs."""
    after, before = duet(own=0.001, payload=0.01)
    slow = np.where(np.arange(len(after.values)) % 16 == 0, 3.0, 1.0)
    found = ratio(*of(0.95, (replace(after, values=after.values * slow), before)))
    assert not found.by_request
    assert found.value > 2


@pytest.mark.parametrize("payload", [0.1, 1.5])
def test_a_tenth_of_the_requests_that_takes_five_times_as_long_never_passes_as_a_median(payload: float) -> None:
    """However much requests differ by themselves: where payloads do by a hundred times, the slow ones are anywhere."""
    for seed in range(20):
        after, before = duet(seed, payload=payload, own=0.08)
        slow = np.where(np.random.default_rng(seed).random(len(after.values)) < 0.1, 5.0, 1.0)
        found = ratio(*of(0.95, (replace(after, values=after.values * slow), before)))
        assert found.log + found.half(0.95) > math.log(1.1)


def test_rounds_in_which_one_side_stalls_are_seen_by_the_tail() -> None:
    after, before = duet()
    stalled = np.where(np.isin(after.rounds, [4, 9, 14, 19, 24]), 2.0, 1.0)
    found = ratio(*of(0.95, (replace(after, values=after.values * stalled), before)))
    assert found.value > 1.2 or found.half(0.95) > math.log(1.1)


def test_a_p99_is_the_ratio_of_percentiles_for_one_bad_second_fills_what_is_around_it() -> None:
    assert not ratio(*of(0.99, duet())).by_request
    assert ratio(*of(0.95, duet())).by_request


def test_a_few_long_requests_that_take_longer_are_seen_by_the_tail() -> None:
    """Of the slowest 15 of 100 eight are slower: the median of these moves by little, and the p95 by all of it."""
    for seed in range(20):
        after, before = duet(seed, own=0.1, payload=0.3)
        slow = np.where(before.values > np.quantile(before.values, 0.92), 1.3, 1.0)
        found = ratio(*of(0.95, (replace(after, values=after.values * slow), before)))
        assert found.log + found.half(0.95) > math.log(1.2)


def test_what_adds_the_same_to_every_request_is_known_better_with_more_rounds() -> None:
    """Short requests become relatively slower than long ones: that is nothing that a p95 has to answer for."""
    rng = np.random.default_rng(3)
    rounds = 240
    level = rng.normal(3, 0.3, rounds * EACH)
    after, before = (np.exp(level + rng.normal(0, 0.08, rounds * EACH)) for _ in range(2))
    found = ratio(*of(0.95, (side(after + 2, rounds=rounds), side(before, rounds=rounds))))
    assert found.log + found.half(0.95) < math.log(1.1)


def test_what_is_slow_for_both_sides_moves_no_rank_of_one_against_the_other() -> None:
    sides = of(0.99, duet(payload=1.0))
    assert ratio(*sides).half(0.95) < 0.8 * ratio(*of_no_request(sides)).half(0.95)


@pytest.mark.parametrize("which", [0, 1])
def test_values_that_are_not_one_a_request_are_not_paired(which: int) -> None:
    sides = list(duet(slower=1.1))
    sides[which] = replace(sides[which], requests=None)
    found = ratio(*sides)
    assert not found.by_request
    assert found.log == pytest.approx(math.log(sides[0].corpus() / sides[1].corpus()))
    assert found.half(0.95) == ratio(*of_no_request(sides)).half(0.95)


def test_a_mean_is_the_ratio_of_two_means() -> None:
    one, other = of(0.0, duet(slower=1.1))
    found = ratio(one, other)
    assert not found.by_request
    assert found.value == pytest.approx(one.values.mean() / other.values.mean())


def test_requests_that_one_side_was_not_sent_have_no_pair() -> None:
    one, other = duet()
    fewer = np.flatnonzero(one.requests != EACH - 1)
    assert one.requests is not None
    cut = replace(one, values=one.values[fewer], rounds=one.rounds[fewer], requests=one.requests[fewer])
    pairs = PairedRequests.of(cut, other)
    assert pairs is not None
    assert len(pairs.logs) == ROUNDS * (EACH - 1)
    assert list(pairs.logs) == list(np.log(cut.values / other.values[fewer]))


@pytest.mark.parametrize(("quantile", "share"), [(0.5, 1.0), (0.9, 0.3), (0.95, 0.15), (0.99, 0.03), (0.1, 0.3)])
def test_around_a_percentile_are_the_requests_that_both_sides_took_about_as_long_for(
    quantile: float, share: float
) -> None:
    one, other = of(quantile, duet())
    whole = PairedRequests.of(one, other)
    assert whole is not None
    pairs = whole.around()
    assert len(pairs.values) == pytest.approx(share * ROUNDS * EACH, abs=1)
    wanted = sorted(one.values * other.values, reverse=quantile > 0.5)[: len(pairs.values)]
    taken = {round(float(ratio_), 12) for ratio_ in pairs.values}
    assert {round(float(a / b), 12) for a, b in zip(one.values, other.values, strict=True) if a * b in wanted} == taken


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.0, 0.0])
def test_one_value_that_is_no_time_is_paired_with_nothing(bad: float) -> None:
    one, other = duet()
    values = one.values.copy()
    values[3] = bad
    assert PairedRequests.of(replace(one, values=values), other) is None
    assert PairedRequests.of(other, replace(one, values=values)) is None
    if bad:
        assert math.isnan(ratio(replace(one, values=values), other).half(0.95))


def test_unlike_percentiles_and_too_few_rounds_have_no_ratio() -> None:
    one, other = duet()
    assert math.isnan(ratio(one, replace(other, quantile=0.95)).half(0.95))
    few = one.of(np.arange(1, 7)), other.of(np.arange(1, 7))
    assert math.isnan(ratio(*few).half(0.95))


@pytest.mark.simulation
@pytest.mark.parametrize("quantile", QUANTILES)
def test_the_interval_covers(quantile: float) -> None:
    held = []
    for seed in range(150):
        found = ratio(*of(quantile, duet(seed, slower=1.05, own=0.2)))
        held.append(abs(found.log - math.log(1.05)) <= found.half(0.95))
    assert np.mean(held) >= 0.95 - 0.055


def test_more_confidence_is_never_narrower() -> None:
    found = ratio(*of(0.95, duet()))
    halves = [found.half(level) for level in (0.5, 0.8, 0.9, 0.95, 0.99, 0.9999)]
    assert halves == sorted(halves)
    assert math.isnan(found.half(1.0))
    assert math.isnan(found.half(math.nan))
