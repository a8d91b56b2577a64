"""The margin that a project begins with, before any run of it showed how much harmless changes vary."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from statistics import NormalDist

from mlgate.core.power import ENOUGH_PASSES
from mlgate.core.stats.jackknife import FEWEST_PAIRS

USUAL_MARGIN = 0.02
"""A loss of ROUGE-L that people often write."""

_SPREAD = 0.084
"""Standard deviation of one example's difference in ROUGE-L where three answers of ten changed, seen on real texts."""
_FEW = 12
"""With n examples a margin is by 12/n wider than with very many: where three answers in ten changed, few of them carry
the interval, which is wider for that, and how wide it is varies. Measured: tests/unit/core/test_first_margin.py."""

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class FirstMargin:
    """A `max_drop` of ROUGE-L, in hundredths."""

    margin: float
    """0: no margin can be held."""
    examples: int
    """From how many examples on it can be held."""


def first_margin(n: int) -> FirstMargin:
    """Return the margin under which ENOUGH pass of the harmless changes that change three answers of ten.

    A `min` of ROUGE-L stands beside it: without one, what n examples can miss would cost more than that. Fewer examples
    than an interval needs hold none.
    """
    if n < FEWEST_PAIRS:
        return FirstMargin(0.0, FEWEST_PAIRS)
    margin = max(0.01, math.ceil(100 * _margin_for(n)) / 100)
    return FirstMargin(margin, examples_for(margin))


def examples_for(margin: float) -> int:
    """Return from how many examples on *margin* can be held."""
    return next(n for n in itertools.count(FEWEST_PAIRS) if _margin_for(n) <= margin)


def _margin_for(n: int) -> float:
    wide = _NORMAL.inv_cdf((1 + ENOUGH_PASSES) / 2) + _NORMAL.inv_cdf(ENOUGH_PASSES)
    return wide * (1 + _FEW / n) * _SPREAD / math.sqrt(n)
