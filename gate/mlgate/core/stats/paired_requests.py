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

from mlgate.core.stats.jackknife import Array
from mlgate.core.stats.series import RoundNumbers, Series

_FAR = 3.0
"""So many standard deviations of the others away is a ratio that is not like them."""
_STALLED = 12.0
"""So many is a round in which one side all but stood still: a busy machine, and a queue behind it, do less."""
_NORMAL_MAD = 1.4826
"""Standard deviations of a normal law in its median absolute deviation."""
_BELOW = 2
"""Around a percentile are the requests beyond it, and so many times as many on the side of the median."""
_RAREST = 0.05
"""The share of requests beyond a percentile that it takes for pairs to tell how it moved."""


@dataclass(frozen=True, eq=False, slots=True)
class PairedRequests:
    """Both sides' replies to the same requests, in the rounds that both have.

    *Around* the percentile are the requests that say how it moved. They are chosen by how long both sides took for them
    together (the geometric mean, which no ratio moves), so neither side chooses them: of a p50 all, of a p95 the
    slowest 15 of 100.
    """

    candidate: Series
    """Of the requests that both were sent, in order."""
    baseline: Series
    near: NDArray[np.intp]
    """Which requests are around the percentile, ascending."""
    beyond: NDArray[np.intp]
    """Which of these, by their place in `near`, are beyond it, away from the median; of a p50 the slower ones."""

    @classmethod
    def of(cls, candidate: Series, baseline: Series) -> PairedRequests | None:
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
        if not (len(mine) and one.values.all() and other.values.all()):
            return None
        return cls(one, other, *_around(candidate.quantile, one.values * other.values))

    @property
    def logs(self) -> Array:
        """Return the logarithm of candidate / baseline of each request."""
        logs: Array = np.log(self.candidate.values / self.baseline.values)
        return logs

    @property
    def rounds(self) -> RoundNumbers:
        """Return the round of each request."""
        return self.candidate.rounds

    @property
    def tells_apart(self) -> bool:
        """Whether there are enough requests beyond the percentile and before it: a p99's one bad second fills."""
        common = min(self.candidate.quantile, 1 - self.candidate.quantile) >= _RAREST
        return common and 0 < len(self.beyond) < len(self.near)

    def around(self) -> Series:
        """Return the ratios of the requests around the percentile, with their median as the value.

        Where every request takes the same times longer, this is the ratio of the percentiles.
        """
        ratios = self.candidate.values / self.baseline.values
        return replace(self.candidate, values=ratios[self.near], rounds=self.rounds[self.near], quantile=0.5)

    def leaning(self) -> Array:
        """Return 1 for each request that became far slower than the median one, -1 for far faster, else 0.

        Between equal models, and models of which one is slower throughout, they are as many on either side.
        """
        logs = self.logs
        away = logs - np.median(logs)
        leaning: Array = np.sign(away) * (np.abs(away) > _FAR * deviation(logs))
        return leaning

    def tempered(self) -> Array:
        """Return the logarithms around the percentile, each at most _FAR deviations from the median of all."""
        logs = self.logs
        middle, far = float(np.median(logs)), _FAR * deviation(logs)
        return np.clip(logs[self.near], middle - far, middle + far)

    def stalls(self) -> float:
        """Return by how much more stalled rounds moved the candidate's percentile than the baseline's; 0 or more.

        Of logarithms. A second in which all but stood still fills a tail, and moves no median of requests.
        """
        ends = np.flatnonzero(np.diff(self.rounds)) + 1
        middles = np.asarray([np.median(part) for part in np.split(self.logs, ends)])
        away = middles - np.median(middles)
        stalled = np.where(np.abs(away) > _STALLED * deviation(middles), away, 0.0)
        each = np.repeat(stalled, np.diff([0, *ends, len(self.rounds)]))
        return max(
            0.0,
            _percentile_shift(self.candidate, np.maximum(each, 0))
            - _percentile_shift(self.baseline, np.maximum(-each, 0)),
        )

    def apart(self) -> float:
        """Return how much of the spread of being beyond one's own percentile the two sides do not share, 0 to 1.

        A request that is slow for both moves both percentiles alike: only where one side is beyond its percentile and
        the other is not, their ratio may move.
        """
        quantile = self.candidate.quantile
        one, other = (side.values > side.corpus() for side in (self.candidate, self.baseline))
        return min(1.0, float((one != other).mean()) / (2 * quantile * (1 - quantile)))


def deviation(values: Array) -> float:
    """Return the standard deviation of a normal law that would have the median absolute deviation of *values*."""
    return _NORMAL_MAD * float(np.median(np.abs(values - np.median(values))))


def _percentile_shift(side: Series, slowed: Array) -> float:
    """Return how much a side's percentile is above what it is without what slowed each request; of logarithms."""
    return math.log(side.corpus() / replace(side, values=side.values * np.exp(-slowed)).corpus())


def _same(candidate: Series, baseline: Series) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return where the requests stand that both sides were sent, in order: by their place in their round."""
    assert candidate.requests is not None
    assert baseline.requests is not None
    most = 1 + max(candidate.requests.max(initial=0), baseline.requests.max(initial=0))
    one, other = candidate.rounds * most + candidate.requests, baseline.rounds * most + baseline.requests
    _, mine, theirs = np.intersect1d(one, other, assume_unique=True, return_indices=True)
    return mine, theirs


def _around(quantile: float, levels: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return where the levels around the quantile stand, ascending, and which of these lie beyond it."""
    n, beyond = len(levels), min(quantile, 1 - quantile)
    upper = quantile >= 0.5  # noqa: PLR2004 - the median
    low, high = (quantile - _BELOW * beyond, 1.0) if upper else (0.0, quantile + _BELOW * beyond)
    first, last = max(0, math.floor(n * low + 1e-9)), min(n, math.ceil(n * high - 1e-9))
    order = np.argsort(levels, kind="stable")
    tail = order[math.floor(n * quantile + 1e-9) :] if upper else order[: math.ceil(n * quantile - 1e-9)]
    near = np.sort(order[first:last])
    return near, np.flatnonzero(np.isin(near, tail))
