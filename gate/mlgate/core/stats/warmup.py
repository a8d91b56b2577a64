"""Where warm-up ends: caches fill, clocks rise, and the first requests say nothing about the later ones."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from mlgate.core.stats.jackknife import Array

_BATCH = 5
_CLIP = 0.99
_STRETCHES = 6
_CALM = 0.2
"""The quantile that speaks for a stretch: a busy neighbour leaves the fastest fifth alone, warm-up does not."""
_RISES = 1
"""Of 15 pairs of sixths, so many may go the other way: chance orders one in 120 runs without warm-up so."""
_FALLING = 1.05
"""So many times slower than its last sixth is the fourth sixth of a run that is still warming up."""


def cut(values: Array) -> int:
    """Return how many of *values*, in order of time, are warm-up; 0 for none, all of them when it has not ended.

    MSER-5 (White, 1997), O(n): means of five values, clipped at their 99 % quantile so that a late spike does not look
    like an end; cut where the standard error of what is left is least, within the first half. Alone, on a machine that
    drifts, that asks to cut more than half of every second run without any warm-up. So what is cut must also be slower
    than every equally long stretch of what is left, and not ended is what falls from sixth to sixth, by more than 5 %
    in the second half: of runs without warm-up it refuses 0 to 1 %.
    """
    batches = len(values) // _BATCH
    if batches < 2 * _STRETCHES or not np.isfinite(values).all():
        return 0
    clipped = np.minimum(values, np.quantile(values, _CLIP))
    means = clipped[: batches * _BATCH].reshape(batches, _BATCH).mean(axis=1)
    if _falling(means):
        return len(values)
    at = int(np.argmin(_errors(means)))
    return at * _BATCH if at and _slower(means, at) else 0


def _errors(means: Array) -> Array:
    """Return the squared standard error of the mean of what is left, for each number of batches cut, up to half."""
    count = len(means) // 2 + 1
    left = np.arange(len(means), len(means) - count, -1)
    centred = (means - means.mean())[::-1]  # centred, the difference of the two sums is exact enough
    sums = np.cumsum(centred)[::-1][:count]
    squares = np.cumsum(centred**2)[::-1][:count]
    errors: Array = (squares - sums**2 / left) / left**2
    return errors


def _slower(means: Array, at: int) -> bool:
    """Whether the first batches are slower than every equally long stretch of what is left."""
    length = min(at, (len(means) - at) // 4)
    sums = np.concatenate([[0.0], np.cumsum(means)])
    stretches = sums[at + length :] - sums[at:-length]
    return bool(sums[length] > stretches.max())


def _falling(means: Array) -> bool:
    """Whether the run became faster from sixth to sixth, and is not done with it."""
    levels = [float(np.quantile(part, _CALM)) for part in np.array_split(means, _STRETCHES)]
    rises = sum(later >= earlier for earlier, later in combinations(levels, 2))
    return rises <= _RISES and levels[3] > _FALLING * levels[5]
