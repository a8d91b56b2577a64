"""Judging against the baseline: what each rule compares, and which comparisons are asked together."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from mlgate.core.check import Bound, Check, Rule
from mlgate.core.comparison import hold_baseline, hold_slice
from mlgate.core.metric import ERROR_RATE, Better, Metric
from mlgate.core.outcome import Outcome
from mlgate.core.stats.jackknife import SMALLEST_SLICE, Statistics
from mlgate.core.stats.series import Fact, Series
from mlgate.core.verdict import Finding, Measurement, unmeasured
from mlgate.flow import judge_latency
from mlgate.flow.scoring import (
    WHOLE,
    Pair,
    Scored,
    Slice,
    delta,
    family_confidence,
    identical,
    measure,
    pair,
    places,
    within,
    without,
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One comparison that is asked: a rule at one place. Implied: a slice that no rule names."""

    rule: Rule
    place: Slice | None
    """None: the whole check."""
    pair: Pair
    implied: bool

    @property
    def sure(self) -> float:
        """Return its confidence: what is looked at more than once asks for more at each look."""
        return self.pair.candidate.look.confidence(self.rule.confidence)

    def family(self, check: Check) -> tuple[bool, bool]:
        """Return what it is asked together with: wholes or slices, of the base's rules or of what a change adds.

        Each comparison more makes all of its family harder to fail: a change must not have that of its base's rules.
        """
        return self.place is not None, self.rule.added or (
            self.place is not None and self.place.field in check.added_slices
        )


def withheld(check: Check, before: Scored, findings: Iterable[Finding], opened: Outcome) -> Iterator[Finding]:
    """Yield the findings; where more of the baseline's answers failed than the check lets fail, none of them passes.

    What failed scores as an empty answer: beside a baseline that is down, whatever answers at all looks better. A model
    that is worse even than that still fails. *opened*: what comes of a pass that is taken back.
    """
    why = _failed_too_often(check, before)
    for finding in findings:
        outcome = min(opened, finding.rule.when_withheld)
        if why and finding.outcome < outcome:
            told = f"{finding.why}; but the baseline cannot be compared: {why}"
            yield replace(finding, outcome=outcome, why=told, topic="unusable-baseline")
        else:
            yield finding


def _failed_too_often(check: Check, before: Scored) -> str:
    """Return how many of the baseline's answers failed, where it is more than the base's own rules let fail."""
    if check.rounds:
        return ""
    rates = {choice.name for choice in check.metrics if choice.kind == ERROR_RATE.name}
    for rule in check.rules:
        part = before.parts.get(rule.metric)
        if rule.metric not in rates or rule.bound is not Bound.MAX or rule.slice_by or rule.added:
            continue
        limit = rule.limit if rule.base_limit is None else rule.base_limit
        rate = float(part.value(part.rows[part.places].sum(axis=0))) if isinstance(part, Statistics) else 0.0
        if rate > limit:
            return f"{rate:.1%} of its answers failed, and the check lets {limit:.1%} fail"
    return ""


def compare(
    check: Check,
    scored: Scored,
    before: Scored,
    parts: Sequence[Slice],
    open_slices: Outcome = Outcome.INCONCLUSIVE,
) -> Iterator[Finding]:
    """Hold the candidate against the baseline by every rule that compares: on the whole check, and on its slices.

    Where the baseline answers a part of the examples, only those are compared, of both. A slice that a rule names and
    that none of them is in is compared with nothing: *open_slices*.
    """
    rest = () if before.common is None else without(parts, check, before.common)
    parts = parts if before.common is None else within(parts, check, before.common)
    asked, timed = [], []
    for rule in check.rules:
        if not rule.bound.compares:
            continue
        yield from _compared_with_nothing(check, rule, rest, open_slices)
        after, past = scored.parts.get(rule.metric), before.parts.get(rule.metric)
        if after is None or past is None:
            why = (scored if after is None else before).why_not(rule.metric)
            yield unmeasured(check.id, rule, why, rule.slice_by)
        elif isinstance(after, Series | Fact) and isinstance(past, Series | Fact):
            timed.append((rule, after, past))
        elif not isinstance(after, Statistics) or not isinstance(past, Statistics):
            yield unmeasured(check.id, rule, f"{rule.metric} has limits only: it is not compared with a baseline")
        elif after.rows.shape != past.rows.shape:
            yield unmeasured(check.id, rule, f"{rule.metric}'s statistics differ in shape from the baseline's")
        else:
            asked += [
                _Asked(rule, place, _pair(after, past, place), implied) for place, implied in _asked_places(rule, parts)
            ]
    for family in itertools.product((False, True), repeat=2):
        yield from _hold_family(check, scored, before, [one for one in asked if one.family(check) == family])
    for added in (False, True):
        of_one = [one for one in timed if one[0].added is added]
        yield from judge_latency.compare(check, of_one, across=check.params.get("stored") == "block")


def _compared_with_nothing(check: Check, rule: Rule, rest: Sequence[Slice], outcome: Outcome) -> Iterator[Finding]:
    """Yield a finding for each slice that the rule names and the baseline was asked nothing of."""
    for place in places(rule, rest) if rule.slice_by else ():
        if place is not None:
            why = f"the baseline was asked none of the examples of {place.name}: nothing can be compared"
            yield Finding(check.id, rule, outcome, why, "unusable-baseline", place.name)


def _pair(after: Statistics, past: Statistics, place: Slice | None) -> Pair:
    return pair(after, past, place.chosen, place.name) if place else pair(after, past)


def _asked_places(rule: Rule, parts: Sequence[Slice]) -> Iterator[tuple[Slice | None, bool]]:
    """Yield where a comparing rule is asked, and whether only by implication: each slice that is large enough."""
    if rule.slice_by:
        yield from ((place, False) for place in places(rule, parts))
        return
    yield None, False
    yield from ((part, True) for part in parts if part.groups >= SMALLEST_SLICE)


def _hold_family(check: Check, scored: Scored, before: Scored, family: Sequence[_Asked]) -> Iterator[Finding]:
    pairs = [one.pair for one in family]
    families = {confidence: family_confidence(pairs, confidence) for confidence in {one.sure for one in family}}
    for one in family:
        chosen, name = (one.place.chosen, one.place.name) if one.place else (before.common, WHOLE)
        same = identical(scored, before, check, one.pair)
        after = measure(check, one.pair.candidate, chosen, name)
        past = measure(check, one.pair.baseline, chosen, name)
        guarded = one.implied or _is_guarded(check, one.rule, past)
        moved = delta(one.pair, one.sure, families[one.sure], identical=same, guarded=guarded)
        yield (hold_slice if one.implied else hold_baseline)(one.rule, after, past, moved)


def _is_guarded(check: Check, rule: Rule, past: Measurement) -> bool:
    """Return whether a limit that blocks holds the value of the same examples itself. A change cannot bring it.

    It must be one that a broken model can break.
    """
    wanted = Bound.MIN if rule.bound is Bound.MAX_DROP else Bound.MAX
    return any(
        (one.metric, one.slice_by, one.bound) == (rule.metric, rule.slice_by, wanted)
        and one.on_breach is Outcome.FAILED
        and (rule.added or not one.added)
        and _can_break(past.metric, one.limit if one.base_limit is None else one.base_limit)
        for one in check.rules
    )


def _can_break(metric: Metric, limit: float) -> bool:
    """Return whether a limit is better than the worst value that the metric has."""
    if not metric.span:
        return True  # nobody knows what the worst is
    return limit > 0 if metric.better is Better.HIGHER else limit < metric.span
