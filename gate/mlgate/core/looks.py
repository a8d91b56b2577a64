"""Looking at a run before its end, without more errors than were agreed: each look spends its share of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

_POWER = 3
"""Early looks get little, so that the last one loses little: (k/n)³ is spent by look k (Kim and DeMets, 1987)."""


def shares(looks: int | Sequence[int]) -> tuple[float, ...]:
    """Return what each look may spend of the error probability; they sum to 1.

    *looks* is how many there are, at equal steps, or after how many rounds each is taken, ascending. Because the shares
    sum to 1, the looks together err no more often than one interval at the whole confidence (Bonferroni), however the
    looks depend on each other. For three equal steps: 0.04, 0.26, 0.70.
    """
    rounds = range(1, looks + 1) if isinstance(looks, int) else looks
    if not rounds or rounds[0] < 1 or any(a >= b for a, b in pairwise(rounds)):
        raise ValueError(f"looks are taken after ascending numbers of rounds, not after {looks}")
    spent = [0.0, *((look / rounds[-1]) ** _POWER for look in rounds)]
    return tuple(later - earlier for earlier, later in pairwise(spent))


def effective_confidence(confidence: float, share: float) -> float:
    """Return the confidence of an interval that may spend *share* of the error; NaN for a share outside (0, 1]."""
    return 1 - (1 - confidence) * share if 0 < share <= 1 else math.nan
