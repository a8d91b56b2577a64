"""From rows to numbers: one check's statistics for candidate and baseline, their measurements and differences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlgate.core import form1
from mlgate.core.check import Better, Check, Metric
from mlgate.core.evidence import Evidence, Observation, Row
from mlgate.core.identity import FIRST
from mlgate.core.ports import Kind
from mlgate.core.series import Fact, Series
from mlgate.core.statistics import (
    Array,
    Interval,
    Statistics,
    Unscored,
    change_size,
    influence,
    interval,
    simultaneous,
    width,
)
from mlgate.core.verdict import Delta, Measurement

Chosen = NDArray[np.intp]
"""Positions of examples in the check's order."""

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

    @property
    def statistics(self) -> Mapping[str, Statistics]:
        """Return the metrics that are computed from statistics of each example."""
        return {name: part for name, part in self.parts.items() if isinstance(part, Statistics)}


@dataclass(frozen=True, slots=True)
class Incomplete:
    """Why one check cannot be scored."""

    why: str


def score(check: Check, kind: Kind, evidence: Evidence) -> Scored | Incomplete:
    """Score one check, or say in one sentence what is missing."""
    observed = dict(evidence.provenance.data).get(check.id)
    if observed is None:
        return Incomplete(f"the evidence holds nothing of the check {check.id}")
    why = _other_data(check, observed, evidence.form)
    if why:
        return Incomplete(why)
    rows = evidence.under(check.id)
    planned = check.rows
    missing = [example for example in planned if example not in rows]
    holes = kind.holes(check, rows)
    if missing or holes or not planned:
        return Incomplete(_lacks(planned, missing, holes, "rounds" if check.rounds else "examples"))
    parts = kind.score(check, rows)
    return Scored(
        {part.name: part for part in parts if not isinstance(part, Unscored)},
        {part.name: part.why for part in parts if isinstance(part, Unscored)},
        kind.answers(check, rows),
    )


def _other_data(check: Check, observed: str, form: int) -> str:
    """Return why evidence of data with the digest *observed* says nothing of today's; empty where it is the same."""
    if observed == check.data_digest:
        return ""
    why = f"it was observed on other data ({observed[:12]}) than today's ({check.data_digest[:12]})"
    if form != FIRST:
        return why
    if form1.is_of(check.examples, observed):
        return ""
    return (
        f"{why}, or was sliced by a field that `slices:` does not name any more: its digest is of an older form, "
        "which covered them; name that field again, or accept a new baseline"
    )


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
        first = unanswered[0][1]
        parts.append(f"{len(unanswered):,} of {len(planned):,} {noun} were not answered ({first}: {holes[first]})")
    others = sorted(example for example in holes if example not in place)
    if others:
        parts.append(f"{_counted(len(others), 'test')} did not pass ({others[0]}: {holes[others[0]]})")
    return "; ".join(parts)


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


@dataclass(frozen=True, slots=True)
class Slice:
    """The examples of a check that share one value of a field."""

    field: str
    name: str
    """`field=value`."""
    chosen: Chosen


def slices(check: Check) -> tuple[Slice, ...]:
    """Return the slices of each of the check's slice fields, by name."""
    found: dict[tuple[str, str], list[int]] = {}
    for field in check.slices:
        for position, example in enumerate(check.examples):
            value = dict(example.slices).get(field, "(none)")
            found.setdefault((f"{field}={value}", field), []).append(position)
    return tuple(Slice(field, name, np.array(found[name, field])) for name, field in sorted(found))


def measure(check: Check, part: Statistics, chosen: Chosen | None = None, slice_name: str = WHOLE) -> Measurement:
    """Return the corpus value of some rows with its 95 % interval."""
    rows = part.rows[part.places if chosen is None else chosen]
    with np.errstate(invalid="ignore", divide="ignore"):
        value = float(part.value(rows.sum(axis=0))) if len(rows) else math.nan
        moved = influence(rows, part.value)
    low, high = _possible(part.metric, interval(value, moved, SHOWN_CONFIDENCE))
    return Measurement(check.id, part.name, part.metric, value, len(rows), low, high, part.signature, slice_name)


def _possible(metric: Metric, ends: Interval) -> tuple[float, float]:
    """Cut an interval to values that the metric can have."""
    if metric.unit not in {"points", "ratio"}:
        return ends.low, ends.high
    top = math.inf if metric.better is Better.LOWER else 100.0 if metric.unit == "points" else 1.0
    return (max(0.0, ends.low), min(top, ends.high)) if ends.finite else (ends.low, ends.high)


@dataclass(frozen=True, slots=True)
class Pair:
    """One metric on the same examples for both systems: what a comparison needs."""

    name: str
    slice: str
    chosen: Chosen
    candidate: Statistics
    baseline: Statistics
    moved: Array
    """Influence of each example on the difference, in the check's order; zero outside the slice."""
    size: float
    """Of a change that the sample may have missed: see `change_size`."""

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
        after = influence(candidate.rows[where], candidate.value)
        before = influence(baseline.rows[where], baseline.value)
        size = change_size(after - before, _changed(candidate, baseline, where), _span(candidate.metric, after, before))
    moved = np.zeros(len(candidate.rows))
    moved[where] = after - before
    return Pair(candidate.name, slice_name, where, candidate, baseline, moved, size)


def _changed(candidate: Statistics, baseline: Statistics, where: Chosen) -> NDArray[np.bool_]:
    """Return where the examples' statistics differ. Not where influences do: BLEU's are never quite zero."""
    found: NDArray[np.bool_] = (candidate.rows[where] != baseline.rows[where]).any(axis=1)
    return found


def _span(metric: Metric, after: Array, before: Array) -> float:
    """Return the most that one example can move: the unit's, or, where it has none, the range that both systems show.

    That is 0 where neither unit nor numbers give a scale: a count that is 0 on every example, for both.
    """
    both = np.concatenate([after, before])
    return metric.span or (float(both.max() - both.min()) if len(both) else 0.0)


def delta(one: Pair, confidence: float, family: float, *, identical: bool) -> Delta:
    """Return the paired difference, as wide as *confidence* asks alone, and as *family*, its family's confidence."""
    moved = one.moved[one.chosen]
    alone, together = (width(moved, sure, one.size) for sure in (confidence, family))
    return Delta(one.difference, alone, together, identical)


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
