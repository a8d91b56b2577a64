"""How many harmless changes a comparison would let through, and what would let enough of them through."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist

from mlgate.core.statistics import FEWEST_PAIRS, Width
from mlgate.core.student import student
from mlgate.core.verdict import Delta, Finding

ENOUGH = 0.95
"""The share of harmless changes that a gate should let through: one that blocks more is switched off."""

_SPREAD = 0.084
"""Standard deviation of one example's difference in ROUGE-L where three answers of ten changed, seen on real texts."""
_USUAL = 0.02

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Power:
    """What one comparison would make of changes that change nothing, with as much spread as one run showed."""

    finding: Finding
    """Of that run."""
    known: float
    """Half the width of the interval, in the metric's unit; of times as a share."""
    margin: float
    """What the rule allows, in the same unit."""
    passes: float
    """The share of harmless changes that pass, 0 to 1; NaN where it cannot be foretold."""
    needed_margin: float
    """The margin under which ENOUGH of them pass, with as much data; inf for none."""
    more: float
    """How many times the data it takes for ENOUGH of them to pass under this margin; 1: no more; inf: none would do."""
    crowded: float = math.inf
    """Of times: how many times the requests a round it takes; inf where no number of them would do."""


@dataclass(frozen=True, slots=True)
class Foretold:
    """One comparison's power, and what else would let enough harmless changes pass. 0: that would not, or need not."""

    power: Power
    budget_s: float = 0.0
    """Seconds of timed load, both sides together."""
    load: str = ""
    """`rate` or `concurrency`: what the load is set by; empty where a denser one would not do."""
    density: int = 0
    """The load that would do."""
    units: int = 0
    """Examples, or groups."""


def power(finding: Finding, sure: float, growth: float = 1.0) -> Power | None:
    """Return what a comparison's own spread says of harmless changes; None for a finding that compares nothing.

    *sure* is the confidence of the last look at a run, and *growth* how many times the data of this one it will have.
    The estimate is taken as normal about zero: it passes where its interval's worse end, and what its examples can
    miss, lie within the margin.
    """
    delta, rule = finding.delta, finding.rule
    if delta is None or not rule.bound.compares or finding.measured is None or finding.baseline is None:
        return None
    if delta.rounds and 0 < sure < 1:  # it may have ended at an early look, which asks for more confidence
        freedom = max(1.0, delta.rounds * growth - 1)
        delta = replace(delta, alone=Width(student((1 + sure) / 2, freedom) * delta.error))
    if not delta.error and delta.alone.spread:  # it says its width only
        delta = replace(delta, error=delta.alone.spread / _NORMAL.inv_cdf((1 + rule.confidence) / 2))
    scale = abs(finding.baseline.value) if rule.relative else 1.0
    margin = rule.limit * scale
    if delta.base:  # of times: ratios, whose logarithm is known
        margin = math.log1p(margin / delta.base)
    error, half = delta.error / math.sqrt(growth), _half(delta, growth)
    missed = delta.unseen / growth
    passes = _passes(margin, half, missed, error)
    wanted = _NORMAL.inv_cdf(ENOUGH)
    needed = max(half, missed) + wanted * error
    more = _more(delta, margin, wanted) / growth
    crowded = _crowded(delta, 1 / more) if delta.rounds and 0 < more < math.inf else math.inf
    if delta.base:
        half, margin, needed = (math.expm1(one) for one in (half, margin, needed))
    elif rule.relative and scale:
        half, margin, needed = half / scale, margin / scale, needed / scale
    return Power(finding, half, margin, passes, needed, max(1.0, more), crowded)


def first_margin(n: int) -> tuple[float, int]:
    """Return a loss of ROUGE-L, in hundredths, for *n* examples nothing else is known of, and how many can hold it.

    Under it ENOUGH of the harmless changes pass that change three answers of ten. Fewer than an interval needs can hold
    none: the margin is then one that people often write.
    """
    wide = (_NORMAL.inv_cdf((1 + ENOUGH) / 2) + _NORMAL.inv_cdf(ENOUGH)) * _SPREAD
    margin = max(0.01, math.ceil(100 * wide / math.sqrt(n)) / 100) if n >= FEWEST_PAIRS else _USUAL
    return margin, max(FEWEST_PAIRS, math.ceil((wide / margin) ** 2))


def _crowded(delta: Delta, wanted: float) -> float:
    """Return how many times the requests a round make the error's square *wanted* of what it is."""
    left = wanted - (1 - delta.within)
    return max(1.0, delta.within / left) if left > 0 else math.inf


def _half(delta: Delta, growth: float) -> float:
    return max(delta.alone.spread / math.sqrt(growth), delta.alone.floor / growth)


def _passes(margin: float, half: float, missed: float, error: float) -> float:
    room = margin - max(half, missed)
    if not (math.isfinite(room) and math.isfinite(error)):
        return math.nan
    if error == 0:
        return 1.0 if room >= 0 else 0.0
    return _NORMAL.cdf(room / error)


def _more(delta: Delta, margin: float, wanted: float) -> float:
    """Return how many times the run's data it takes, by the part that shrinks slowest."""
    if not margin > 0:
        return math.inf
    low, high = 1e-6, 1e6
    if not _settles(delta, margin, wanted, high):
        return math.inf
    for _ in range(60):
        middle = math.sqrt(low * high)
        low, high = (low, middle) if _settles(delta, margin, wanted, middle) else (middle, high)
    return high


def _settles(delta: Delta, margin: float, wanted: float, growth: float) -> bool:
    return max(_half(delta, growth), delta.unseen / growth) + wanted * delta.error / math.sqrt(growth) <= margin
