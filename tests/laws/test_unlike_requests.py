"""A model that is slower for a part of the requests only, or for a part of the time, does not pass as a median."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from mlgate.core.check import Better, Metric
from mlgate.core.ratio import ratio
from mlgate.core.series import Rounds, Series
from mlgate.core.statistics import Array

ROUNDS, EACH, EXAMPLES, RUNS = 30, 12, 200, 20
METRIC = Metric("p_ms", "ms", Better.LOWER)
MARGINS = {0.5: 0.05, 0.95: 0.10}
UNLIKE = ("any request", "some examples", "some rounds", "long requests", "short requests")


@dataclass(frozen=True)
class Asked:
    """What was asked when, and how long it takes by itself."""

    level: Array
    example: Rounds
    number: Rounds

    def part(self, rng: np.random.Generator, which: str, share: float) -> NDArray[np.bool_]:
        """Return the requests for which the candidate is slower."""
        rounds = int(self.number.max()) + 1
        match which:
            case "any request":
                return rng.random(len(self.level)) < share
            case "some examples":
                return np.isin(self.example, rng.permutation(EXAMPLES)[: round(share * EXAMPLES)])
            case "some rounds":
                return np.isin(self.number, rng.permutation(rounds)[: max(1, round(share * rounds))])
            case "long requests":
                return self.level > np.quantile(self.level, 1 - share)
            case _:
                return self.level < np.quantile(self.level, share)


def asked(rng: np.random.Generator, rounds: int, payload: float) -> Asked:
    example = rng.integers(EXAMPLES, size=rounds * EACH)
    return Asked(rng.normal(0, payload, EXAMPLES)[example], example, np.repeat(np.arange(rounds), EACH))


def times(rng: np.random.Generator, of: Asked, slower: NDArray[np.bool_], factor: float) -> tuple[Array, Array]:
    """Return both sides' times; the candidate is slower for a part of them."""
    machine = np.repeat(rng.normal(0, 0.03, int(of.number.max()) + 1), EACH)
    after, before = (np.exp(of.level + machine + rng.normal(0, 0.08, len(of.level))) for _ in range(2))
    return after * np.where(slower, factor, 1.0), before


def side(values: Array, of: Asked, quantile: float) -> Series:
    first = {number: number % 4 in (1, 2) for number in range(int(of.number.max()) + 1)}
    places = np.arange(len(values)) % EACH
    return Series("p", METRIC, "s", quantile, values, of.number, first, "run", requests=places, examples=of.example)


@pytest.mark.parametrize("which", UNLIKE)
@pytest.mark.parametrize("payload", [0.1, 0.5, 1.5])
@pytest.mark.parametrize(("share", "factor"), [(0.06, 2.0), (0.1, 2.0), (0.1, 5.0), (0.25, 1.5), (0.4, 1.2)])
def test_what_moves_a_percentile_by_half_more_than_its_margin_hardly_ever_passes(
    which: str, payload: float, share: float, factor: float
) -> None:
    rng = np.random.default_rng(1)
    many = asked(rng, 4000, payload)
    after, before = times(rng, many, many.part(rng, which, share), factor)
    for quantile, margin in MARGINS.items():
        truth = float(np.quantile(after, quantile) / np.quantile(before, quantile))
        passed = 0
        for seed in range(RUNS) if truth >= 1 + 1.5 * margin else ():
            own = np.random.default_rng([seed, 2])
            of = asked(own, ROUNDS, payload)
            one, other = times(own, of, of.part(own, which, share), factor)
            found = ratio(side(one, of, quantile), side(other, of, quantile))
            passed += found.log + found.half(0.95) <= math.log1p(margin)
        assert passed <= 0.2 * RUNS, (quantile, truth, passed)
