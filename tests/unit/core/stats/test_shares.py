"""Shares of requests: intervals that hold as often as they say, also where requests depend on each other."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from mlgate.core.stats.shares import Counted, design_effect, least_more, least_share, most_more, share_bounds

TAIL = 0.025
RUNS = 400


def counted(hits: Sequence[float] | NDArray[np.number], trials: Sequence[float] | NDArray[np.number]) -> Counted:
    return Counted(np.asarray(hits, np.float64), np.asarray(trials, np.float64))


def even(hits: float, trials: float, windows: int = 10) -> Counted:
    return counted([hits / windows] * windows, [trials / windows] * windows)


def test_bounds_are_wilsons_and_the_least_share_is_exact() -> None:
    """Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, methods 3 and 5: 81/263, 15/148, 0/20 and 1/29."""
    for hits, n, low, high, least in (
        (81, 263, 0.2553, 0.3662, 0.2527),
        (15, 148, 0.0624, 0.1605, 0.0578),
        (0, 20, 0.0, 0.1611, 0.0),
        (1, 29, 0.0061, 0.1718, 0.0009),
    ):
        found = share_bounds(even(hits, n), TAIL)
        assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
        assert least_share(even(hits, n), TAIL) == pytest.approx(least, abs=5e-5)


def test_the_upper_end_of_a_difference_is_newcombes_and_the_lower_one_is_not_above_it() -> None:
    """Newcombe, Statistics in Medicine 17 (1998), 873-890, table II, method 10: 56/70 and 48/80, 9/10 and 3/10."""
    for (mine, n), (its, m), low, high in (
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((0, 10), (0, 20), -0.1611, 0.2775),
    ):
        assert most_more(even(mine, n), even(its, m), TAIL) == pytest.approx(high, abs=5e-5)
        assert low - 0.09 < least_more(even(mine, n), even(its, m), TAIL) <= low


@pytest.mark.parametrize("tail", [0.0025, 2.5e-6])
def test_one_hit_shows_next_to_nothing(tail: float) -> None:
    assert least_share(even(1, 4), tail) < tail
    assert least_more(even(1, 20), even(0, 380), tail) < 0


def test_nothing_is_known_without_requests() -> None:
    nothing, some = even(0, 0), even(1, 100)
    assert math.isnan(share_bounds(nothing, TAIL).high)
    assert math.isnan(least_share(nothing, TAIL))
    for one, other in ((nothing, some), (some, nothing)):
        assert math.isnan(most_more(one, other, TAIL))
        assert math.isnan(least_more(one, other, TAIL))


def test_bursts_count_as_fewer_requests() -> None:
    trials = [100.0] * 12
    scattered, burst = counted([5.0] * 12, trials), counted([60.0] + [0.0] * 11, trials)
    assert design_effect(scattered, TAIL) == 1.0
    assert design_effect(burst, TAIL) > 10
    assert share_bounds(burst, TAIL).high > 2 * share_bounds(scattered, TAIL).high


def test_what_happens_to_both_at_once_does_not_hide_a_difference() -> None:
    trials, outage = np.full(12, 200.0), np.array([0, 0, 60, 70, 0, 0, 0, 50, 0, 0, 0, 0], np.float64)
    mine, its = counted(outage + 6, trials), counted(outage, trials)
    assert least_more(mine, its, TAIL) > 0
    assert share_bounds(mine, TAIL).low < its.share < share_bounds(mine, TAIL).high


@pytest.mark.parametrize("noise", [0.0, 0.7])
@pytest.mark.parametrize("share", [0.002, 0.01, 0.05])
def test_an_interval_errs_as_often_as_it_says(share: float, noise: float) -> None:
    """Forty windows of a candidate with a quarter of the traffic; both models' errors come in the same bursts."""
    rng = np.random.default_rng(7)
    above = below = 0
    for _ in range(RUNS):
        level = np.empty(40)
        level[0] = rng.normal()
        for i in range(1, 40):
            level[i] = 0.8 * level[i - 1] + 0.6 * rng.normal()
        failing = share * np.exp(noise * level - noise**2 / 2)
        mine, its = rng.poisson(75, 40), rng.poisson(225, 40)
        sides = counted(rng.binomial(mine, failing), mine), counted(rng.binomial(its, failing), its)
        above, below = above + (least_more(*sides, TAIL) > 0), below + (most_more(*sides, TAIL) < 0)
    allowed = RUNS * TAIL + 3 * math.sqrt(RUNS * TAIL)
    assert above <= allowed
    assert below <= allowed
