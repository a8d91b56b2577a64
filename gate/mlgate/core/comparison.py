"""Holding the candidate against the baseline: non-inferior, worse, or neither. Every comparison fails closed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from mlgate.core import sample_size
from mlgate.core.check import Rule
from mlgate.core.groups import counted
from mlgate.core.metric import Better, Metric
from mlgate.core.outcome import Outcome
from mlgate.core.stats.jackknife import FEWEST_PAIRS
from mlgate.core.verdict import SOFTENED, Delta, Finding, Measurement, unmeasured

_EARLY = 4.0
"""An interval that errs so many times less often than the rule asks is told by its own confidence."""


class Conclusion(NamedTuple):
    """What is concluded, before the rule has its say."""

    outcome: Outcome
    why: str
    """In one sentence, with the numbers."""
    topic: str


def hold_baseline(rule: Rule, measured: Measurement, baseline: Measurement, delta: Delta) -> Finding:
    """Hold the candidate against the baseline: non-inferior, worse, or neither (DESIGN.md 5)."""
    one = _Comparison(rule, measured, baseline, delta)
    return one.finding(one.conclusion())


def hold_slice(rule: Rule, measured: Measurement, baseline: Measurement, delta: Delta) -> Finding:
    """Ask of one slice only that it is not shown worse by more than is allowed: small ones cannot show more."""
    one = _Comparison(rule, measured, baseline, delta)
    found = one.conclusion()
    if found.topic == "inconclusive":
        found = Conclusion(Outcome.PASSED, f"{one.change}: not shown worse", "slices")
    elif found.topic == "worse":
        why = f"{one.change}: worse; the best estimate is within what is allowed, and the interval is not"
        found = Conclusion(Outcome.WARNED, why, "slices")
    return one.finding(found)


def hold_fact(rule: Rule, measured: Measurement, baseline: Measurement) -> Finding:
    """Hold a number that a run has once against the baseline's: there is no interval, what is more is more."""
    unit, margin = measured.metric, rule.margin(baseline.value)
    if not (math.isfinite(measured.value) and math.isfinite(baseline.value)):
        return unmeasured(measured.check, rule, _not_a_number(rule))
    if measured.signature != baseline.signature:
        why = _unlike(rule, measured, baseline)
        return Finding(measured.check, rule, Outcome.INCONCLUSIVE, why, "signatures", "", measured, baseline)
    kept = unit.sign * (measured.value - baseline.value) >= -margin
    moved = f"{rule.metric} {unit.show(baseline.value)} became {unit.show(measured.value)}"
    allowed = _allowed(rule, unit, margin)
    why = f"{moved}: within {allowed}" if kept else f"{moved}: worse by more than {allowed}"
    outcome = Outcome.PASSED if kept else rule.on_breach
    return Finding(measured.check, rule, outcome, why, rule.bound.value, "", measured, baseline)


def is_within(unit: Metric, delta: Delta, margin: float) -> bool:
    """Return whether the worse end of the interval loses no more than *margin*, in the metric's unit."""
    return min(unit.sign * end for end in delta.ends(delta.alone)) >= -margin


def is_shown_worse(unit: Metric, delta: Delta) -> bool:
    """Return whether the whole interval lies on the worse side of zero, at the family's confidence.

    No margin has a part in it, and the one that failing asks for besides is that the best estimate lies beyond it: so a
    tighter rule, which fewer models pass, never fails fewer of the others.
    """
    return max(unit.sign * end for end in delta.ends(delta.family)) < 0


