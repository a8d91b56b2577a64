"""Intervals and paired comparisons, from the same rows as the scores. No resampling of text, no seed of the user's.

A corpus metric is a function of summed per-example statistics (for BLEU: lengths and n-gram counts). Leaving one
example out of the sum gives its influence; the spread of the influences gives the interval (the jackknife: Efron and
Stein, 1981). Paired: subtract the two systems' influences example by example. benchmarks/coverage.py measures it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from mlgate.core.metric import Metric
from mlgate.core.stats.alpha_spending import ONLY, Look
from mlgate.core.stats.student_t import student

Array = NDArray[np.float64]

ENOUGH_EQUAL = 100
"""From so many groups on, equal answers to all of them are taken for equal answers, and half of the largest loss is
held against a pass, no more: 1 % of answers that lose half of what they can are let through in 5 % of runs at most."""

FEWEST_PAIRS = 20
"""Below this many examples an interval of the difference is not to be trusted: see benchmarks/coverage.py."""

SMALLEST_SLICE = 120
"""Below this many examples a slice is asked nothing that no rule asks.

50 slices without any true difference, at 95 % by max-t: how often is at least one called worse? Wanted: 5 %. With
exponential gains about 0 (skewness 2) in 8.5 % of runs with slices of 50, 6.8 % of 75, 5.6 % of 100, 4.9 % of 120 (and
4.0 % for 20 slices); with normal differences in 2.1 %; with 0/1 answers, 5 to 60 % of them changed, in at most 2.2 %.
Size does not mend what is more skewed than that: 3 in 10 answers changed, by exponential gains (skewness 3.7): 15 %.
"""

_DRAWS = 20_000
_CHUNK_NUMBERS = 4_000_000


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
    asked: NDArray[np.intp] | None = field(default=None, repr=False)
    """The rows that count, when not all examples were asked; None: all."""
    look: Look = ONLY
    """Which of how many planned looks at the run it is of."""
    groups: NDArray[np.intp] | None = field(default=None, repr=False)
    """Shape (n,): which group each row is of, counted from 0. None: each row is a group of its own."""

    @property
    def places(self) -> NDArray[np.intp]:
        """Return the positions of the rows that count."""
        return np.arange(len(self.rows)) if self.asked is None else self.asked

    def corpus(self) -> float:
        """Return the metric's value over all rows; NaN when there are none."""
        if not len(self.rows):
            return math.nan
        return float(self.value(self.rows.sum(axis=0)))

    def units(self, places: NDArray[np.intp]) -> tuple[Array, NDArray[np.intp]]:
        """Return the rows at *places* with those of one group summed, shape (groups, k), and which groups they are.

        A group is what is observed once: leaving out a whole one is the jackknife of clustered data (the delete-group
        jackknife: Shao and Tu, 1995, 6.4). Where every row is its own group these are the rows as they stand.
        """
        if self.groups is None:
            return self.rows[places], places
        found, inside = np.unique(self.groups[places], return_inverse=True)
        return sums(self.rows[places], inside, len(found)), found


@dataclass(frozen=True, slots=True)
class Unscored:
    """A metric that could not be computed from complete rows, and why."""

    name: str
    why: str


def sums(rows: Array, group: NDArray[np.intp], groups: int) -> Array:
    """Return the sum of the rows of each group, shape (groups, k)."""
    found = np.zeros((groups, rows.shape[1]))
    np.add.at(found, group, rows)
    return found


def quotient(totals: Array) -> Array:
    """Return the first of two sums over the second: what a share and a mean are as functions of summed rows."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Array = totals[..., 0] / totals[..., 1]
    return found


def influence(rows: Array, value: Callable[[Array], Array]) -> Array:
    """Return how far each example moves the corpus value, shape (n,), in the metric's unit times n.

    Memory stays bounded: the leave-one-out sums are made a chunk at a time.
    """
    n, k = rows.shape
    if n < 2:  # noqa: PLR2004 - leaving the only one out leaves nothing
        return np.full(n, math.nan)
    total = rows.sum(axis=0)
    step = max(1, _CHUNK_NUMBERS // max(1, k))
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


@dataclass(frozen=True, slots=True)
class Width:
    """Half the width of an interval, in the two parts of which the greater counts: they shrink differently."""

    spread: float
    """From how much the examples differ. Falls as 1/sqrt(n)."""
    floor: float = 0.0
    """From how much n examples can miss. Falls as 1/n."""

    @property
    def half(self) -> float:
        """Return half the width."""
        return max(self.spread, self.floor)

    @property
    def finite(self) -> bool:
        """Whether both parts are numbers."""
        return math.isfinite(self.spread) and math.isfinite(self.floor)

    def growth(self, distance: float) -> float:
        """Return how many times the examples it takes until half the width is *distance*; inf for none."""
        if not distance > 0:
            return math.inf
        ratio = self.spread / distance
        return max(ratio * ratio, self.floor / distance)


def standard_error(influences: Array) -> float:
    """Return the standard error of a value (or of a difference) from its examples' influences."""
    n = len(influences)
    if n < 2:  # noqa: PLR2004 - one row has no spread
        return math.nan
    centred = influences - influences.mean()
    return math.sqrt(float(centred @ centred) / (n * (n - 1)))


