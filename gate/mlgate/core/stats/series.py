"""Percentiles and means of times that were taken in rounds, and their ratios to the baseline's of the same rounds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mlgate.core.metric import Metric
from mlgate.core.stats.alpha_spending import ONLY, Look
from mlgate.core.stats.jackknife import Array

RoundNumbers = NDArray[np.intp]

_LAST_BIT = 1e-9
"""0.07 * 100 is a little more than 7, and its rank is 7."""


@dataclass(frozen=True, slots=True)
class Text:
    """How the text came that times are of."""

    tokens: float
    """Of a reply, on average (core/latency/stream_text.py)."""
    pieces: float
    """Of a token, on average, behind a reply's first piece; NaN where they are not what is measured."""


@dataclass(frozen=True, eq=False, slots=True)
class Series:
    """One metric of timed requests: every single value, and the round in which it was taken."""

    name: str
    """The name that rules use."""
    metric: Metric
    signature: str
    """What was measured and how it was loaded. Unlike signatures are never compared."""
    quantile: float
    """0.95 for a p95; 0 for the mean."""
    values: Array
    """Shape (n,), in the metric's unit. A request that failed counts with its time-out."""
    rounds: RoundNumbers
    """Shape (n,): the round of each value, ascending."""
    first: Mapping[int, bool]
    """Of each round that counts: whether this side was asked first."""
    duet: str = ""
    """The run in which both sides were asked in turn; empty or unlike: they were not, and times are not comparable."""
    look: Look = ONLY
    """Which of how many planned looks at the run it is of."""
    under: Series | None = None
    """What the value is divided by, of the same side and the same rounds; None: it is the value itself."""
    whole: Series | None = None
    """The same over all rounds, those that were left out included; None: none was left out."""
    omitted: str = ""
    """How many rounds were left out and why, for people; empty when none was."""
    text: Text | None = None
    """Of times of streamed text."""
    requests: RoundNumbers | None = None
    """Shape (n,): which request of its round each value is of, counted from 0; None: they are not one a request."""
    examples: RoundNumbers | None = None
    """Shape (n,): which example each value's request asked; None: they are not one a request."""
    pace: Series | None = None
    """Of times between tokens: how long each reply took from due to done, a token. It cannot be had by holding back."""

    @property
    def sound(self) -> bool:
        """Whether every value is a time: finite, and not below zero. Of anything less nothing is computed."""
        return bool(np.isfinite(self.values).all() and (self.values >= 0).all())

    def corpus(self) -> float:
        """Return the percentile (nearest rank: a time that was measured) or the mean; NaN when there is none."""
        n = len(self.values)
        if not n or not self.sound:
            return math.nan
        if self.quantile:
            place = int(rank(self.quantile, n)) - 1
            value = float(np.partition(self.values, place)[place])
        else:
            value = float(self.values.mean())
        if self.under is None:
            return value
        below = self.under.corpus()
        return value / below if below > 0 else math.nan

    def over(self, under: Series) -> Series:
        """Return the series whose value is this one's divided by *under*'s, in the rounds that both have."""
        one, other = shared(self, under)
        return replace(one, under=other)

    def of(self, rounds: RoundNumbers) -> Series:
        """Return the part that was taken in *rounds*."""
        kept, wanted = np.isin(self.rounds, rounds), set(rounds.tolist())
        first = {number: first for number, first in self.first.items() if number in wanted}
        under = self.under.of(rounds) if self.under else None
        requests, examples = (None if one is None else one[kept] for one in (self.requests, self.examples))
        return replace(
            self,
            values=self.values[kept],
            rounds=self.rounds[kept],
            first=first,
            under=under,
            requests=requests,
            examples=examples,
        )


def rank(quantile: float, n: float | Array) -> Array:
    """Return the nearest rank of a quantile among n values, 1-based: ceil(q n), safe from q n's last bit."""
    place: Array = np.maximum(1.0, np.ceil(np.asarray(quantile * n) - _LAST_BIT))
    return place


def shared(candidate: Series, baseline: Series) -> tuple[Series, Series]:
    """Return both sides' values of the rounds that both have: what a ratio and its interval are computed from."""
    both = np.intersect1d(candidate.rounds, baseline.rounds)
    return candidate.of(both), baseline.of(both)


@dataclass(frozen=True, slots=True)
class Fact:
    """A number that a run has once, without an interval: an image's size, a start's time."""

    name: str
    metric: Metric
    signature: str
    value: float
    duet: str = ""
    """The run in which both sides were started; empty or unlike: they were not started on one machine."""
    whole: Fact | None = None
    """The same number with the rounds that were left out; None: none was left out."""
    omitted: str = ""
    """How many rounds were left out and why, for people; empty when none was."""
