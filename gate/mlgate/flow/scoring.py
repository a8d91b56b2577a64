"""From rows to numbers: one check's statistics for candidate and baseline, their measurements and differences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mlgate.core.check import Check, Rule
from mlgate.core.evidence import NOT_ASKED, Observation, Row
from mlgate.core.groups import groups_of
from mlgate.core.metric import Metric
from mlgate.core.ports import Kind, Reading
from mlgate.core.stats.jackknife import (
    ENOUGH_EQUAL,
    Array,
    Interval,
    Statistics,
    Unscored,
    change_size,
    influence,
    interval,
    simultaneous,
    standard_error,
    unseen_loss,
    width,
)
from mlgate.core.stats.series import Fact, Series
from mlgate.core.verdict import Delta, Measurement
from mlgate.flow.fitting import Chosen, Fit

WHOLE = ""
"""The name of the slice that is the whole check."""

SHOWN_CONFIDENCE = 0.95
"""Of a measurement's own interval."""


Part = Statistics | Series | Fact
"""What one metric came to."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One check's complete evidence, scored."""

    parts: Mapping[str, Part]
    """Every metric that could be computed, by the name that rules use, in the check's order."""
    unscored: Mapping[str, str]
    """Metrics that could not be computed, and why."""
    answers: Mapping[str, Row]
    """Each example's own row."""
    common: Chosen | None = None
    """The positions of the examples that count, where the data moved; None: all."""

    @property
    def statistics(self) -> Mapping[str, Statistics]:
        """Return the metrics that are computed from statistics of each example."""
        return {name: part for name, part in self.parts.items() if isinstance(part, Statistics)}

    def why_not(self, metric: str) -> str:
        """Return why a metric has no number."""
        return self.unscored.get(metric, f"{metric} was never measured")


@dataclass(frozen=True, slots=True)
class Incomplete:
    """Why one check cannot be scored."""

    why: str


def score(check: Check, kind: Kind, found: Fit, reading: Reading) -> Scored | Incomplete:
    """Score one check by what was read of its evidence, or say in one sentence what is missing.

    Where only some examples are answered, the others' rows hold what another example's does, and do not count.
    """
    planned = check.rows
    if found.common is not None:
        planned = tuple(check.examples[place].id for place in found.common)
        filler = next((row for row in reading.rows.values() if isinstance(row, Observation)), None)
        if filler is None:
            return Incomplete("none of the examples that both have was answered")
        reading = replace(reading, rows=dict.fromkeys(check.rows, filler) | dict(reading.rows))
    missing = [example for example in planned if example not in reading.rows]
    kept = {*planned, *(reading.rows.keys() - {*check.rows})}
    holes = {name: why for name, why in kind.holes(check, reading).items() if name in kept}
    if missing or holes or not planned:
        return Incomplete(_lacks(planned, missing, holes, "rounds" if check.rounds else "examples"))
    parts, groups = kind.score(check, reading), groups_of(check.examples)
    return Scored(
        {part.name: _within(part, groups, found.common) for part in parts if not isinstance(part, Unscored)},
        {part.name: part.why for part in parts if isinstance(part, Unscored)},
        kind.answers(check, reading),
        found.common,
    )


def _within(part: Part, groups: NDArray[np.intp] | None, common: Chosen | None) -> Part:
    if not isinstance(part, Statistics):
        return part
    return replace(part, groups=groups, asked=part.asked if common is None else common)


def _lacks(planned: Sequence[str], missing: Sequence[str], holes: Mapping[str, str], noun: str) -> str:
    if not planned:
        return f"it has no {noun}"
    parts = []
    if missing:
        names = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")  # noqa: PLR2004 - three names tell enough
        parts.append(f"{len(missing):,} of {len(planned):,} {noun} were never observed ({names})")
    place = {example: position for position, example in enumerate(planned)}
    unanswered = sorted((place[example], example) for example in holes if example in place)
    if unanswered:
        many, first = f"{len(unanswered):,} of {len(planned):,} {noun}", unanswered[0][1]
        why = holes[first].removeprefix(NOT_ASKED)
        if why == holes[first]:
            parts.append(f"{many} were not answered ({first}: {why})")
        else:  # what kept them from being asked comes first
            parts.append(f"{why}; so {many} were not asked")
    others = sorted(example for example in holes if example not in place)
    if others:
        parts.append(f"{_count_of(len(others), 'test')} did not pass ({others[0]}: {holes[others[0]]})")
    return "; ".join(parts)


