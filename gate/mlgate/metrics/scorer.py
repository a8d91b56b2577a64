"""What a metric must offer. A third party offers the same through the entry-point group `mlgate.metrics`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mlgate.core.metric import Metric
from mlgate.core.stats.jackknife import Array

References = Sequence[Sequence[str]]
"""One sequence of references an example; how many may differ from example to example."""


class Scorer(Protocol):
    """One metric with its options: per-example sufficient statistics, and the corpus value of their sums."""

    @property
    def metric(self) -> Metric:
        """Name, unit and better end."""

    def signature(self, references: References) -> str:
        """Return every setting that can change the value, in sacrebleu's form: `BLEU|nrefs:1|case:mixed|…`."""

    def unsuitable(self, references: References) -> str:
        """Return why this metric cannot judge answers to *references*, with what to use instead. Empty: it can."""

    def statistics(self, answers: Sequence[str], references: References) -> Array:
        """Return the statistics, shape (n, k), float64. Raises ValueError when lengths differ.

        Row i depends on answer i and its references (a label metric's columns depend on all references' labels).
        Adding rows and calling `value` gives the corpus score, whatever the split.
        """

    def value(self, totals: Array) -> Array:
        """Return the corpus values, shape (...), of summed statistics, shape (..., k). NaN where undefined."""


def same_length(answers: Sequence[str], references: References) -> None:
    """Refuse what zip() would silently cut: sacrebleu scores two answers against one reference as 100."""
    if len(answers) != len(references):
        raise ValueError(f"{len(answers)} answers, but references for {len(references)}")
