"""Exact bounds of a share, against the sums that they invert."""

from __future__ import annotations

import math

import pytest

from mlgate.core.stats.binomial import beta_share, exact_high, exact_low


def chance(hits: int, trials: int, share: float) -> float:
    """Return the chance of so many hits or more."""
    return sum(math.comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(hits, trials + 1))


@pytest.mark.parametrize("share", [0.001, 0.02, 0.5, 0.97])
@pytest.mark.parametrize(("hits", "trials"), [(1, 1), (1, 30), (5, 200), (40, 60), (150, 200)])
def test_the_incomplete_beta_function_is_the_binomials_tail(hits: int, trials: int, share: float) -> None:
    assert beta_share(share, hits, trials - hits + 1) == pytest.approx(
        chance(hits, trials, share), rel=1e-9, abs=1e-300
    )


@pytest.mark.parametrize("tail", [0.025, 1e-4, 2.5e-6])
@pytest.mark.parametrize(("hits", "trials"), [(1, 10), (2, 300), (9, 90)])
def test_a_bound_is_where_the_tail_is(hits: int, trials: int, tail: float) -> None:
    assert chance(hits, trials, exact_low(hits, trials, tail)) == pytest.approx(tail, rel=1e-6)
    assert 1 - chance(hits + 1, trials, exact_high(hits, trials, tail)) == pytest.approx(tail, rel=1e-4)


def test_nothing_is_a_bound_of_its_own() -> None:
    assert exact_low(0, 50, 0.025) == 0
    assert exact_high(50, 50, 0.025) == 1
    assert exact_high(0, 50, 0.025) == pytest.approx(1 - 0.025 ** (1 / 50))


def test_large_numbers_are_no_trouble() -> None:
    assert 0.0489 < exact_low(50_000, 1_000_000, 2.5e-6) < 0.0491
    assert exact_low(0.3, 12.5, 0.01) < 0.3 / 12.5
