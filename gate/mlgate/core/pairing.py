"""Both sides of a round are asked the same at the same moments: what that explains of a time drops out of the ratio.

Of two models on one machine much of a request's time is the request's own: how long its input is, whom it had to wait
for, how busy the machine was in that round. The ratio of two percentiles cancels this on average only; the ratio of two
replies to one request cancels it in each. benchmarks/duet.py measures by how much that is better known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mlgate.core.series import Series
from mlgate.core.statistics import Array

_FAR = 3.0
"""So many standard deviations of the others away is a ratio that is not like them."""
_NORMAL_MAD = 1.4826
"""Standard deviations of a normal law in its median absolute deviation."""
_BELOW = 2
"""Around a percentile are the requests beyond it, and so many times as many on the side of the median."""


@dataclass(frozen=True, eq=False, slots=True)
class Pairs:
    """Both sides' replies to the same requests, in the rounds that both have."""

    candidate: Series
    """Of the requests that both were sent, in order."""
    baseline: Series

    @classmethod
    def of(cls, candidate: Series, baseline: Series) -> Pairs | None:
        """Return the pairs of two sides of the same rounds.

        None for a mean (its sums cancel what is the request's own), for values that are not one a request, and for
        times of zero.
        """
        if not candidate.quantile or candidate.under or baseline.under:
            return None
        if candidate.requests is None or baseline.requests is None or not (candidate.sound and baseline.sound):
            return None
        mine, theirs = _same(candidate, baseline)
        one, other = (
            replace(side, values=side.values[where], rounds=side.rounds[where], requests=None, examples=None)
            for side, where in ((candidate, mine), (baseline, theirs))
        )
        return cls(one, other) if len(mine) and one.values.all() and other.values.all() else None

    @property
    def ratios(self) -> Array:
        """Return candidate / baseline of each request."""
        ratios: Array = self.candidate.values / self.baseline.values
        return ratios

    def around(self) -> Series:
        """Return the ratios of the requests around the percentile, with their median as the value.

        Requests are ordered by how long both sides took for them together (the geometric mean, which no ratio moves),
        so neither side chooses them. Of a p50 all are around it, of a p95 the slowest 15 of 100, of a p99 the slowest
        3. Where every request takes the same times longer, this is the ratio of the percentiles.
        """
        near = _around(self.candidate.quantile, self.candidate.values * self.baseline.values)
        return replace(self.candidate, values=self.ratios[near], rounds=self.candidate.rounds[near], quantile=0.5)

    def leaning(self) -> Array:
        """Return 1 for each request that became far slower than the median one, -1 for far faster, else 0.

        Between equal models, and models of which one is slower throughout, they are as many on either side.
        """
        logs = np.log(self.ratios)
        away = logs - np.median(logs)
        leaning: Array = np.sign(away) * (np.abs(away) > _FAR * deviation(logs))
        return leaning

    def mean(self) -> float:
        """Return the mean of the logarithms of all ratios: a part of the requests moves it that moves no median."""
        return float(np.log(self.ratios).mean())


def deviation(values: Array) -> float:
    """Return the standard deviation of a normal law that would have the median absolute deviation of *values*."""
    return _NORMAL_MAD * float(np.median(np.abs(values - np.median(values))))


def _same(candidate: Series, baseline: Series) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return where the requests stand that both sides were sent, in order: by their place in their round."""
    assert candidate.requests is not None
    assert baseline.requests is not None
    most = 1 + max(candidate.requests.max(initial=0), baseline.requests.max(initial=0))
    one, other = candidate.rounds * most + candidate.requests, baseline.rounds * most + baseline.requests
    _, mine, theirs = np.intersect1d(one, other, assume_unique=True, return_indices=True)
    return mine, theirs


def _around(quantile: float, levels: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return where the levels around the quantile stand, ascending."""
    n, beyond = len(levels), min(quantile, 1 - quantile)
    low, high = (quantile - _BELOW * beyond, 1.0) if quantile >= 0.5 else (0.0, quantile + _BELOW * beyond)  # noqa: PLR2004 - the median
    first, last = max(0, math.floor(n * low + 1e-9)), min(n, math.ceil(n * high - 1e-9))
    return np.sort(np.argsort(levels, kind="stable")[first:last])
