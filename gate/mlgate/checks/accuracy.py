"""Accuracy: ask the model for one text an example, and score the texts against references."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from mlgate.core.check import Check, Example, MetricChoice
from mlgate.core.errors import GateError
from mlgate.core.evidence import FINISH, Gap, Observation, Row
from mlgate.core.metric import ERROR_RATE
from mlgate.core.ports import Answer, Failure, Model, Reading, text_of
from mlgate.core.stats.jackknife import Statistics, Unscored, quotient
from mlgate.metrics import filters
from mlgate.metrics.by_field import scoring


class AccuracyKind:
    """One answer an example. A failure is a gap, unless the check measures `error_rate`: then it scores as ``""``."""

    name = "accuracy"
    together = False

    def observe(self, check: Check, examples: Sequence[Example], model: Model) -> Iterator[Row]:
        """Yield one row an example. An exception of the adapter is a gap of what it had not answered."""
        asked = iter(examples)
        try:
            for example, answer in zip(asked, model.answer(examples), strict=False):
                yield _row(check, example, answer)
        except GateError as error:
            why = str(error)
        else:
            why = "the model's adapter gave fewer answers than it was asked for"
        for example in asked:
            yield Gap(check.id, example.id, why)

    def read(self, check: Check, rows: Mapping[str, Row]) -> Reading:  # noqa: ARG002 - other kinds need it
        """Return the rows as they are."""
        return Reading(rows)

    def holes(self, check: Check, reading: Reading) -> Mapping[str, str]:
        """Return the examples without a usable answer.

        A failure is tolerated where a rule holds the error rate and an empty answer would be wrong.
        """
        rates = {choice.name for choice in check.metrics if choice.kind == ERROR_RATE.name}
        tolerant = any(rule.metric in rates and not rule.slice_by for rule in check.rules)
        answerable = {example.id for example in check.examples if tolerant and _has_an_answer(check, example)}
        found = {}
        for example, row in reading.rows.items():
            if isinstance(row, Gap):
                if not (tolerant and row.blame == "model" and example in answerable):
                    found[example] = row.why
            elif not isinstance(row.seen.get("answer"), str):
                found[example] = "its row holds no answer"
        return found

    def score(self, check: Check, reading: Reading) -> Sequence[Statistics | Unscored]:
        """Score every metric of the check. What a metric refuses to score (a text too long) is Unscored."""
        rows = [reading.rows[example.id] for example in check.examples]
        answers, failed = [self.show(row) for row in rows], [isinstance(row, Gap) for row in rows]
        return [_score(choice, answers, failed, check.examples) for choice in check.metrics]

    def answers(self, check: Check, reading: Reading) -> Mapping[str, Row]:  # noqa: ARG002 - other kinds need it
        """Return the rows: each is an example's own."""
        return reading.rows

    def show(self, row: Row) -> str:
        """Return the answer; nothing for a failure."""
        return str(row.seen.get("answer", "")) if isinstance(row, Observation) else ""


def _has_an_answer(check: Check, example: Example) -> bool:
    """Return whether an empty answer is wrong, however a metric's filters leave the references."""
    ways = {str(choice.filters): choice.filters for choice in check.metrics}
    compared = (filters.references(filters.build(written), example.references) for written in ways.values())
    return all(text.strip() for references in (example.references, *compared) for text in references)


def _row(check: Check, example: Example, answer: str | Answer | Failure) -> Row:
    if isinstance(answer, Failure):
        return Gap(check.id, example.id, answer.why, answer.blame)
    more = {FINISH: answer.finish} if isinstance(answer, Answer) and answer.finish else {}
    return Observation(check.id, example.id, {"answer": text_of(answer), **more})


def _score(
    choice: MetricChoice, answers: Sequence[str], failed: Sequence[bool], examples: Sequence[Example]
) -> Statistics | Unscored:
    if choice.kind == ERROR_RATE.name:
        rows = np.column_stack([np.asarray(failed, float), np.ones(len(failed))])
        return Statistics(choice.name, ERROR_RATE, "error_rate", rows, quotient)
    how = scoring(choice.kind, choice.options, choice.filters)
    try:
        statistics = how.statistics(answers, examples)
    except ValueError as error:
        return Unscored(choice.name, str(error))
    return Statistics(choice.name, how.metric, how.signature(examples), statistics, how.value)