def _count_of(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


@dataclass(frozen=True, slots=True)
class Slice:
    """The examples of a check that share one value of a field."""

    field: str
    name: str
    """`field=value`."""
    chosen: Chosen
    groups: int
    """How many groups its examples are of: what is observed once."""


def slices(check: Check) -> tuple[Slice, ...]:
    """Return the slices of each of the check's slice fields, by name."""
    groups = groups_of(check.examples)
    found: dict[tuple[str, str], list[int]] = {}
    for field in check.slices:
        for position, example in enumerate(check.examples):
            value = dict(example.slices).get(field, "(none)")
            found.setdefault((f"{field}={value}", field), []).append(position)
    chosen = {key: np.array(places) for key, places in found.items()}
    return tuple(
        Slice(field, name, places, len(places) if groups is None else len(np.unique(groups[places])))
        for (name, field), places in sorted(chosen.items())
    )


def within(parts: Sequence[Slice], check: Check, common: Chosen) -> tuple[Slice, ...]:
    """Return the slices cut to the examples at *common*; those that none of them is in are left out."""
    groups = groups_of(check.examples)
    cut = ((part, np.intersect1d(part.chosen, common)) for part in parts)
    return tuple(
        replace(part, chosen=chosen, groups=len(chosen) if groups is None else len(np.unique(groups[chosen])))
        for part, chosen in cut
        if len(chosen)
    )


def without(parts: Sequence[Slice], check: Check, common: Chosen) -> tuple[Slice, ...]:
    """Return the slices that none of the examples at *common* is in."""
    there = {part.name for part in within(parts, check, common)}
    return tuple(part for part in parts if part.name not in there)


def places(rule: Rule, parts: Sequence[Slice]) -> Sequence[Slice | None]:
    """Return where a rule holds: None, the whole check, or each value of its slice field."""
    return [part for part in parts if part.field == rule.slice_by] if rule.slice_by else (None,)


def measure(check: Check, part: Statistics, chosen: Chosen | None = None, slice_name: str = WHOLE) -> Measurement:
    """Return the corpus value of some rows with its 95 % interval."""
    where = part.places if chosen is None else chosen
    rows, groups = part.units(where)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = float(part.value(rows.sum(axis=0))) if len(rows) else math.nan
        moved = influence(rows, part.value)
    low, high = _possible(part.metric, interval(value, moved, SHOWN_CONFIDENCE))
    several = None if part.groups is None else len(groups)
    return Measurement(
        check.id, part.name, part.metric, value, len(where), low, high, part.signature, slice_name, several
    )


def _possible(metric: Metric, ends: Interval) -> tuple[float, float]:
    """Cut an interval to values that the metric can have."""
    if metric.unit not in {"points", "ratio"}:
        return ends.low, ends.high
    return (max(metric.least, ends.low), min(metric.most, ends.high)) if ends.finite else (ends.low, ends.high)


@dataclass(frozen=True, slots=True)
class Pair:
    """One metric on the same examples for both systems: what a comparison needs."""

    name: str
    slice: str
    chosen: Chosen
    candidate: Statistics
    baseline: Statistics
    groups: NDArray[np.intp]
    """Which groups the chosen examples are of: places in `moved`."""
    moved: Array
    """Influence of each group on the difference; zero outside the slice. A group may be a single example."""
    size: float
    """Of a change that the sample may have missed, as far as the changes seen tell: see `change_size`."""
    span: float
    """The most that one example can move: what a change may be of which no example tells."""

    @property
    def difference(self) -> float:
        """Return candidate minus baseline."""
        with np.errstate(invalid="ignore", divide="ignore"):
            after = self.candidate.value(self.candidate.rows[self.chosen].sum(axis=0))
            before = self.baseline.value(self.baseline.rows[self.chosen].sum(axis=0))
        return float(after) - float(before)


def pair(candidate: Statistics, baseline: Statistics, chosen: Chosen | None = None, slice_name: str = WHOLE) -> Pair:
    """Put the two systems' statistics side by side on some examples."""
    where = np.intersect1d(candidate.places, baseline.places) if chosen is None else chosen
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        (rows, groups), (past, _) = candidate.units(where), baseline.units(where)
        after, before = influence(rows, candidate.value), influence(past, baseline.value)
        span = _span(candidate.metric, after, before)
        size = change_size(after - before, (rows != past).any(axis=1), span)
    moved = np.zeros(len(candidate.rows) if candidate.groups is None else int(candidate.groups.max(initial=-1)) + 1)
    moved[groups] = after - before
    return Pair(candidate.name, slice_name, where, candidate, baseline, groups, moved, size, span)


def _span(metric: Metric, after: Array, before: Array) -> float:
    """Return the most that one example can move: the unit's, or, where it has none, the range that both systems show.

    That is 0 where neither unit nor numbers give a scale: a count that is 0 on every example, for both.
    """
    both = np.concatenate([after, before])
    return metric.span or (float(both.max() - both.min()) if len(both) else 0.0)


def delta(one: Pair, confidence: float, family: float, *, identical: bool, guarded: bool = False) -> Delta:
    """Return the paired difference, as wide as *confidence* asks alone, and as *family*, its family's confidence.

    *guarded*: a limit of the value itself stands beside the comparison, so that what no example tells need not be held
    against a pass. Nor is it where enough examples were answered alike.
    """
    moved = one.moved[one.groups]
    alone, together = width(moved, confidence, 0.0 if guarded else one.size), width(moved, family, one.size)
    held = not guarded and not (identical and len(moved) >= ENOUGH_EQUAL)
    unseen = unseen_loss(len(moved), confidence, one.span) if held else 0.0
    look = one.candidate.look
    return Delta(
        one.difference,
        alone,
        together,
        identical,
        unseen,
        error=standard_error(moved),
        sure=confidence,
        early=look.early,
    )


def family_confidence(pairs: Sequence[Pair], confidence: float) -> float:
    """Return how sure each of the comparisons that are asked together must be (max-t); NaN for nothing to say."""
    if not pairs:
        return math.nan
    table = np.column_stack([one.moved for one in pairs])
    finite = np.isfinite(table).all(axis=0)
    if not finite.any() or len(table) < 2:  # noqa: PLR2004 - one row has no spread
        return math.nan
    return simultaneous(table[:, finite], confidence)


def identical(candidate: Scored, baseline: Scored, check: Check, one: Pair) -> bool:
    """Whether the two systems did the same on every example of a comparison."""
    ids = (check.examples[int(i)].id for i in one.chosen)
    return all(_same(candidate.answers[example], baseline.answers[example]) for example in ids)


def _same(a: Row, b: Row) -> bool:
    """Whether two rows saw the same. A gap is like nothing: why a model failed says not how it would have answered."""
    return isinstance(a, Observation) and isinstance(b, Observation) and a.seen == b.seen
