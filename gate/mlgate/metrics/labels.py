"""Accuracy and macro-averaged F1 of labels: answers that are one of a few classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlgate.core.check import Json
from mlgate.core.metric import Better, Metric
from mlgate.core.stats.jackknife import Array
from mlgate.core.text.normal_form import normal
from mlgate.metrics.options import Options
from mlgate.metrics.ratio import ratio
from mlgate.metrics.references import how_many, refuse_unpaired
from mlgate.metrics.scorer import References

MOST_CELLS = 50_000_000
"""Examples times columns of macro_f1, at most (400 MB): that many classes are texts, not labels."""

_FEW = 20
_MOST_DISTINCT = 0.5


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Share of answers that are a right label. Columns: right, 1."""

    metric: ClassVar[Metric] = Metric("accuracy", "ratio", Better.HIGHER)

    def signature(self, references: References) -> str:
        """Return the settings."""
        return f"ACC|nrefs:{how_many(references)}|case:mixed|norm:nfc|space:trim|version:mlgate2"

    def unsuitable(self, references: References) -> str:
        """Return why: the references are texts, not labels."""
        return _not_labels(references)

    def statistics(self, answers: Sequence[str], references: References) -> Array:
        """Return right (1 or 0) and 1 for each example, shape (n, 2)."""
        refuse_unpaired(answers, references)
        right = [
            compared(answer) in {compared(reference) for reference in several}
            for answer, several in zip(answers, references, strict=True)
        ]
        return np.column_stack([np.array(right, dtype=float), np.ones(len(right))])

    def value(self, totals: Array) -> Array:
        """Return the share."""
        return ratio(totals)


@dataclass(frozen=True, slots=True)
class MacroF1:
    """Unweighted mean of the classes' F1. Columns: true positives, false positives, false negatives of each class."""

    metric: ClassVar[Metric] = Metric("macro_f1", "ratio", Better.HIGHER)

    def signature(self, references: References) -> str:
        """Return the settings with the number of classes: those that the references name."""
        classes = len({compared(reference) for several in references for reference in several})
        return f"MACRO-F1|nrefs:{how_many(references)}|classes:{classes}|case:mixed|norm:nfc|space:trim|version:mlgate2"

    def unsuitable(self, references: References) -> str:
        """Return why: several right labels, or texts."""
        if any(len(several) > 1 for several in references):
            return "macro_f1 needs exactly one reference an example: use accuracy, where any of several is right"
        return _not_labels(references)

    def statistics(self, answers: Sequence[str], references: References) -> Array:
        """Return the counts, shape (n, 3 * classes), classes sorted. An answer outside of them is wrong: a miss only.

        The columns depend on all references: rows of different reference sets cannot be added.
        """
        refuse_unpaired(answers, references)
        for index, several in enumerate(references):
            if len(several) != 1:
                raise ValueError(f"example {index} has {len(several)} references: macro_f1 needs exactly one")
        wanted = [compared(reference) for (reference,) in references]
        place = {label: index for index, label in enumerate(sorted(set(wanted)))}
        if len(wanted) * 3 * len(place) > MOST_CELLS:
            raise ValueError(f"{len(place):,} classes in {len(wanted):,} examples are texts, not labels: use accuracy")
        rows = np.zeros((len(wanted), len(place), 3))
        for row, answer, label in zip(rows, answers, wanted, strict=True):
            given = compared(answer)
            if given == label:
                row[place[label], 0] = 1
                continue
            row[place[label], 2] = 1
            if given in place:
                row[place[given], 1] = 1
        return rows.reshape(len(wanted), -1)

    def value(self, totals: Array) -> Array:
        """Return the mean over classes that occur in the sums; NaN where none does."""
        right, wrong, missed = totals[..., 0::3], totals[..., 1::3], totals[..., 2::3]
        below = 2 * right + wrong + missed
        scores = np.divide(2 * right, below, out=np.zeros_like(below), where=below > 0)
        classes = (below > 0).sum(axis=-1)
        return ratio(np.stack([scores.sum(axis=-1), classes], axis=-1))


def compared(text: str) -> str:
    """Return what is compared of a label: NFC, as exact_match compares, without outer whitespace."""
    return normal("NFC", text).strip()


def accuracy(options: Mapping[str, Json]) -> Accuracy:
    """Make accuracy; it takes no options."""
    Options("accuracy", options)
    return Accuracy()


def macro_f1(options: Mapping[str, Json]) -> MacroF1:
    """Make macro F1; it takes no options."""
    Options("macro_f1", options)
    return MacroF1()


def _not_labels(references: References) -> str:
    firsts = [compared(several[0]) for several in references if several]
    distinct = len(set(firsts))
    if len(firsts) <= _FEW or distinct <= _MOST_DISTINCT * len(firsts):
        return ""
    return f"{distinct:,} of {len(firsts):,} references differ, so they are texts rather than labels: use exact_match"
