"""Recorded: numbers that the user's own pytest tests record through the `gate` fixture, one row an example."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from mlgate.core.check import Check, Example, MetricChoice
from mlgate.core.evidence import Gap, Observation, Row
from mlgate.core.metric import Better, Metric
from mlgate.core.ports import Model, Reading
from mlgate.core.stats.jackknife import Statistics, Unscored, quotient


class RecordedKind:
    """The mean of what the user's tests recorded for each metric that the check declares."""

    name = "recorded"
    together = True

    def observe(self, check: Check, examples: Sequence[Example], model: Model) -> Iterator[Row]:  # noqa: ARG002
        """Yield a gap an example: only the user's tests can record these rows (the model is not asked)."""
        for example in examples:
            yield Gap(check.id, example.id, "no test recorded it: `gate.record` was not called for this example")

    def read(self, check: Check, rows: Mapping[str, Row]) -> Reading:  # noqa: ARG002 - other kinds need it
        """Return the rows as they are."""
        return Reading(rows)

    def holes(self, check: Check, reading: Reading) -> Mapping[str, str]:
        """Return the examples that no test recorded, or recorded without a declared metric."""
        found = {}
        for example, row in reading.rows.items():
            if isinstance(row, Gap):
                found[example] = row.why
                continue
            absent = [choice.name for choice in check.metrics if not isinstance(row.seen.get(choice.name), int | float)]
            if absent:
                found[example] = f"its test recorded no number for {', '.join(absent)}"
        return found

    def score(self, check: Check, reading: Reading) -> Sequence[Statistics | Unscored]:
        """Average each declared metric over the examples."""
        rows = [reading.rows[example.id] for example in check.examples]
        return [_mean(choice, rows) for choice in check.metrics]

    def answers(self, check: Check, reading: Reading) -> Mapping[str, Row]:  # noqa: ARG002 - other kinds need it
        """Return the rows: each is an example's own."""
        return reading.rows

    def show(self, row: Row) -> str:
        """Return the recorded numbers."""
        if isinstance(row, Gap):
            return ""
        return ", ".join(f"{name} {value}" for name, value in sorted(row.seen.items()))


def _mean(choice: MetricChoice, rows: Sequence[Row]) -> Statistics:
    metric = Metric(choice.name, str(choice.options.get("unit", "")), Better(choice.options.get("better", "higher")))
    values = [float(row.seen[choice.name]) for row in rows if isinstance(row, Observation)]
    table = np.column_stack([np.asarray(values, float), np.ones(len(values))])
    return Statistics(choice.name, metric, f"{choice.name}|mean|recorded", table, quotient)