def change_size(influences: Array, changed: NDArray[np.bool_], span: float) -> float:
    """Return how large a change to expect of an example that the sample missed: what an interval's floor rests on.

    *influences* are on the difference, *changed* says for which examples the two systems' statistics differ, *span* is
    the most that one example can move. It is the mean of the changes seen and of one of the size *span*, pretended:
    where nothing changed it is the span, and every change that is seen takes from its weight. The pretended one is
    ours, as a prior's one observation; without it, one example that lost next to nothing would speak for all.
    """
    sizes = np.abs(influences[changed])
    return (span + float(sizes.sum())) / (1 + len(sizes))


def width(influences: Array, confidence: float, size: float = 0.0) -> Width:
    """Return Student's width at *confidence* (two-sided), wider where a few examples carry it all; NaN for none.

    When 5 of 1,000 answers differ, the spread is known from 5 numbers, not from 1,000. So the degrees of freedom are
    Satterthwaite's for these influences' variance, 2n / (kurtosis - 1), and both ends give way by the shift that
    skewness asks for (Johnson, 1978), which only widens. With d equal losses among zeros the far end comes within
    3 % of the exact limit of a Poisson count from d = 2 on; Student's with n - 1 stays 20 % short of it at d = 5.

    The floor: `unseen_share` of n examples, times *size*, which is `change_size`.
    """
    n, probability = len(influences), (1 + confidence) / 2
    if n < 2 or not 0.5 < probability < 1 or not np.isfinite(influences).all():  # noqa: PLR2004 - one has no spread
        return Width(math.nan, math.nan)
    freedom, skewness = _shape(influences)
    shift = abs(skewness) * (2 * NormalDist().inv_cdf(probability) ** 2 + 1) / (6 * math.sqrt(n))
    spread = (student(probability, freedom) + shift) * standard_error(influences)
    return Width(spread, unseen_share(n, confidence) * size)


def unseen_loss(n: int, confidence: float, span: float) -> float:
    """Return what the value may lose by answers like none of *n* groups has; *span* is the most that one can lose.

    However many others changed a little, it is no smaller. Infinite where few groups give no scale at all.
    """
    if not span:
        return math.inf if n < ENOUGH_EQUAL else 0.0
    return unseen_share(n, confidence) * (span if n < ENOUGH_EQUAL else span / 2)


def unseen_share(n: int, confidence: float) -> float:
    """Return how large a share of all may do what none of *n* examples did, at the exact limit; NaN for no number.

    That is -ln((1 - confidence) / 2) / n (the "rule of three": Hanley and Lippman-Hand, 1983).
    """
    if not 0 < confidence < 1 or n < 1:
        return math.nan
    return -math.log((1 - confidence) / 2) / n


def interval(value: float, influences: Array, confidence: float, size: float = 0.0) -> Interval:
    """Return the interval of *value* that has `width`."""
    half = width(influences, confidence, size).half
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


def simultaneous(influences: Array, confidence: float) -> float:
    """Return the confidence that each column's own interval needs, so that all hold at once at *confidence* (max-t).

    *influences* has shape (n, m), one column a comparison. Correlated comparisons cost less than Bonferroni asks: the
    greatest of m correlated normals is drawn from a fixed stream (Hothorn, Bretz and Westfall, 2008), and its quantile
    says how sure each must be on its own. How wide it is then, a column's own examples say: a slice of 20 among 2,000
    has 19 degrees of freedom. At least *confidence*, at most Šidák's (1967). Columns without spread ask for nothing.
    """
    centred = influences - influences.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    centred = centred[:, length > 0] / length[length > 0]
    m = centred.shape[1]
    if m <= 1:
        return confidence
    scales, vectors = np.linalg.eigh(centred.T @ centred)
    root = vectors * np.sqrt(np.maximum(scales, 0))
    draws = np.random.Generator(np.random.Philox(key=20261)).standard_normal((_DRAWS, m))
    step = max(1, _CHUNK_NUMBERS // m)
    greatest = np.concatenate([np.abs(draws[i : i + step] @ root.T).max(axis=1) for i in range(0, _DRAWS, step)])
    alone = 2 * NormalDist().cdf(float(np.quantile(greatest, confidence))) - 1
    return float(min(max(confidence, alone), confidence ** (1 / m)))
