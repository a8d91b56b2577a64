"""What users' requests say of the two models of a rollout: counts by windows of time, as monitoring has them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from mlgate.core.stats.shares import Counted

_ROUNDING_S = 1e-3
_MOST_MISSING = 0.2
"""The share of windows that may be missing: a scrape fails now and then."""
_LEAST_SHARE, _MOST_SHARE = 0.2, 6.0


@dataclass(frozen=True, slots=True)
class TrafficCounts:
    """Of one model in one window."""

    requests: float
    errors: float
    slower: tuple[float, ...] = ()
    """How many took longer than each edge of the histogram; empty where there is none."""
    timed: float = 0.0
    """How many the histogram has. A request that was never ended is in none."""
    took_ms: float = math.nan
    """How long those took together; NaN where nobody says."""


@dataclass(frozen=True, slots=True)
class TrafficWindow:
    """A few seconds of both models. None: it was not measured, which is not the same as no requests."""

    at: float
    """Its end: Unix time, seconds."""
    seconds: float
    candidate: TrafficCounts | None
    stable: TrafficCounts | None

    def overlaps(self, begin: float, end: float, slack: float) -> bool:
        """Whether something of that time, give or take *slack* seconds, may have been counted in this window."""
        return self.at - self.seconds - slack < end and begin < self.at + slack


@dataclass(frozen=True, slots=True)
class Traffic:
    """All that was counted since a step's weight took effect, or why nothing was."""

    edges_ms: tuple[float, ...] = ()
    """Of the histogram's buckets, ascending, without the infinite one."""
    windows: tuple[TrafficWindow, ...] = ()
    why: str = ""
    """Why it cannot be judged; empty where it can."""

    def expected(self, share: float) -> float:
        """Return how many requests a candidate with this share should have had, by those of what serves; 0: unknown."""
        its = sum(one.stable.requests for one in self.windows if one.candidate is not None and one.stable is not None)
        return its * share / (1 - share) if share < 1 else 0.0

    def without(self, spans: Sequence[tuple[float, float]], slack: float) -> Traffic:
        """Leave out every window in which others than users asked: from *slack* before such a span to *slack* after it.

        The spans are pairs of Unix times, seconds. Where nothing is left, nothing was measured.
        """
        left = tuple(one for one in self.windows if not any(one.overlaps(*span, slack) for span in spans))
        if self.windows and not left:
            return replace(
                self,
                windows=(),
                why="whenever requests were counted, online checks asked, or may have before this process began",
            )
        return replace(self, windows=left)

    def between(self, begin: float, end: float) -> Traffic:
        """Return what was counted in that time: Unix times, seconds."""
        return replace(self, windows=tuple(one for one in self.windows if begin < one.at <= end + _ROUNDING_S))

    def reread(self, since: float, until: float, *, compares: bool) -> Traffic:
        """Return what a reader of that time alone would have seen: the windows that lie in it whole."""
        if not self.windows:
            return self
        inside = tuple(
            one for one in self.windows if one.at - one.seconds >= since - _ROUNDING_S and one.at <= until + _ROUNDING_S
        )
        return replace(self, windows=inside, why=not_measured(inside, compares=compares) if inside else "")


def not_measured(windows: Sequence[TrafficWindow], *, compares: bool) -> str:
    """Return what is missing; empty where enough is there."""
    sides = {"the candidate": [one.candidate for one in windows]}
    if compares:
        sides["the model that serves"] = [one.stable for one in windows]
    for name, side in sides.items():
        known = sum(1 for one in side if one is not None)
        if not known:
            return f"Prometheus has no numbers of {name}"
        if side[-1] is None:
            return f"Prometheus has no fresh numbers of {name}"
        if known < (1 - _MOST_MISSING) * len(side):
            return f"Prometheus has numbers of {name} for {known} of {len(side)} windows only"
    return ""


@dataclass(frozen=True, eq=False, slots=True)
class Latencies:
    """A histogram of one model: which share of its requests took longer than each edge."""

    edges_ms: tuple[float, ...]
    slower: tuple[Counted, ...]
    """One an edge."""
    mean_ms: float = math.nan
    """NaN where nobody says."""

    def survival(self, at_ms: float) -> float:
        """Return which share took longer than *at_ms*: between two edges by a power of time, as tails fall.

        Before the first edge it falls evenly from all requests at 0. Beyond the last one it is the last one's.
        """
        points = [(0.0, 1.0), *zip(self.edges_ms, (one.share for one in self.slower), strict=True)]
        for (low, above), (high, below) in pairwise(points):
            if at_ms <= high:
                part = _part(low, high, at_ms)
                return above * (below / above) ** part if below > 0 and low > 0 else above + (below - above) * part
        return points[-1][1]

    def quantile(self, q: float) -> tuple[float, float, float]:
        """Return the percentile, and the edges that it lies between: evenly spread, as Prometheus reads it.

        Infinite where it lies beyond the last edge; NaN without requests.
        """
        low, above = 0.0, 1.0
        for edge, counted in zip(self.edges_ms, self.slower, strict=True):
            below = counted.share
            if math.isnan(below):
                return math.nan, math.nan, math.nan
            if below <= 1 - q:
                part = (above - (1 - q)) / (above - below) if above > below else 1.0
                return low + (edge - low) * part, low, edge
            low, above = edge, below
        return math.inf, low, math.inf

    def nearest_edge(self, q: float) -> int | None:
        """Return the edge that divides these requests most nearly as the percentile *q* does; None: all are far off.

        An edge that a fifth as many requests pass, or six times as many, does not show what becomes of a percentile.
        """
        best = min(range(len(self.edges_ms)), key=lambda index: abs(_log_odds(self.slower[index]) - _odds(1 - q)))
        share = self.slower[best].share / (1 - q)
        return best if _LEAST_SHARE <= share <= _MOST_SHARE else None


def counted(side: Sequence[TrafficCounts | None], edge: int | None = None) -> Counted:
    """Return the errors of one model in its windows; with *edge*: its requests that took longer than that one."""
    known = [one for one in side if one is not None]
    hits = [one.errors if edge is None else one.slower[edge] for one in known]
    trials = [one.requests if edge is None else one.timed for one in known]
    return Counted(np.asarray(hits, np.float64), np.asarray(trials, np.float64))


def latencies(edges_ms: Sequence[float], side: Sequence[TrafficCounts | None]) -> Latencies:
    """Return the histogram of one model over its windows."""
    known = [one for one in side if one is not None]
    timed, took = sum(one.timed for one in known), sum(one.took_ms for one in known)
    mean = took / timed if timed > 0 else math.nan
    return Latencies(tuple(edges_ms), tuple(counted(side, index) for index in range(len(edges_ms))), mean)


def _part(low: float, high: float, at: float) -> float:
    """Return how far between two edges a time is: by ratio, but from 0 evenly."""
    return math.log(at / low) / math.log(high / low) if low > 0 else at / high


def _odds(share: float) -> float:
    return math.log(share / (1 - share))


def _log_odds(one: Counted) -> float:
    """Return the log odds of a share, with half a request for what a few cannot show."""
    hits = float(one.hits.sum())
    return math.log((hits + 0.5) / (one.n - hits + 0.5))
