"""Which examples moved a metric most: what a person reads to understand a number."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import numpy as np

from mlgate.core.check import Check, Example
from mlgate.core.metric import Better
from mlgate.core.ports import Kind
from mlgate.core.report import Segment
from mlgate.core.stats.jackknife import Array, Statistics, influence
from mlgate.core.text.look_alike import difference
from mlgate.core.verdict import Finding
from mlgate.flow.scoring import Scored

SEGMENTS_SHOWN = 3
"""Segments a finding, in a report."""

TEXT_LIMIT = 400
"""Characters of each text that a report carries; the evidence has them whole."""


def segments(
    check: Check, kind: Kind, scored: Scored, before: Scored | None, findings: Sequence[Finding]
) -> Iterator[Segment]:
    """Yield the examples that cost most, for each metric that has a finding which did not pass."""
    for name in dict.fromkeys(finding.rule.metric for finding in findings):
        if name in scored.statistics:
            yield from most_moved(check, kind, scored, before, name)


def most_moved(
    check: Check,
    kind: Kind,
    scored: Scored,
    before: Scored | None,
    name: str,
    *,
    count: int = SEGMENTS_SHOWN,
    limit: int = TEXT_LIMIT,
) -> Iterator[Segment]:
    """Yield the *count* examples that moved metric *name* most to the worse, worst first.

    With a baseline: each example's share of the difference; without: of the value's distance to its mean influence.
    Where every example has the worst value there is, none moves it: the first are yielded.
    """
    part = scored.statistics[name]
    past = before.statistics.get(name) if before else None
    past = past if past is not None and past.rows.shape == part.rows.shape else None
    moved = _shares(part, past)
    loss = moved if part.metric.better is Better.LOWER else -moved
    worst = past is None and not moved.any() and _is_worst_throughout(part)
    shown: set[str] = set()
    for i in np.argsort(-loss, kind="stable"):
        if (loss[i] <= 0 and not worst) or len(shown) == count:
            return
        example = check.examples[int(i)]
        if (one := f"{example.group}\0{asked(example)}" if example.group else example.id) in shown:
            continue  # a copy of what is shown already
        shown.add(one)
        yield Segment(
            check.id,
            name,
            example.id,
            float(moved[i]),
            _cut(asked(example), limit),
            tuple(_cut(reference, limit) for reference in example.references),
            _cut(kind.show(scored.answers[example.id]), limit),
            _cut(kind.show(before.answers[example.id]), limit) if before and past else None,
            difference(kind.show(scored.answers[example.id]), example.references),
        )


def _is_worst_throughout(part: Statistics) -> bool:
    """Whether every example by itself has the worst value there is: 0, or 1 or more where lower is better."""
    if not part.metric.span:
        return False
    with np.errstate(invalid="ignore", divide="ignore"):
        each = part.value(part.rows)
    if part.metric.better is Better.HIGHER:
        return bool((each == 0).all())
    return bool((each >= part.metric.span).all())


def _shares(part: Statistics, past: Statistics | None) -> Array:
    """Return each example's share of the value, or of the difference to the baseline's; 0 where one was not asked."""
    where = part.places if past is None else np.intersect1d(part.places, past.places)
    with np.errstate(invalid="ignore", divide="ignore"):
        moved = influence(part.rows[where], part.value)
        if past is not None:
            moved = moved - influence(past.rows[where], past.value)
    shares = np.zeros(len(part.rows))
    shares[where] = np.nan_to_num(moved, posinf=0, neginf=0) / max(1, len(moved))
    return shares


def asked(example: Example) -> str:
    """Return an example's input as text."""
    return example.input if isinstance(example.input, str) else json.dumps(example.input, ensure_ascii=False)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
