"""What an answer is an answer to: a mark in its row, by which evidence outlives data that moved a little."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mlgate.core.check import Example, Suite, digest_of
from mlgate.core.evidence import Evidence, Row

_DIGITS = 16
"""Hexadecimal digits of each digest: 64 bits."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What one example asked when it was observed, by digest."""

    input: str
    references: str

    def __str__(self) -> str:
        """Return both as a row has them."""
        return f"{self.input}{self.references}"


def asked(example: Example) -> Asked:
    """Return what an example asks: its input, and the references that its answer is held against."""
    return Asked(digest_of(example.input)[:_DIGITS], digest_of(list(example.references))[:_DIGITS])


def asked_in(row: Row) -> Asked | None:
    """Return what a row answered; None for a row of an older mlgate, and for one that is of no example."""
    if len(row.asked) != 2 * _DIGITS:
        return None
    return Asked(row.asked[:_DIGITS], row.asked[_DIGITS:])


def marked(suite: Suite, evidence: Evidence) -> Evidence:
    """Return the evidence with what each answer is an answer to; a mark that is there stays.

    Checks of timed rounds have no rows of examples.
    """
    marks = {
        (check.id, example.id): str(asked(example))
        for check in suite.checks
        if not check.rounds
        for example in check.examples
    }
    rows = {
        key: replace(row, asked=marks[key]) if key in marks and not row.asked else row
        for key, row in evidence.rows.items()
    }
    return replace(evidence, rows=rows)
