"""Intervals and paired comparisons, from the same rows as the scores. No resampling of text, no seed of the user's.

A corpus metric is a function of summed per-example statistics (for BLEU: lengths and n-gram counts). Leaving one
example out of the sum gives its influence; the spread of the influences gives the interval (the jackknife: Efron and
Stein, 1981, who show that it errs to the wide side). Paired: subtract the two systems' influences example by example.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from mlgate.core.check import Metric

Array = NDArray[np.float64]

FEWEST_PAIRS = 20
"""Below this many examples an interval of the difference is not to be trusted: see benchmarks/coverage.py."""

_DRAWS = 20_000
_CHUNK = 4_000_000


@dataclass(frozen=True, eq=False, slots=True)
class Statistics:
    """One metric's sufficient statistics: everything its corpus value is computed from."""

    name: str
    """The name that rules use."""
    metric: Metric
    signature: str
    """Every setting that can change the value, in sacrebleu's form. Unlike signatures are never compared."""
    rows: Array
    """Shape (n, k): one row an example, in the check's order."""
    value: Callable[[Array], Array] = field(repr=False)
    """From sums of rows, shape (..., k), to corpus values, shape (...)."""

    def corpus(self) -> float:
        """Return the metric's value over all rows; NaN when there are none."""
        if not len(self.rows):
            return math.nan
        return float(self.value(self.rows.sum(axis=0)))


@dataclass(frozen=True, slots=True)
class Unscored:
    """A metric that could not be computed from complete rows, and why."""

    name: str
    why: str


def influence(rows: Array, value: Callable[[Array], Array]) -> Array:
    """Return how far each example moves the corpus value, shape (n,), in the metric's unit times n.

    Memory stays bounded: the leave-one-out sums are made a chunk at a time.
    """
    n, k = rows.shape
    if n < 2:  # noqa: PLR2004 - leaving the only one out leaves nothing
        return np.full(n, math.nan)
    total = rows.sum(axis=0)
    step = max(1, _CHUNK // max(1, k))
    left_out = np.concatenate([value(total - rows[i : i + step]) for i in range(0, n, step)])
    moved: Array = (n - 1) * (left_out.mean() - left_out)
    return moved


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided confidence interval."""

    low: float
    high: float

    @property
    def finite(self) -> bool:
        """Whether both ends are numbers."""
        return math.isfinite(self.low) and math.isfinite(self.high)


def standard_error(influences: Array) -> float:
    """Return the standard error of a value (or of a difference) from its examples' influences."""
    n = len(influences)
    if n < 2:  # noqa: PLR2004 - one row has no spread
        return math.nan
    centred = influences - influences.mean()
    return math.sqrt(float(centred @ centred) / (n * (n - 1)))


def interval(value: float, influences: Array, confidence: float, span: float = 0.0) -> Interval:
    """Return Student's interval of *value* at *confidence* (two-sided), wider where a few examples carry it all.

    When 5 of 1,000 answers differ, the spread is known from 5 numbers, not from 1,000. So the degrees of freedom are
    Satterthwaite's for these influences' variance, 2n / (kurtosis - 1), and both ends give way by the shift that
    skewness asks for (Johnson, 1978), which only widens. With d equal losses among zeros the far end comes within
    3 % of the exact limit of a Poisson count from d = 2 on; Student's with n - 1 stays 20 % short of it at d = 5.

    Where no example moved the value at all, n examples only say that few do: the exact limit for 0 of n, times *span*,
    the most that one example can move (100 for points), over n. The "rule of three": Hanley and Lippman-Hand, 1983.
    """
    if len(influences) < 2 or not np.isfinite(influences).all():  # noqa: PLR2004 - one row has no spread
        return Interval(math.nan, math.nan)
    probability = (1 + confidence) / 2
    freedom, skewness = _shape(influences)
    shift = abs(skewness) * (2 * NormalDist().inv_cdf(probability) ** 2 + 1) / (6 * math.sqrt(len(influences)))
    error = standard_error(influences)
    half = (
        (student(probability, freedom) + shift) * error
        if error
        else -math.log(1 - probability) * span / len(influences)
    )
    return Interval(value - half, value + half)


def _shape(influences: Array) -> tuple[float, float]:
    """Return the degrees of freedom of the influences' variance, at most n - 1, and their skewness."""
    n = len(influences)
    centred = influences - influences.mean()
    greatest = float(np.abs(centred).max())
    if greatest == 0:
        return n - 1, 0.0
    scaled = centred / greatest
    second = float((scaled**2).mean())
    kurtosis = float((scaled**4).mean()) / second**2
    freedom = 2 * n / (kurtosis - 1) if kurtosis > 1 else math.inf
    return min(n - 1, freedom), float((scaled**3).mean()) / second**1.5


def student(probability: float, freedom: float) -> float:
    """Return the quantile of Student's t. Cornish-Fisher: within 0.2 % from 10 degrees of freedom on, 1 % from 2 on.

    That is at 95 % confidence; Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5.
    """
    z = NormalDist().inv_cdf(probability)
    v = float(freedom)
    return (
        z
        + (z**3 + z) / (4 * v)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * v**4)
    )


def simultaneous(influences: Array, confidence: float) -> float:
    """Return the factor on standard errors that makes all columns' intervals hold at once (max-t).

    *influences* has shape (n, m), one column a comparison. Correlated comparisons cost less than Bonferroni asks:
    the factor is the quantile of the greatest of m correlated normals, drawn from a fixed stream (Hothorn, Bretz and
    Westfall, 2008), scaled to Student's t. Columns without spread ask for nothing.
    """
    n, m = influences.shape
    single = student((1 + confidence) / 2, n - 1)
    centred = influences - influences.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    centred = centred[:, length > 0] / length[length > 0]
    if centred.shape[1] <= 1:
        return single
    scales, vectors = np.linalg.eigh(centred.T @ centred)
    root = vectors * np.sqrt(np.maximum(scales, 0))
    draws = np.random.Generator(np.random.Philox(key=20261)).standard_normal((_DRAWS, root.shape[1]))
    step = max(1, _CHUNK // m)
    greatest = np.concatenate([np.abs(draws[i : i + step] @ root.T).max(axis=1) for i in range(0, _DRAWS, step)])
    normal = float(np.quantile(greatest, confidence))
    one = NormalDist().inv_cdf((1 + confidence) / 2)
    return max(single, normal * single / one)
