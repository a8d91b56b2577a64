from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from tests.unit.core.stats.test_ratio import METRIC

from mlgate.core.stats.aa_noise import noise
from mlgate.core.stats.example_effects import explained, without_examples
from mlgate.core.stats.series import Series

ROUNDS, EACH, EXAMPLES = 60, 10, 30


def duet(seed: int = 1, *, payload: float = 0.4, own: float = 0.1, asked: int = EXAMPLES) -> tuple[Series, Series]:
    rng = np.random.default_rng(seed)
    level = rng.normal(3, payload, asked)
    examples = rng.integers(asked, size=ROUNDS * EACH)
    rounds, places = np.repeat(np.arange(1, ROUNDS + 1), EACH), np.tile(np.arange(EACH), ROUNDS)
    sides = []
    for opens in (True, False):
        first = {number: (number % 4 in (1, 2)) is opens for number in range(1, ROUNDS + 1)}
        values = np.exp(level[examples] + rng.normal(0, own, len(examples)))
        sides.append(Series("p", METRIC, "s", 0.5, values, rounds, first, "run", requests=places, examples=examples))
    return sides[0], sides[1]


def test_without_examples_times_vary_as_if_all_requests_were_alike() -> None:
    one, other = without_examples(*duet())
    spread = np.std(np.log(one.values))
    assert spread == pytest.approx(0.1, rel=0.15)
    assert np.std(np.log(other.values)) == pytest.approx(0.1, rel=0.15)


def test_a_slower_side_stays_as_much_slower() -> None:
    one, other = duet()
    (slow, past), (like, same) = (
        without_examples(replace(one, values=2 * one.values), other),
        without_examples(one, other),
    )
    assert slow.values == pytest.approx(2 * like.values)
    assert past.values == pytest.approx(same.values)


def test_no_value_has_a_part_in_what_it_is_divided_by() -> None:
    """Examples that were asked in one round only have no effect that anybody knows."""
    one, other = duet(asked=ROUNDS * EACH)
    lone = replace(one, examples=np.arange(ROUNDS * EACH)), replace(other, examples=np.arange(ROUNDS * EACH))
    found = without_examples(*lone)
    assert found[0].values == pytest.approx(one.values)


def test_where_examples_do_not_differ_next_to_nothing_is_taken_out() -> None:
    one, other = duet(payload=0.0)
    found, _ = without_examples(one, other)
    assert np.std(np.log(found.values)) == pytest.approx(np.std(np.log(one.values)), rel=0.05)


def test_the_share_that_examples_explain() -> None:
    assert explained(*duet(payload=0.1)) == pytest.approx(0.5, abs=0.15)
    assert explained(*duet(payload=0.0)) < 0.05
    one, other = duet()
    assert explained(replace(one, examples=None), other) == 0


@pytest.mark.parametrize("zero", [True, False])
def test_values_that_are_not_of_requests_or_are_no_time_stay_as_they_are(zero: bool) -> None:
    one, other = duet()
    bad = replace(one, values=np.where(np.arange(len(one.values)) == 5, 0.0, one.values)) if zero else one
    bad = bad if zero else replace(one, examples=None)
    assert without_examples(bad, other) == (bad, other)


def test_an_example_that_always_takes_the_same_time_says_nothing_where_it_is_asked_in_one_round_only() -> None:
    once = [side.rounds == side.rounds.min() for side in duet()]
    same = [
        replace(side, examples=np.where(first, 0, 1), values=np.where(first, 15.0, 10.0))
        for side, first in zip(duet(), once, strict=True)
    ]
    assert all(np.isfinite(side.values).all() for side in without_examples(same[0], same[1]))


def test_the_noise_of_the_machine_is_not_what_examples_differ_by() -> None:
    unlike, alike = noise(*duet()), noise(*duet(payload=0.0))
    assert unlike < 1.5 * alike
    one, other = duet()
    assert noise(replace(one, examples=None), replace(other, examples=None)) > 2 * alike
    assert math.isfinite(unlike)
