"""A model that is slower for a part of the requests only, or for a part of the time, does not pass as a median."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from mlgate.core.metric import Better, Metric
from mlgate.core.stats.jackknife import Array
from mlgate.core.stats.ratio import ratio
from mlgate.core.stats.series import RoundNumbers, Series

ROUNDS, EACH, EXAMPLES, RUNS = 30, 12, 200, 20
METRIC = Metric("p_ms", "ms", Better.LOWER)
QUANTILES = (0.5, 0.95)
LEAST = 1.05
REPEATS = 30
HELD = {1.0: 0.3, 0.8: 0.15, 0.67: 0.1}
"""Of how much a percentile truly moved, and the share of runs that may pass such a margin."""
UNLIKE = ("any request", "some examples", "some rounds", "long requests", "short requests")


@dataclass(frozen=True)
class Asked:
    """What was asked when, and how long it takes by itself."""

    level: Array
    example: RoundNumbers
    number: RoundNumbers

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
def test_what_moves_a_percentile_beyond_its_margin_hardly_ever_passes(
    which: str, payload: float, share: float, factor: float
) -> None:
    """Held to as much as it truly moved in that run, to four fifths of it and to two thirds."""
    for quantile in QUANTILES:
        moved, ends = np.asarray([run(seed, quantile, which, payload, share, factor) for seed in range(RUNS)]).T
        for held, most in HELD.items() if moved.min() >= math.log(LEAST) else ():
            passed = int((ends <= held * moved).sum())
            assert passed <= most * RUNS, (quantile, held, passed)


def run(seed: int, quantile: float, which: str, payload: float, share: float, factor: float) -> tuple[float, float]:
    """Return by how much the percentile truly moved in a run, and the upper end of what the run says; of logarithms."""
    rng = np.random.default_rng([seed, 2])
    of = asked(rng, ROUNDS, payload)
    slower = of.part(rng, which, share)
    again = [times(rng, of, slower, factor) for _ in range(REPEATS)]
    after, before = (np.quantile(np.concatenate(sides), quantile) for sides in zip(*again, strict=True))
    one, other = times(rng, of, slower, factor)
    found = ratio(side(one, of, quantile), side(other, of, quantile))
    return math.log(after / before), found.log + found.half(0.95)
