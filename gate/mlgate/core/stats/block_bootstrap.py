"""Intervals of percentiles and of their ratios, by resampling whole rounds. Deterministic: one fixed stream of draws.

Requests of one round share the machine's state of that second, so they are not independent; rounds in random order are.
The unit that is drawn again is therefore the round, and of a duet both sides' blocks of it together: what slows both
cancels (Bulej et al., "Duet benchmarking", 2020; Kalibera and Jones, 2013). Widths are of the logarithm: times differ
by factors. benchmarks/duet.py measures how often the intervals hold.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mlgate.core.stats.jackknife import Array, Interval
from mlgate.core.stats.quantile_ranks import ranks
from mlgate.core.stats.series import RoundNumbers, Series, rank
from mlgate.core.stats.student_t import student

FEWEST_ROUNDS = 8
"""Below this many rounds their spread is not known well enough: see benchmarks/duet.py."""

_MISSED = 0.05
"""So many values are needed that all of them lie below the percentile with this probability at most."""

_DRAWS = 1_000
_CHUNK_NUMBERS = 4_000_000
_RANDOM_KEY = 20262


def fewest_values(quantile: float) -> int:
    """Return how many values an interval of a percentile needs at least: 59 for a p95, 299 for a p99; 1 for a mean."""
    outer = max(quantile, 1 - quantile)
    return math.ceil(math.log(_MISSED) / math.log(outer)) if 0 < outer < 1 else 1


def too_few(series: Series) -> str:
    """Return why no interval can be given, as the predicate of a sentence's end; empty when one can."""
    n, rounds = len(series.values), len(np.unique(series.rounds))
    needed = fewest_values(series.quantile)
    if not series.sound:
        return f"not every one of {n:,} values is a time"
    if rounds < FEWEST_ROUNDS:
        return f"{rounds} rounds are too few for an interval: it needs {FEWEST_ROUNDS}"
    if n < needed:
        return f"{n} requests are too few for an interval of {series.name}: it needs {needed}"
    if series.under is None:
        return "" if series.corpus() > 0 else f"{series.name} is 0, and 0 has no ratio to anything"
    return too_few(series.under)


def log_width(series: Series, confidence: float) -> float:
    """Return half the width of the two-sided interval of log(value); NaN when `too_few` says why.

    It says how well this run knows its own minute on its own machine. Another minute's machine differs by more.
    """
    if too_few(series):
        return math.nan
    numbers = np.unique(series.rounds)
    return half_width(resampled(series, numbers, draws(len(numbers))), len(numbers), confidence)


def bounds(series: Series, confidence: float) -> Interval:
    """Return a lower and an upper bound of the value, each of which holds at *confidence* on its own; NaN for none.

    Of a percentile of few values the spread says too little: the largest of 60 may lie below the true p95. So neither
    bound is nearer than the value whose rank bounds the percentile whatever the law is (David and Nagaraja, 2003, 7.1):
    infinity where even the largest value does not.
    """
    value, half = series.corpus(), log_width(series, 2 * confidence - 1)
    low, high = value * math.exp(-half), value * math.exp(half)
    if not math.isfinite(half) or not series.quantile or series.under is not None:
        return Interval(low, high)
    below, above = ranks(series.quantile, len(series.values), confidence)
    ordered = np.concatenate([[0.0], np.sort(series.values), [math.inf]])
    return Interval(min(low, float(ordered[below])), max(high, float(ordered[above])))


@lru_cache(maxsize=16)
def draws(units: int) -> Array:
    """Return how often each of *units* is drawn, shape (draws, units): always the same for as many units."""
    stream = np.random.Generator(np.random.Philox(key=_RANDOM_KEY))
    found = stream.multinomial(units, np.full(units, 1 / units), size=_DRAWS).astype(np.float64)
    found.flags.writeable = False
    return found


