"""How much a duet's ratio moves when nothing differs: seen in the run itself, not in an earlier one."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from mlgate.core.stats.block_bootstrap import draws, half_width, resampled
from mlgate.core.stats.example_effects import without_examples
from mlgate.core.stats.series import Series, shared

FEWEST_NEIGHBOURS = 6
"""Below this many pairs of neighbouring blocks of one side the machine's own noise is not known."""

_RANDOM_KEY = 20263


def noise(candidate: Series, baseline: Series, *, of_both: bool = True) -> float:
    """Return the half width, as a share of the value, that a duet of so many rounds has when nothing differs (95 %).

    Not *of_both*: by the baseline's blocks alone, which the candidate has no part in.

    What an example takes longer than others is taken out first: neighbours ask unlike examples, the sides of a round
    do not.

    Where a round asks candidate then baseline, and the next one baseline then candidate, two blocks of one side stand
    next to each other, as close as the two blocks of a round: at least in every second round, where each even round is
    asked the other way round than the odd one before. They are taken as a round of equal models; which of the
    two plays the candidate is drawn anew each time. Each block is in one pair at most. NaN with fewer than 6 pairs.
    """
    one, other = without_examples(*shared(candidate, baseline))
    if one.under or other.under or not (one.sound and other.sound and one.corpus() > 0 and other.corpus() > 0):
        return math.nan
    joined, pairs = _neighbours(one, other, of_both=of_both)
    if pairs < FEWEST_NEIGHBOURS:
        return math.nan
    weights = draws(pairs)
    stream = np.random.Generator(np.random.Philox(key=_RANDOM_KEY))
    swapped = stream.binomial(weights.astype(np.int64), 0.5)
    earlier_plays = np.stack([weights - swapped, swapped], axis=2).reshape(len(weights), -1)
    later_plays = np.stack([swapped, weights - swapped], axis=2).reshape(len(weights), -1)
    blocks = np.arange(2 * pairs)
    logs = resampled(joined, blocks, earlier_plays) - resampled(joined, blocks, later_plays)
    half = half_width(logs, pairs, 0.95, _freedom(joined, pairs))
    return math.expm1(half * math.sqrt(pairs / len(np.unique(one.rounds))))


def _freedom(joined: Series, pairs: int) -> float:
    """Return the degrees of freedom of the spread between pairs, at least 2: few, where few pairs make most of it.

    A p95 hangs on the few stretches in which a neighbour was busy. By the kurtosis of what the two blocks of a pair
    differ by: of values beyond the percentile, or of the sum for a mean. Without it the noise is too small there:
    benchmarks/duet.py's bad machine is beyond it in 8 to 12 % of runs instead of 6 to 10 %.
    """
    told = (joined.values > joined.corpus()).astype(np.float64) if joined.quantile else joined.values
    sums = np.bincount(joined.rounds, told - told.mean(), minlength=2 * pairs)
    squares = (sums[::2] - sums[1::2]) ** 2
    if not squares.any():
        return math.inf
    kurtosis = pairs * float((squares**2).sum() / squares.sum() ** 2)
    return max(2.0, 2 * pairs / (kurtosis - 1)) if kurtosis > 1 else math.inf


def _neighbours(one: Series, other: Series, *, of_both: bool) -> tuple[Series, int]:
    """Return the values of all neighbouring blocks of one side, and how many pairs they are. *of_both*: of each side.

    Its "rounds" are 2p for the earlier block of pair p and 2p + 1 for the later. Each side's values are divided by its
    own percentile: a slower side must not govern the percentile of both.
    """
    parts, units, pairs = [], [], 0
    for number, began in sorted(one.first.items()):
        if one.first.get(number + 1, began) == began or not (began or of_both):
            continue
        side = other if began else one  # who was asked last in this round is asked first in the next
        level = side.corpus()
        for late in (0, 1):
            block = side.values[side.rounds == number + late] / level
            parts.append(block)
            units.append(np.full(len(block), 2 * pairs + late))
        pairs += 1
    if not pairs:
        return one, 0
    return replace(one, values=np.concatenate(parts), rounds=np.concatenate(units).astype(np.intp), first={}), pairs
