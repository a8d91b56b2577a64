"""Whether evidence is of a check's data: of all of it as it is today, or of what the two have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from mlgate.core import legacy_digests
from mlgate.core.asked import Asked, asked, asked_in
from mlgate.core.check import Check, Example
from mlgate.core.evidence import Evidence, Observation, Row
from mlgate.core.identity import FIRST_FORM

Chosen = NDArray[np.intp]


class Use(Enum):
    """How far the data may have moved since."""

    SAME = "same"
    """Not at all, but for the order of its rows."""
    RESCORED = "rescored"
    """Every example of today was asked the same; its references may have been corrected, since they are today's."""
    COMMON = "common"
    """Some were: only those are used."""


@dataclass(frozen=True, slots=True)
class Moved:
    """How today's data differ from those that were observed."""

    equal: int
    new: int
    gone: int
    asked_otherwise: int
    judged_otherwise: int

    def __str__(self) -> str:
        """Return the counts, for people: `5 rows new, 1 reference changed, 39 equal`."""
        parts = [
            _count(self.new, "row new", "rows new"),
            _count(self.gone, "row gone", "rows gone"),
            _count(self.asked_otherwise, "input changed", "inputs changed"),
            _count(self.judged_otherwise, "reference changed", "references changed"),
        ]
        return ", ".join([*filter(None, parts), f"{self.equal:,} equal"])

    @property
    def common(self) -> int:
        """Return how many examples were asked the same."""
        return self.equal + self.judged_otherwise


@dataclass(frozen=True, slots=True)
class Fit:
    """The rows of evidence that answer a check's examples, by today's ids."""

    rows: Mapping[str, Row]
    common: Chosen | None = None
    """The positions of the examples that they answer; None: of all."""
    moved: Moved | None = None
    """How the data differ; None: they do not."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why evidence says nothing of the check's data."""

    why: str
    moved: Moved | None = None


def fit(check: Check, evidence: Evidence, use: Use = Use.SAME) -> Fit | Unfit:
    """Return the rows that answer the check's examples, or why there are none that may be used so."""
    observed = dict(evidence.provenance.data).get(check.id)
    rows = evidence.under(check.id)
    if observed is None:
        return Unfit(f"the evidence holds nothing of the check {check.id}")
    if observed == check.data_digest or (
        evidence.form == FIRST_FORM and legacy_digests.is_of(check.examples, observed)
    ):
        return Fit(rows)
    others = {name: row for name, row in rows.items() if asked_in(row) is None}
    if check.rounds or any(isinstance(row, Observation) for row in others.values()):  # of an older mlgate
        return Unfit(_other_data(check, evidence, observed))
    return _fit_moved(check, {name: row for name, row in rows.items() if name not in others}, others, use) or Unfit(
        _other_data(check, evidence, observed)
    )


def _fit_moved(check: Check, rows: Mapping[str, Row], others: Mapping[str, Row], use: Use) -> Fit | Unfit | None:
    """Return what *rows*, which say what they answer, and *others*, which do not, are worth; None: nothing."""
    matched = _matched(check.examples, rows)
    moved = _moved(check.examples, rows, matched)
    if not moved.common:
        return None
    found = {**others} | {example: rows[row] for example, row in matched.items()}
    if moved.equal == len(check.examples) == len(rows):
        return Fit(found)
    if use is Use.COMMON:
        where = [place for place, example in enumerate(check.examples) if example.id in matched]
        return Fit(found, np.array(where, np.intp), moved)
    if use is Use.RESCORED and moved.common == len(check.examples):
        return Fit(found, None, moved)
    return Unfit(f"it was observed on other data than today's: {moved}", moved)


def _other_data(check: Check, evidence: Evidence, observed: str) -> str:
    why = f"it was observed on other data ({observed[:12]}) than today's ({check.data_digest[:12]})"
    if evidence.form != FIRST_FORM:
        return why
    return (
        f"{why}, or was sliced by a field that `slices:` does not name any more: its digest is of an older form, "
        "which covered them; name that field again, or accept a new baseline"
    )


def _matched(examples: Sequence[Example], rows: Mapping[str, Row]) -> dict[str, str]:
    """Return which row answers each example: the one of its id, if that was asked the same.

    An id that is made of the content is another one when a reference is corrected. So what is left over on both sides
    goes together where one row alone was asked the same.
    """
    asks = {example.id: asked(example) for example in examples}
    answered = {name: mark for name, row in rows.items() if (mark := asked_in(row)) is not None}
    found = {name: name for name, mark in asks.items() if name in answered and answered[name].input == mark.input}
    left = _alone({name: mark for name, mark in asks.items() if name not in rows})
    kept = _alone({name: mark for name, mark in answered.items() if name not in asks})
    return found | {left[text]: kept[text] for text in left.keys() & kept.keys()}


def _alone(marks: Mapping[str, Asked]) -> dict[str, str]:
    """Return by input the one id that has it, where there is one only."""
    names: dict[str, list[str]] = {}
    for name, mark in marks.items():
        names.setdefault(mark.input, []).append(name)
    return {text: several[0] for text, several in names.items() if len(several) == 1}


def _moved(examples: Sequence[Example], rows: Mapping[str, Row], matched: Mapping[str, str]) -> Moved:
    same = sum(
        1
        for example in examples
        if (row := matched.get(example.id))
        and (mark := asked_in(rows[row]))
        and mark.references == asked(example).references
    )
    taken = set(matched.values())
    otherwise = sum(1 for example in examples if example.id not in matched and example.id in rows)
    return Moved(
        equal=same,
        new=len(examples) - len(matched) - otherwise,
        gone=len(rows) - len(taken) - otherwise,
        asked_otherwise=otherwise,
        judged_otherwise=len(matched) - same,
    )


def _count(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}" if count else ""