def resampled(series: Series, numbers: RoundNumbers, weights: Array) -> Array:
    """Return the logarithm of the value in each draw; *weights* says how often each round of *numbers* was drawn.

    Exact, without bins. NaN for a draw in which the value is 0 or nothing was drawn. *numbers* is ascending.
    """
    unit = np.searchsorted(numbers, series.rounds)
    found = (_quantiles if series.quantile else _means)(series, unit, weights)
    logs: Array = np.log(np.where(found > 0, found, math.nan))
    return logs if series.under is None else logs - resampled(series.under, numbers, weights)


def half_width(logs: Array, units: int, confidence: float, freedom: float = math.inf) -> float:
    """Return half the interval's width: Student's t times the spread of the draws; NaN for no number or confidence.

    *freedom*: the degrees of it that the spread has, where that is less than one for each unit but one.
    """
    probability = (1 + confidence) / 2
    if not 0.5 < probability < 1 or not np.isfinite(logs).all():  # noqa: PLR2004 - half is no confidence at all
        return math.nan
    return student(probability, min(freedom, units - 1)) * standard_error(logs, units)


def standard_error(logs: Array, units: int) -> float:
    """Return the spread of what was drawn from *units*; NaN where a draw is no number.

    Drawing from a sample, not from what it was taken from, is (units - 1) / units of the variance.
    """
    return float(np.std(logs - logs[0])) * math.sqrt(units / (units - 1)) if np.isfinite(logs).all() else math.nan


def _means(series: Series, unit: RoundNumbers, weights: Array) -> Array:
    units = weights.shape[1]
    sums = np.bincount(unit, series.values, minlength=units).astype(np.float64)
    counts = np.bincount(unit, minlength=units).astype(np.float64)
    total = _weighted_sums(weights, counts)
    means: Array = _weighted_sums(weights, sums) / np.where(total > 0, total, math.nan)
    return means


def _quantiles(series: Series, unit: RoundNumbers, weights: Array) -> Array:
    """Cumulate each draw's weights over the sorted values: over groups of them, then inside the group that counts."""
    n, units = len(series.values), weights.shape[1]
    order = np.argsort(series.values, kind="stable")
    values, unit = series.values[order], unit[order]
    size = math.isqrt(n - 1) + 1
    groups = -(-n // size)
    counts = np.bincount(unit * groups + np.arange(n) // size, minlength=units * groups).reshape(units, groups)
    padded = np.concatenate([unit, np.zeros(groups * size - n, dtype=np.intp)]).reshape(groups, size)
    step = max(1, _CHUNK_NUMBERS // (groups + size))
    found = [
        _places(padded, counts.astype(np.float64), weights[i : i + step], series.quantile)
        for i in range(0, len(weights), step)
    ]
    place = np.concatenate(found)
    result: Array = np.where(place < n, values[np.minimum(place, n - 1)], math.nan)
    return result


def _places(units: NDArray[np.intp], counts: Array, weights: Array, quantile: float) -> NDArray[np.intp]:
    """Return the place of each draw's quantile among the sorted values; past the last one when nothing was drawn."""
    size = units.shape[1]
    cumulated = _weighted_sums(weights, counts).cumsum(axis=1)
    wanted = rank(quantile, cumulated[:, -1])[:, None]
    group = np.minimum((cumulated < wanted).sum(axis=1), len(units) - 1)
    row = np.arange(len(weights))
    before = np.where(group > 0, cumulated[row, group - 1], 0.0)
    inside = np.take_along_axis(weights, units[group], axis=1).cumsum(axis=1) + before[:, None]
    return np.asarray(group * size + (inside < wanted).sum(axis=1), dtype=np.intp)


def _weighted_sums(weights: Array, per_unit: Array) -> Array:
    """Return weights @ per_unit without the threads of BLAS: they cost more than these sizes save, and order sums."""
    found: Array = np.einsum("du,u...->d...", weights, per_unit)
    return found