@dataclass(frozen=True, slots=True)
class _Comparison:
    """A rule that compares, and what it is held against."""

    rule: Rule
    measured: Measurement
    baseline: Measurement
    delta: Delta

    def conclusion(self) -> Conclusion:
        """Return the first of the conclusions that holds; each excludes those that follow."""
        rule, measured, baseline, delta = self.rule, self.measured, self.baseline, self.delta
        seen = counted(measured.n, measured.groups)
        if not (math.isfinite(measured.value) and math.isfinite(baseline.value)):
            found = Conclusion(Outcome.ERRORED, _not_a_number(rule), "not-measured")
        elif measured.signature != baseline.signature:
            found = Conclusion(Outcome.INCONCLUSIVE, _unlike(rule, measured, baseline), "signatures")
        elif delta.identical:
            shown = measured.metric.show(measured.value)
            same = f"{rule.metric} {shown}: nothing that was observed differs from the baseline's"
            found = self._pass_unless_unseen(same, "identical")
        elif not delta.finite:
            found = Conclusion(Outcome.INCONCLUSIVE, f"{rule.metric} has no finite interval on {seen}", "too-few")
        elif measured.units < FEWEST_PAIRS:
            found = Conclusion(Outcome.INCONCLUSIVE, _too_few(rule, measured), "too-few")
        elif is_within(measured.metric, delta, self.margin):
            found = self._pass_unless_unseen(f"{self.change}: within {self.allowed}", rule.bound.value)
        elif not is_shown_worse(measured.metric, delta):
            neither = f"{self.change}: neither within {self.allowed} nor shown worse"
            found = Conclusion(Outcome.INCONCLUSIVE, f"{neither}{self._more}", "inconclusive")
        elif self._is_beyond():
            found = Conclusion(Outcome.FAILED, f"{self.change}: worse, and more than {self.allowed}", rule.bound.value)
        else:
            worse = f"{self.change}: worse, which {self.allowed} allows, and not yet shown to stay within it"
            found = Conclusion(Outcome.INCONCLUSIVE, f"{worse}{self._more}", "worse")
        return found

    def finding(self, conclusion: Conclusion) -> Finding:
        """Return the conclusion as the rule's finding: `on_breach` and `on_inconclusive`, each for what it is about."""
        outcome, why, topic = conclusion
        if outcome is Outcome.FAILED:
            outcome = self.rule.on_breach
        elif outcome is Outcome.INCONCLUSIVE and topic in SOFTENED:
            outcome = self.rule.when_inconclusive
        elif outcome is Outcome.INCONCLUSIVE and topic == "worse":
            outcome = self.rule.when_withheld
        one = self.measured
        return Finding(one.check, self.rule, outcome, why, topic, one.slice, one, self.baseline, self.delta)

    @property
    def margin(self) -> float:
        """Return how much may be lost, in the metric's unit."""
        return self.rule.margin(self.baseline.value)

    @property
    def room(self) -> float:
        """Return how much more may be lost than the best estimate says."""
        return self.margin if self.delta.identical else self.margin + self.measured.metric.sign * self.delta.value

    @property
    def allowed(self) -> str:
        """Return the margin as it is written, with what it comes to."""
        return _allowed(self.rule, self.measured.metric, self.margin)

    @property
    def change(self) -> str:
        """Return what became of the metric, with the interval of the difference."""
        rule, measured, delta, unit = self.rule, self.measured, self.delta, self.measured.metric
        by, low, high = (_change(unit, delta, one) for one in (delta.value, *delta.possible(unit)))
        of = "" if measured.groups is None else f", of {counted(measured.n, measured.groups)}"
        each = "the same requests took " if delta.by_request else ""
        early = delta.sure > 0 and _EARLY * (1 - delta.sure) < 1 - rule.confidence
        sure = f"{delta.sure * 100:.4g}% interval at an early look" if early else f"{rule.confidence * 100:g}% interval"
        return (
            f"{rule.metric} {unit.show(self.baseline.value)} became {unit.show(measured.value)}, "
            f"{each}{by} ({sure} {low} to {high}{of})"
        )

    @property
    def _more(self) -> str:
        more = sample_size.to_settle(self.measured, self.delta, self.margin)
        return f"; {more}" if more else ""

    def _is_beyond(self) -> bool:
        """Return whether more is lost than is allowed: by the best estimate, at an early look by the whole interval."""
        sign, delta = self.measured.metric.sign, self.delta
        best = max(sign * end for end in delta.ends(delta.family)) if delta.early else sign * delta.value
        return best < -self.margin

    def _pass_unless_unseen(self, why: str, topic: str) -> Conclusion:
        """Conclude a pass, unless so few examples can miss more than may still be lost."""
        if self.delta.unseen <= self.room:
            return Conclusion(Outcome.PASSED, why, topic)
        return Conclusion(Outcome.INCONCLUSIVE, f"{why}, but {self._unseen_text()}", "unseen")

    def _unseen_text(self) -> str:
        """Say what so few examples can miss, and how many would do."""
        measured, unseen, unit = self.measured, self.delta.unseen, self.measured.metric
        cost = f"answers that cost {unit.show(unseen)}" if math.isfinite(unseen) else "a change of any size"
        why = f"{counted(measured.n, measured.groups)} can miss {cost}"
        beside = f"a `{'min' if unit.better is Better.HIGHER else 'max'}` of {self.rule.metric} beside it"
        more = sample_size.to_miss_less(measured, self.delta, self.room)
        return f"{why}; {more} would settle it, or {beside}" if more else f"{why}; {beside} would settle it"


def _not_a_number(rule: Rule) -> str:
    return f"{rule.metric} is not a number for the candidate or the baseline"


def _unlike(rule: Rule, measured: Measurement, baseline: Measurement) -> str:
    return f"{rule.metric} is not comparable: {baseline.signature} became {measured.signature}"


def _allowed(rule: Rule, unit: Metric, margin: float) -> str:
    return f"{rule.limit_text} ({unit.show(margin)})" if rule.relative else rule.limit_text


def _change(unit: Metric, delta: Delta, value: float) -> str:
    """Show a difference: in the metric's unit, or of times in percent of the baseline's."""
    if not delta.base or not math.isfinite(value):
        return unit.show(value, signed=True)
    return f"{value / delta.base * 100:+.1f}%".replace("-", "\N{MINUS SIGN}")


def _too_few(rule: Rule, measured: Measurement) -> str:
    what = "are" if measured.n != 1 else "is"
    needed = f"{FEWEST_PAIRS}" if measured.groups is None else f"{FEWEST_PAIRS} groups"
    seen = counted(measured.n, measured.groups)
    return f"{seen} {what} too few to compare {rule.metric}: an interval needs {needed}"
