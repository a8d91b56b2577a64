from __future__ import annotations

import math
from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgate.core.stats.alpha_spending import ONLY, Look, tails

PLACES = st.lists(st.integers(1, 100), min_size=1, max_size=6, unique=True).map(sorted).map(tuple)


def test_one_look_has_the_confidence_that_was_asked_for() -> None:
    assert ONLY.confidence(0.95) == 0.95


@settings(max_examples=10)
@given(PLACES, st.sampled_from([0.9, 0.95, 0.99]))
def test_every_look_asks_for_more_confidence_than_one_alone(places: tuple[int, ...], asked: float) -> None:
    found = [Look(places, number).confidence(asked) for number in range(1, len(places) + 1)]
    assert all(asked - 1e-9 <= one < 1 for one in found)


@pytest.mark.parametrize("looks", [2, 4, 8])
def test_of_looks_at_equal_steps_the_last_asks_for_least(looks: int) -> None:
    found = [Look(tuple(range(1, looks + 1)), number).confidence(0.95) for number in range(1, looks + 1)]
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize("places", [(1, 2, 3, 4), (10, 17, 24, 31, 39, 46, 53, 60), (5, 60)])
@pytest.mark.parametrize("tail", [0.025, 0.005])
def test_all_looks_together_err_as_often_as_was_agreed(places: tuple[int, ...], tail: float) -> None:
    rng = np.random.default_rng(3)
    steps = np.diff([0, *places])
    runs = np.cumsum(rng.normal(0, np.sqrt(steps), (400_000, len(places))), axis=1) / np.sqrt(places)
    limits = [-NormalDist().inv_cdf(one) for one in tails(places, tail)]
    erred = float((runs > limits).any(axis=1).mean())
    assert erred == pytest.approx(tail, abs=4 * math.sqrt(tail / 400_000))


def test_shares_that_ignore_what_looks_have_in_common_would_be_smaller() -> None:
    found = tails((1, 2, 3, 4), 0.025)
    alone = [0.025 * (later**3 - earlier**3) for earlier, later in pairwise((0, 0.25, 0.5, 0.75, 1))]
    assert found[0] == pytest.approx(alone[0])
    assert all(one > other for one, other in zip(found[1:], alone[1:], strict=True))
    assert found[3] / 0.025 == pytest.approx(0.85, abs=0.005)


def test_only_the_proportion_of_the_rounds_counts() -> None:
    assert tails((10, 20, 40), 0.025) == pytest.approx(tails((1, 2, 4), 0.025))


@pytest.mark.parametrize("places", [(), (0, 5), (5, 5), (9, 3), (-1,)])
def test_looks_that_cannot_be_taken_are_refused(places: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="looks are taken"):
        tails(places, 0.025)


@pytest.mark.parametrize("look", [Look((5, 9), 0), Look((5, 9), 3), Look((5, 9), -1)])
def test_between_two_looks_nothing_may_be_concluded(look: Look) -> None:
    assert math.isnan(look.confidence(0.95))


@pytest.mark.parametrize("asked", [0.0, 1.0, -0.1, 1.1, math.nan, math.inf])
def test_a_confidence_that_is_none_stays_none(asked: float) -> None:
    assert math.isnan(Look((5, 9), 1).confidence(asked))
