"""Looking at a run before its end, without more errors than were agreed: early looks ask for more confidence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_POWER = 3
"""Early looks may err little, so that the last one loses little: up to look k, (k/n)³ (Kim and DeMets, 1987)."""
_GRID = 801
"""Points of the grid, odd many (Simpson's rule)."""
_WIDEST = 8.0
"""Standard deviations that it reaches to."""
_HALVINGS = 40


@dataclass(frozen=True, slots=True)
class Look:
    """Which of the planned looks at a run this is."""

    places: tuple[int, ...] = (1,)
    """After how many rounds a look is taken, ascending; as many as are planned."""
    number: int = 1
    """1 for the first; 0: it is none of them, and nothing may be concluded."""
    whole: int = 0
    """After how many rounds the time is over that the file asks for at least: before, a run may fail and never pass."""

    @property
    def early(self) -> bool:
        """Whether it is taken before the time is over that the file asks for at least."""
        return 1 <= self.number <= len(self.places) and self.places[self.number - 1] < self.whole

    def confidence(self, asked: float) -> float:
        """Return the confidence that an interval of this look needs for all looks together to err as *asked*.

        *asked* is that of a two-sided interval. NaN where nothing may be concluded, or for no confidence.
        """
        if not (1 <= self.number <= len(self.places) and 0 < asked < 1):
            return math.nan
        if len(self.places) == 1:
            return asked
        return 1 - 2 * tails(self.places, (1 - asked) / 2)[self.number - 1]


ONLY = Look()
"""The one look at a run that is looked at once."""


@lru_cache(maxsize=256)
def tails(places: Sequence[int], tail: float) -> tuple[float, ...]:
    """Return what each look may err by on one side, so that all of them together err by *tail*.

    A comparison that is looked at after part of its rounds, and again after more, goes on from where it was: what it is
    then is the sum of what it was and of something new (a Brownian motion in the number of rounds; Lan and DeMets,
    1983). So the looks' errors overlap, and each may be larger than its own share of *tail*: of four equal steps the
    last may err by 0.85 of it, where 0.58 would be its share. Raises ValueError for places that are not ascending.
    """
    if not places or places[0] < 1 or any(a >= b for a, b in pairwise(places)):
        raise ValueError(f"looks are taken after ascending numbers of rounds, not after {places}")
    share = [place / places[-1] for place in places]
    spent = [tail * (later**_POWER - earlier**_POWER) for earlier, later in pairwise([0.0, *share])]
    limit = -NormalDist().inv_cdf(spent[0]) * math.sqrt(share[0])
    found = [spent[0]]
    points, density = _grid(limit, share[0])
    density *= _gauss(points, math.sqrt(share[0]))
    for before, now, part in zip(share, share[1:], spent[1:], strict=False):
        step = math.sqrt(now - before)
        limit = _limit(points, density, step, part)
        found.append(_tail(limit / math.sqrt(now)))
        ahead, weights = _grid(limit, now)
        density = weights * (_gauss(ahead[:, None] - points, step) @ density)
        points = ahead
    return tuple(round(one, 12) for one in found)  # what a machine's last bit does must not decide


def _grid(limit: float, share: float) -> tuple[Array, Array]:
    """Return points below *limit* where a run that goes on may be, and their weights (Simpson's rule)."""
    points = np.linspace(-_WIDEST * math.sqrt(share), limit, _GRID)
    weights = np.full(_GRID, 2.0)
    weights[1::2], weights[0], weights[-1] = 4.0, 1.0, 1.0
    return points, weights * (points[1] - points[0]) / 3


def _limit(points: Array, density: Array, step: float, part: float) -> float:
    """Return beyond which limit a run comes with probability *part*, by halving."""
    low, high = 0.0, _WIDEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        beyond = float(density @ np.asarray(_tails((middle - points) / step), np.float64))
        low, high = (middle, high) if beyond > part else (low, middle)
    return high


def _tail(z: float) -> float:
    return math.erfc(z / math.sqrt(2)) / 2


_tails = np.frompyfunc(_tail, 1, 1)


def _gauss(x: Array, deviation: float) -> Array:
    found: Array = np.exp(-((x / deviation) ** 2) / 2) / (deviation * math.sqrt(2 * math.pi))
    return found
