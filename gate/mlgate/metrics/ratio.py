"""The corpus value of every metric that is one sum over another."""

from __future__ import annotations

import numpy as np

from mlgate.core.stats.jackknife import Array


def ratio(totals: Array) -> Array:
    """Return the first column over the second, shape (...), of sums of shape (..., 2). NaN where that is 0/0 or x/0.

    Means are this with a second column of ones; error rates with one of reference lengths.
    """
    above, below = totals[..., 0], totals[..., 1]
    quotient: Array = np.divide(above, below, out=np.full(np.shape(below), np.nan), where=below > 0)
    return quotient
