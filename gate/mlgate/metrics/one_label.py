"""Precision, recall and F1 of one label: how the class does that matters most, e.g. the rare one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mlgate.core.check import Json
from mlgate.core.metric import Better, Metric
from mlgate.core.stats.jackknife import Array
from mlgate.metrics.labels import compared
from mlgate.metrics.options import Options
from mlgate.metrics.ratio import ratio
from mlgate.metrics.references import refuse_unpaired
from mlgate.metrics.scorer import References

_SHOWN = 5
"""Labels of the data that a person is told."""
_RATIOS: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "label_precision": ((1, 0, 0), (1, 1, 0)),
    "label_recall": ((1, 0, 0), (1, 0, 1)),
    "label_f1": ((2, 0, 0), (2, 1, 1)),
}
"""What stands over what, of the three columns: 2 TP over 2 TP + FP + FN is F1."""


@dataclass(frozen=True, slots=True)
class OneLabel:
    """A ratio of one label. Columns: true positives, false positives, false negatives."""

    metric: Metric
    label: str
    """As it is compared: NFC, trimmed."""

    def signature(self, references: References) -> str:  # noqa: ARG002 - there is one reference an example
        """Return the settings."""
        return f"{self.metric.name.upper()}|label:{self.label}|nrefs:1|case:mixed|norm:nfc|space:trim|version:mlgate1"

    def unsuitable(self, references: References) -> str:
        """Return why: several right labels an example, or none that is this one."""
        if any(len(several) != 1 for several in references):
            return f"{self.metric.name} needs exactly one reference an example: use accuracy, where any is right"
        labels = {compared(reference) for (reference,) in references}
        if self.label in labels:
            return ""
        some = ", ".join(f"`{label[:40]}`" for label in sorted(labels)[:_SHOWN])
        return f"no reference is the label `{self.label[:40]}`: there are {some}{', …' if len(labels) > _SHOWN else ''}"

    def statistics(self, answers: Sequence[str], references: References) -> Array:
        """Return the counts, shape (n, 3)."""
        refuse_unpaired(answers, references)
        given = np.array([compared(answer) == self.label for answer in answers], dtype=bool)
        wanted = np.array([any(compared(one) == self.label for one in several) for several in references], dtype=bool)
        return np.column_stack([given & wanted, given & ~wanted, ~given & wanted]).astype(float).reshape(-1, 3)

    def value(self, totals: Array) -> Array:
        """Return the ratio; 0 where the label was neither right nor answered, as scikit-learn's `zero_division=0`."""
        over, under = (totals @ np.array(weights) for weights in _RATIOS[self.metric.name])
        return np.where(under > 0, ratio(np.stack([over, np.where(under > 0, under, 1.0)], axis=-1)), 0.0)


def label_precision(options: Mapping[str, Json]) -> OneLabel:
    """Make the share of answers with the label that are right."""
    return _one_label("label_precision", options)


def label_recall(options: Mapping[str, Json]) -> OneLabel:
    """Make the share of examples of the label that are answered with it."""
    return _one_label("label_recall", options)


def label_f1(options: Mapping[str, Json]) -> OneLabel:
    """Make the harmonic mean of the two."""
    return _one_label("label_f1", options)


def _one_label(name: str, options: Mapping[str, Json]) -> OneLabel:
    Options(name, options, ("label",))
    label = options.get("label")
    if not isinstance(label, str) or not label.strip():
        raise ValueError(
            f'{name}: label is missing, a text: write e.g. {{{name}: {{label: "positive"}}}} under metrics'
        )
    return OneLabel(Metric(name, "ratio", Better.HIGHER), compared(label))
