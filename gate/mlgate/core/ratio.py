"""How many times longer the candidate takes than the baseline, and how well that is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mlgate.core.pairing import Pairs, deviation
from mlgate.core.ranks import median_width, rank_width
from mlgate.core.resampling import draws, half_width, resampled, standard_error, too_few
from mlgate.core.series import Rounds, Series, shared
from mlgate.core.statistics import Array

_UNLIKE = 0.95
"""Where the percentiles' own ratio differs from the requests' beyond this interval, it is the one that counts."""


@dataclass(frozen=True, eq=False, slots=True)
class Ratio:
    """Candidate / baseline of a percentile, a mean or a rate, over the rounds that both sides have."""

    log: float
    """Its logarithm; NaN when there is none."""
    by_request: bool
    """Whether it is the median of the ratios request by request (core/pairing.py), or the ratio of the two values."""
    alone: float
    """The standard error that it would have if rounds had nothing to do with it; 0: not known."""
    drawn: Array
    """The logarithm in each draw of whole rounds."""
    rounds: int
    """How many rounds its spread is known from."""
    least: Callable[[float], float]
    """Half the width that it has at least, at a confidence: what ranks allow, and what a median may not see."""

    @property
    def value(self) -> float:
        """Return candidate / baseline."""
        return math.exp(self.log)

    @property
    def error(self) -> float:
        """Return the standard error of the logarithm."""
        return standard_error(self.drawn, self.rounds)

    @property
    def within(self) -> float:
        """Return the share of the error's square that single requests bring, and more of them a round take away."""
        return min(1.0, (self.alone / self.error) ** 2) if self.error > 0 else 0.0

    def half(self, confidence: float) -> float:
        """Return half the width of the two-sided interval of the logarithm; NaN or inf when too little is known."""
        half = half_width(self.drawn, self.rounds, confidence)
        return max(half, self.least(confidence)) if math.isfinite(half) else half


_UNKNOWN = Ratio(math.nan, False, 0.0, np.array([math.nan]), 2, lambda _: math.nan)


def ratio(candidate: Series, baseline: Series) -> Ratio:
    """Return the ratio as the requests tell it, each beside itself; where they cannot, as the two values do.

    They cannot where a model treats requests unlike: a tenth that takes five times as long moves a p95, and no median.
    That is taken for shown where the percentiles' own ratio differs from the median by more than chance, and where
    more requests than chance explains became far slower than the others, and not far faster. What is not shown (a
    second in which all stood still) widens the interval: it reaches at least to the mean of all ratios.
    """
    one, other = shared(candidate, baseline)
    if one.quantile != other.quantile or too_few(one) or too_few(other):
        return _UNKNOWN
    numbers = np.unique(one.rounds)
    apart = _of_values(one, other, numbers)
    pairs = Pairs.of(one, other)
    if pairs is None:
        return apart
    found = _of_requests(pairs, numbers)
    between = half_width(apart.drawn - found.drawn, len(numbers), _UNLIKE)
    return found if abs(apart.log - found.log) <= between and not _leans(pairs, numbers) else apart


def _leans(pairs: Pairs, numbers: Rounds) -> bool:
    """Return whether more requests became far slower than far faster, beyond the interval of the difference."""
    leaning = pairs.leaning()
    unit = np.searchsorted(numbers, pairs.candidate.rounds)
    sums, counts = np.bincount(unit, leaning, len(numbers)), np.bincount(unit, minlength=len(numbers)).astype(float)
    weights = draws(len(numbers))
    drawn = np.einsum("du,u->d", weights, sums) / np.maximum(np.einsum("du,u->d", weights, counts), 1.0)
    return not float(leaning.mean()) <= half_width(drawn, len(numbers), _UNLIKE)


def _of_values(one: Series, other: Series, numbers: Rounds) -> Ratio:
    """Return the ratio of the two sides' values.

    The same rounds are drawn for both sides: that is about what the machine does. Its interval is never narrower than
    the ranks of both sides allow: that is about few values, and gaps between them.
    """
    weights = draws(len(numbers))
    logs = resampled(one, numbers, weights) - resampled(other, numbers, weights)
    ranked = one.quantile and not one.under and not other.under
    least = (lambda confidence: rank_width(one, other, confidence)) if ranked else (lambda _: 0.0)
    return Ratio(_log(one) - _log(other), False, 0.0, logs, len(numbers), least)


def _of_requests(pairs: Pairs, numbers: Rounds) -> Ratio:
    """Return the median of the requests' own ratios; its spread is known from the rounds that they came in."""
    near, mean = pairs.around(), pairs.mean()
    logs, log = resampled(near, numbers, draws(len(numbers))), _log(near)
    known = len(np.unique(near.rounds))
    alone = deviation(np.log(near.values)) * math.sqrt(math.pi / (2 * len(near.values)))
    return Ratio(
        log, True, alone, logs, max(2, known), lambda confidence: max(mean - log, median_width(near, confidence))
    )


def _log(series: Series) -> float:
    value = series.corpus()
    return math.log(value) if value > 0 else math.nan
