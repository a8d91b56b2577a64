"""How many harmless changes a comparison would let through, and what would let enough of them through."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from mlgate.core.comparison import is_within
from mlgate.core.metric import Better
from mlgate.core.outcome import Outcome
from mlgate.core.stats.jackknife import ENOUGH_EQUAL, FEWEST_PAIRS
from mlgate.core.stats.student_t import student
from mlgate.core.verdict import Delta, Finding, Measurement

ENOUGH_PASSES = 0.95
"""The share of harmless changes that a gate should let through: one that blocks more is switched off."""

_MOST_GROWTH = 1e6
"""So many times the data is none that anybody has."""
_ALL = 0.99
"""A margin of this share of all there is to lose is none."""

Grows = Literal["budget", "stages", "examples", "groups", ""]
"""What there can be more of: seconds of `budget`, seconds of all `stages`, examples, groups; empty for nothing."""

_NORMAL = NormalDist()
_WANTED = _NORMAL.inv_cdf(ENOUGH_PASSES)

_SAME = (
    "this run changed nothing, so nothing can be foretold: it takes the evidence of a run of another model, "
    "e.g. one that was retrained or refactored"
)


@dataclass(frozen=True, slots=True)
class Power:
    """What one comparison would make of harmless changes that vary as much as one run did.

    `margin`, `known` and `needed_margin` are in the unit that the rule is written in: the metric's, or, of a relative
    rule, a share of the baseline's value.
    """

    finding: Finding
    """Of that run."""
    margin: float
    """What the rule allows."""
    known: float
    """Half the width of the interval; NaN for none."""
    passes: float
    """The share of harmless changes that pass, 0 to 1; NaN where it cannot be foretold."""
    needed_margin: float
    """The margin under which ENOUGH of them pass, with as much data; inf where no margin would do."""
    more: float
    """How many times the data it takes for ENOUGH of them to pass under this margin; 1: no more; inf: none would do."""
    unknown: str = ""
    """Why nothing can be foretold; empty where it can."""

    @property
    def stops(self) -> bool:
        """Return whether a harmless change that does not pass is stopped, and not only warned of.

        Nearly all of them are inconclusive. What is called the machine's noise is stopped though the rule warns of what
        is inconclusive.
        """
        rule = self.finding.rule
        softened = rule.when_inconclusive is Outcome.WARNED and self.finding.topic != "noise"
        return not (softened or rule.on_breach is Outcome.WARNED)


@dataclass(frozen=True, slots=True)
class Foretold:
    """One comparison's power, what it is foretold from, and what else would let enough harmless changes pass."""

    power: Power
    grows: Grows = ""
    enough: float = 0.0
    """How much of it would do; inf: more than anybody would give; 0: as much as there is."""
    planned: int = 0
    """How many rounds a whole run has; 0: it is not of rounds."""


@dataclass(frozen=True, slots=True)
class Untold:
    """Rules that compare, of which nothing is foretold, all for one reason."""

    names: tuple[str, ...]
    """`check/metric`."""
    why: str
    hint: str = ""
    """What to do about it; empty where the reason says it."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What one run says of the harmless changes that are to come."""

    found: tuple[Foretold, ...]
    """In the report's order."""
    untold: tuple[Untold, ...] = ()


def power(finding: Finding, sure: float, growth: float = 1.0, sure_of_more: float = 0.0) -> Power | None:
    """Return what a comparison's own spread says of harmless changes; None for a finding that compares nothing.

    *sure* is the confidence of the last look at a run, and *growth* how many times the data of this one it will have.
    *sure_of_more* is the confidence of the last look at a run with more data; 0: the same. The estimate is taken as
    normal about zero: it passes where its interval's worse end, and what its examples can miss, lie within the margin.
    """
    delta, rule = finding.delta, finding.rule
    measured, baseline = finding.measured, finding.baseline
    if delta is None or not rule.bound.compares or measured is None or baseline is None:
        return None
    known, scale = _Known.of(finding, delta, measured), _Scale.of(finding, delta, baseline)
    margin, half = scale.inside(rule.limit), known.half(growth, sure)
    shown = scale.outside(half)
    if delta.identical or not (known.error or half):
        return Power(finding, rule.limit, math.nan, math.nan, math.inf, math.inf, _SAME)
    more = _more(known, margin, growth, max(sure, sure_of_more))
    if not delta.base and measured.units < FEWEST_PAIRS:  # no interval is trusted, whatever the margin
        return Power(finding, rule.limit, math.nan, 0.0, math.inf, max(more, FEWEST_PAIRS / measured.units))
    if _is_withheld(finding, delta, baseline) or not (delta.alone.finite and math.isfinite(known.error)):
        return Power(finding, rule.limit, math.nan, math.nan, math.inf, math.inf, finding.why)
    needed = scale.outside(known.needed(growth, sure))
    return Power(
        finding,
        rule.limit,
        shown,
        known.passes(margin, growth, sure),
        needed if needed < scale.most else math.inf,
        more,
    )


