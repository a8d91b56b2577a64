"""How well a share of requests is known that was counted window by window, and how much two of them differ.

Requests of one window share what happened in it: a busy node, a garbage collection, a burst of users. So neighbouring
windows are put together into blocks, and where the blocks differ by more than chance lets them, as many requests fewer
are counted as independent (the design effect; Kish, Survey Sampling, 1965, and Korn and Graubard, 1998).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from mlgate.core.stats.binomial import exact_high, exact_low
from mlgate.core.stats.jackknife import Array
from mlgate.core.stats.student_t import student

MOST_BLOCKS = 12
"""Blocks that windows are put together into, at most: long, to be independent; many, for their spread to be known."""
FEWEST_BLOCKS = 5
"""Fewer say nothing about how much they differ."""


@dataclass(frozen=True, eq=False, slots=True)
class Counted:
    """What was counted of one side. Both arrays have one number a window, in the order of time."""

    hits: Array
    """Requests that failed, or were slow."""
    trials: Array
    """Requests."""

    @property
    def n(self) -> float:
        """Return how many requests there were."""
        return float(self.trials.sum())

    @property
    def share(self) -> float:
        """Return the share of hits; NaN without requests."""
        return float(self.hits.sum()) / self.n if self.n > 0 else math.nan


@dataclass(frozen=True, slots=True)
class Bounds:
    """The ends of an interval."""

    low: float
    high: float


def share_bounds(one: Counted, tail: float) -> Bounds:
    """Return bounds of a share that each err by *tail* at most: Wilson's score interval (1927). NaN for no requests."""
    if not one.n > 0:
        return Bounds(math.nan, math.nan)
    return _wilson(one.share, one.n / design_effect(one, tail), tail)


def least_share(one: Counted, tail: float) -> float:
    """Return a lower bound of a share that errs by *tail* at most, exactly: NaN for no requests.

    A single hit must show next to nothing, at tails as small as those of many looks.
    """
    if not one.n > 0:
        return math.nan
    n = one.n / design_effect(one, tail)
    return exact_low(one.share * n, n, tail)


def most_more(candidate: Counted, stable: Counted, tail: float) -> float:
    """Return how much the candidate's share is above the stable one's at most; it errs by *tail*.

    The upper end of Newcombe's hybrid score interval (Statistics in Medicine 17, 1998, method 10). Both were counted in
    the same windows, so what happened to both at once does not widen it. NaN where one of them had no requests.
    """
    if not (candidate.n > 0 and stable.n > 0):
        return math.nan
    effect = _effect_of_difference(candidate, stable, tail)
    own = _wilson(candidate.share, candidate.n / effect, tail)
    its = _wilson(stable.share, stable.n / effect, tail)
    return candidate.share - stable.share + math.hypot(own.high - candidate.share, stable.share - its.low)


def least_more(candidate: Counted, stable: Counted, tail: float) -> float:
    """Return how much the candidate's share is above the stable one's at least; it errs by *tail*.

    The lower end of the same interval, with exact bounds of both shares.
    """
    if not (candidate.n > 0 and stable.n > 0):
        return math.nan
    effect = _effect_of_difference(candidate, stable, tail)
    n, m = candidate.n / effect, stable.n / effect
    own, its = exact_low(candidate.share * n, n, tail), exact_high(stable.share * m, m, tail)
    return candidate.share - stable.share - math.hypot(candidate.share - own, its - stable.share)


def design_effect(one: Counted, tail: float) -> float:
    """Return how many times wider than by chance alone the variance of a share is; at least 1."""
    return _effect(_residuals(one), _binomial(one), tail)


def _effect_of_difference(candidate: Counted, stable: Counted, tail: float) -> float:
    residuals = _residuals(candidate) - _residuals(stable)
    return _effect(residuals, _binomial(candidate) + _binomial(stable), tail)


def _residuals(one: Counted) -> Array:
    """Return by how much each window moves the share."""
    found: Array = (one.hits - one.share * one.trials) / one.n
    return found


def _binomial(one: Counted) -> float:
    """Return the variance that a share of independent requests has."""
    return one.share * (1 - one.share) / one.n


def _effect(residuals: Array, binomial: float, tail: float) -> float:
    """Return how many times *binomial* the variance between blocks is, for an interval that errs by *tail*."""
    blocks = min(MOST_BLOCKS, len(residuals))
    if blocks < FEWEST_BLOCKS or not binomial > 0:
        return 1.0
    sums = np.add.reduceat(residuals, np.linspace(0, len(residuals), blocks, endpoint=False).astype(int))
    ratio = float(np.square(sums).sum()) * blocks / (blocks - 1) / binomial
    if ratio <= 1:
        return 1.0
    widened = student(1 - tail, blocks - 1) / NormalDist().inv_cdf(1 - tail)
    return ratio * widened**2


def _wilson(share: float, n: float, tail: float) -> Bounds:
    z = NormalDist().inv_cdf(1 - tail)
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Bounds(max(0.0, middle - half), min(1.0, middle + half))
