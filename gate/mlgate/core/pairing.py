"""Both sides of a round are asked the same at the same moments: what that explains of a time drops out of the ratio.

Of two models on one machine much of a request's time is the request's own: how long its input is, whom it had to wait
for, how busy the machine was in that round. The ratio of two percentiles cancels this on average only; the ratio of two
replies to one request cancels it in each. benchmarks/duet.py measures by how much that is better known.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mlgate.core.series import Series

_BELOW = 2
"""Around a percentile are the requests beyond it, and so many times as many on the side of the median."""


def paired(candidate: Series, baseline: Series) -> Series | None:
    """Return the ratios candidate / baseline of the requests around the percentile, and their median as the value.

    Requests are ordered by how long both sides took for them together (the geometric mean, which no ratio moves), so
    neither side chooses them. Of a p50 all are around it, of a p95 the slowest 15 of 100, of a p99 the slowest 3. Where
    every request takes the same times longer, this is the ratio of the percentiles. None for a mean (its sums cancel
    what is the request's own), for values that are not one a request, and for times of zero.
    """
    if not candidate.quantile or candidate.under or baseline.under:
        return None
    if candidate.requests is None or baseline.requests is None or not (candidate.sound and baseline.sound):
        return None
    mine, theirs = _same(candidate, baseline)
    after, before = candidate.values[mine], baseline.values[theirs]
    if not (len(mine) and after.all() and before.all()):
        return None
    near = _around(candidate.quantile, after * before)
    return replace(
        candidate, values=after[near] / before[near], rounds=candidate.rounds[mine][near], quantile=0.5, requests=None
    )


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
