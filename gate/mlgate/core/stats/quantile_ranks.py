"""Which of the sorted values bound a percentile, whatever the law of the times is: for few values, and for gaps.

As many of n values as a binomial count lie below their law's percentile (David and Nagaraja, 2003, 7.1). Resampling
cannot say so by itself: where 6 % of the requests take five times as long, the p95 of 100 lies in the tail or before it
by chance, and every draw from a sample in which it lies before it says that it is well known.
"""

from __future__ import annotations

import math

import numpy as np

from mlgate.core.stats.jackknife import Array
from mlgate.core.stats.series import Series, rank

_MORE_ERROR = 1.5
"""The guard may err so many times as often as the interval that it guards. It is for gaps: where the law has none, it
and the spread of the draws estimate one width, and the greater of two equal estimates is 7 % too wide on average."""


def ranks(quantile: float, n: int, confidence: float, *, exact: bool = True) -> tuple[int, int]:
    """Return the ranks, 1-based, that lie below and above the quantile with that probability each; 0 and n + 1: none.

    *exact*: at least with that probability. Else with about that: half of the equal count is on either side (mid-P).
    """
    chances = _binomial(n, quantile)
    cumulated = np.cumsum(chances)  # P(count <= k), k from 0 to n
    if exact:
        above = int(np.searchsorted(cumulated, confidence, side="left")) + 1
    else:
        cumulated -= chances / 2
        above = int(np.searchsorted(cumulated, confidence, side="left"))
    return int(np.searchsorted(cumulated, 1 - confidence, side="right")), above


def rank_width(candidate: Series, baseline: Series, confidence: float, apart: float | None = None) -> float:
    """Return the least half width of the interval of log(candidate / baseline) that the ranks of both sides allow.

    Both sides are of the same rounds. Each side has its own interval, and the squares of their ends' distances add up
    (MOVER; Donner and Zou, 2012). What slows both sides of a round alike cancels in the ratio and moves no rank of one
    side against the other: the ranks stand nearer by the share of the spread that is *apart*, each side's own; not
    given, by the share that is within rounds. inf where so few values bound nothing.
    """
    sure = max(0.0, 1 - _MORE_ERROR * (1 - confidence))
    inside = math.sqrt((_within(candidate) + _within(baseline)) / 2 if apart is None else apart)
    down, up = _distances(candidate, sure, inside)
    past_down, past_up = _distances(baseline, sure, inside)
    return max(math.hypot(up, past_down), math.hypot(down, past_up))


def median_width(series: Series, confidence: float) -> float:
    """Return the least half width of the interval of log(median) that ranks allow; inf where so few bound nothing."""
    return max(_distances(series, max(0.0, 1 - _MORE_ERROR * (1 - confidence)), 1.0))


def _distances(series: Series, confidence: float, nearer: float) -> tuple[float, float]:
    """Return how far the two-sided interval reaches below and above the value, of logarithms."""
    n = len(series.values)
    place = int(rank(series.quantile, n))
    below, above = ranks(series.quantile, n, (1 + confidence) / 2, exact=False)
    low, high = math.floor(place - (place - below) * nearer), math.ceil(place + (above - place) * nearer)
    ordered = np.concatenate([[0.0], np.sort(series.values), [math.inf]])
    ends = np.array([ordered[min(low, place)], ordered[place], ordered[max(high, place)]])
    with np.errstate(divide="ignore"):  # log 0 is no bound at all
        logs = np.log(ends)
    return float(logs[1] - logs[0]), float(logs[2] - logs[1])


def _within(series: Series) -> float:
    """Return the share, up to 1, of the spread of "is above the percentile" that is inside the rounds."""
    above = (series.values > series.corpus()).astype(np.float64)
    _, unit, counts = np.unique(series.rounds, return_inverse=True, return_counts=True)
    several = counts > 1
    spread = above.mean() * (1 - above.mean())
    if not several.any() or not spread > 0:
        return 1.0
    shares = np.bincount(unit, above) / counts
    inside = counts * shares * (1 - shares) * counts / np.maximum(counts - 1, 1)
    return min(1.0, float(inside[several].sum() / counts[several].sum() / spread))


def _binomial(n: int, probability: float) -> Array:
    """Return P(count = k), k from 0 to n: summed from its ratios, in logarithms."""
    k = np.arange(n)
    odds = math.log(probability / (1 - probability))
    logs = np.concatenate([[0.0], np.cumsum(np.log((n - k) / (k + 1)) + odds)])
    chances: Array = np.exp(logs + n * math.log1p(-probability))
    return chances