def _is_withheld(finding: Finding, delta: Delta, baseline: Measurement) -> bool:
    """Return whether a pass is withheld for a reason that no interval tells of, so that none foretells it."""
    if finding.topic in {"left-out", "pieces", "signatures"}:
        return True
    margin = finding.rule.limit * (abs(baseline.value) if finding.rule.relative else 1.0)
    return finding.topic == "noise" and is_within(baseline.metric, delta, margin)  # it is not known


@dataclass(frozen=True, slots=True)
class _Scale:
    """From the numbers of a rule to those that a difference is judged by: logarithms, of times."""

    unit: float
    """What the rule's numbers are shares of: the baseline's value for a relative rule, else 1."""
    base: float
    """Of times: the baseline's value; 0: a difference is in the metric's unit."""
    sign: float
    """1 where higher is worse."""
    most: float
    """A margin that is not below it lets everything pass."""

    @classmethod
    def of(cls, finding: Finding, delta: Delta, baseline: Measurement) -> _Scale:
        unit, value = baseline.metric, abs(baseline.value)
        relative = finding.rule.relative
        least = _ALL * value if unit.better is Better.HIGHER else unit.span or math.inf
        sign = -1.0 if unit.better is Better.HIGHER else 1.0
        return cls(value if relative else 1.0, delta.base, sign, least / value if relative and value else least)

    def inside(self, margin: float) -> float:
        lost = margin * self.unit
        if not self.base:
            return lost
        factor = 1 + self.sign * lost / self.base
        return self.sign * math.log(factor) if factor > 0 else math.inf

    def outside(self, lost: float) -> float:
        if self.base:
            lost = self.base * self.sign * math.expm1(self.sign * lost)
        return lost / self.unit if self.unit else math.inf


@dataclass(frozen=True, slots=True)
class _Known:
    """How well a difference is known with so many times this run's data (*growth*)."""

    delta: Delta
    units: int
    error: float
    wider: float
    """Of rounds: the width for each of Student's t, for what guards the interval may be more than the error."""

    @classmethod
    def of(cls, finding: Finding, delta: Delta, measured: Measurement) -> _Known:
        sure, error = delta.sure or finding.rule.confidence, delta.error
        if not error and not delta.rounds:  # it says its width only
            error = delta.alone.spread / _NORMAL.inv_cdf((1 + sure) / 2)
        times = student((1 + sure) / 2, max(1, delta.rounds - 1))
        return cls(delta, measured.units, error, max(delta.alone.half / times, error))

    def half(self, growth: float, sure: float) -> float:
        """Return half the width of the interval. What judges a run of rounds may ask for another confidence."""
        if not self.delta.rounds:
            return max(self.delta.alone.spread / math.sqrt(growth), self.delta.alone.floor / growth)
        freedom = max(1.0, self.delta.rounds * growth - 1)
        return self.wider * student((1 + sure) / 2, freedom) / math.sqrt(growth)

    def lost(self, growth: float, sure: float) -> float:
        """Return what an estimate of zero leaves open: the interval, or what the examples can miss."""
        unseen = self.delta.unseen / growth
        if self.units < ENOUGH_EQUAL <= self.units * growth:  # from there on half is held
            unseen /= 2
        return max(self.half(growth, sure), unseen)

    def needed(self, growth: float, sure: float) -> float:
        """Return the margin under which ENOUGH pass."""
        return self.lost(growth, sure) + _WANTED * self.error / math.sqrt(growth)

    def passes(self, margin: float, growth: float, sure: float) -> float:
        room = margin - self.lost(growth, sure)
        return _NORMAL.cdf(room * math.sqrt(growth) / self.error) if self.error else float(room >= 0)


def _more(known: _Known, margin: float, growth: float, sure: float) -> float:
    """Return how many times the data of *growth* it takes; inf where none, or more than anybody has, would do."""
    if not known.needed(growth * _MOST_GROWTH, sure) <= margin:
        return math.inf
    low, high = 1.0, 1.0 if known.needed(growth, sure) <= margin else _MOST_GROWTH
    while high / low > 1 + 1e-9:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if known.needed(growth * middle, sure) <= margin else (middle, high)
    return high
