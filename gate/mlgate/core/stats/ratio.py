"""How many times longer the candidate takes than the baseline, and how well that is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from mlgate.core.stats.block_bootstrap import draws, half_width, resampled, standard_error, too_few
from mlgate.core.stats.jackknife import Array
from mlgate.core.stats.paired_requests import PairedRequests
from mlgate.core.stats.quantile_ranks import median_width, rank_width
from mlgate.core.stats.series import RoundNumbers, Series, shared

_UNLIKE_CONFIDENCE = 0.95
"""Beyond this interval of a difference, requests are shown to change unlike."""
_TILT_CONFIDENCE = 0.98
"""The same of the tail and of what lies before it, which also differ where a machine is busy for seconds."""
_SOME = 0.1
"""Fewer requests than this share of those beyond the percentile do not move it, however slow they became."""
_DOUBT = 0.5
"""So many standard errors of the two values' own ratio are in the interval of a p50: in a queue, where each request
waits for those before it, it moves by more than the median request, and it is known nearly as well."""


@dataclass(frozen=True, eq=False, slots=True)
class Ratio:
    """Candidate / baseline of a percentile, a mean or a rate, over the rounds that both sides have."""

    log: float
    """Its logarithm; NaN when there is none."""
    by_request: bool
    """Whether it is the median of ratios request by request (paired_requests.py), or the ratio of the two values."""
    drawn: Array
    """The logarithm in each draw of whole rounds."""
    rounds: int
    """How many rounds its spread is known from."""
    least: Callable[[float], float]
    """Half the width that it has at least, at a confidence: what ranks allow."""
    stalls: float = 0.0
    """How much wider it is for rounds in which all stood still: they move a percentile, and no median of requests."""
    reach: float = 0.0
    """How far the interval reaches at least, of the logarithm."""

    @property
    def value(self) -> float:
        """Return candidate / baseline."""
        return math.exp(self.log)

    @property
    def error(self) -> float:
        """Return the standard error of the logarithm."""
        return standard_error(self.drawn, self.rounds)

    def half(self, confidence: float) -> float:
        """Return half the width of the two-sided interval of the logarithm; NaN or inf when too little is known."""
        half = half_width(self.drawn, self.rounds, confidence)
        if not math.isfinite(half):
            return half
        return max(math.hypot(max(half, self.least(confidence)), self.stalls), self.reach)


_UNKNOWN = Ratio(math.nan, False, np.array([math.nan]), 2, lambda _: math.nan)


def ratio(candidate: Series, baseline: Series) -> Ratio:
    """Return the ratio as the requests tell it, each beside itself; where they cannot, as the two values do.

    They cannot where a model treats requests unlike: a tenth that takes five times as long moves a p95, and no median.
    That is taken for shown where one of `_unlike`'s questions says so. What is not shown (a second in which all stood
    still) widens the interval by as much as such rounds moved the candidate's percentile.
    """
    one, other = shared(candidate, baseline)
    if one.quantile != other.quantile or too_few(one) or too_few(other):
        return _UNKNOWN
    numbers = np.unique(one.rounds)
    pairs = PairedRequests.of(one, other)
    apart = _of_values(one, other, numbers, pairs)
    if pairs is None or not pairs.tells_apart:
        return apart
    found = _of_requests(pairs, numbers)
    if len(pairs.near) == len(pairs.rounds):
        found = replace(found, reach=abs(apart.log - found.log) + _DOUBT * apart.error)
    return apart if _unlike(pairs, found, apart, numbers) else found


def _unlike(pairs: PairedRequests, found: Ratio, apart: Ratio, numbers: RoundNumbers) -> bool:
    """Return whether requests were shown to change unlike, so that their median is not the percentile's ratio.

    Do the percentiles themselves differ from it? Did more requests become far slower than the others than far faster?
    Did those beyond the percentile change otherwise than those before it?
    """
    between = half_width(apart.drawn - found.drawn, len(numbers), _UNLIKE_CONFIDENCE)
    if not abs(apart.log - found.log) <= between:
        return True
    lean, leans = _mean(pairs.leaning(), pairs.rounds, numbers)
    some = _SOME * min(pairs.candidate.quantile, 1 - pairs.candidate.quantile)
    if lean > some and not lean <= half_width(leans, len(numbers), _UNLIKE_CONFIDENCE):
        return True
    logs, rounds = pairs.tempered(), pairs.rounds[pairs.near]
    beyond = np.zeros(len(logs), dtype=bool)
    beyond[pairs.beyond] = True
    (far, fars), (before, befores) = (_mean(logs[part], rounds[part], numbers) for part in (beyond, ~beyond))
    return not abs(far - before) <= half_width(fars - befores, len(np.unique(rounds)), _TILT_CONFIDENCE)


def _mean(values: Array, rounds: RoundNumbers, numbers: RoundNumbers) -> tuple[float, Array]:
    """Return the mean, and the mean in each draw of whole rounds; the mean itself where a draw has none of them."""
    unit = np.searchsorted(numbers, rounds)
    sums, counts = np.bincount(unit, values, len(numbers)), np.bincount(unit, minlength=len(numbers)).astype(float)
    weights = draws(len(numbers))
    total = np.einsum("du,u->d", weights, counts)
    mean = float(values.mean())
    return mean, np.where(total > 0, np.einsum("du,u->d", weights, sums) / np.maximum(total, 1.0), mean)


def _of_values(one: Series, other: Series, numbers: RoundNumbers, pairs: PairedRequests | None) -> Ratio:
    """Return the ratio of the two sides' values.

    The same rounds are drawn for both sides: that is about what the machine does. Its interval is never narrower than
    the ranks of both sides allow: that is about few values, and gaps between them.
    """
    weights = draws(len(numbers))
    logs = resampled(one, numbers, weights) - resampled(other, numbers, weights)
    ranked = one.quantile and not one.under and not other.under
    shared_out = pairs.apart() if pairs else None
    least = (lambda confidence: rank_width(one, other, confidence, shared_out)) if ranked else (lambda _: 0.0)
    return Ratio(_log(one) - _log(other), False, logs, len(numbers), least)


def _of_requests(pairs: PairedRequests, numbers: RoundNumbers) -> Ratio:
    """Return the median of the requests' own ratios; its spread is known from the rounds that they came in."""
    near = pairs.around()
    logs, log = resampled(near, numbers, draws(len(numbers))), _log(near)
    known = len(np.unique(near.rounds))
    return Ratio(log, True, logs, max(2, known), lambda sure: median_width(near, sure), pairs.stalls())


def _log(series: Series) -> float:
    value = series.corpus()
    return math.log(value) if value > 0 else math.nan
