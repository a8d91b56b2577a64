"""Which rows a picture of measurements has, in which order, and what is drawn of each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mlgate.core.check import Rule
from mlgate.core.report import Report
from mlgate.core.verdict import Finding
from mlgate.reports.content.numbers import Figures, figures_of, whole_checks, worst_slices
from mlgate.reports.svg.scale import Scale, scale_of

_TOLD = 6
"""Findings whose sentences are told of one row."""
_Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class ChartRow:
    """One metric of one check or slice. Without figures it has rules, and could not be measured."""

    check: str
    metric: str
    slice: str
    figures: Figures | None
    findings: tuple[Finding, ...]

    @property
    def worst(self) -> Finding | None:
        """Return the finding that speaks for the row; None where no rule asks."""
        return max(self.findings, key=lambda finding: finding.outcome, default=None)

    @property
    def rank(self) -> int:
        """Return what worst-first is sorted by, ascending."""
        return -self.worst.outcome if self.worst else 1

    @property
    def verdict(self) -> str:
        """Return its outcome as a word."""
        return self.worst.outcome.name.lower() if self.worst else "not judged"

    @property
    def told(self) -> Iterator[str]:
        """Yield its whole name, then what its rules say."""
        yield f"{self.check} {f'[{self.slice}] ' if self.slice else ''}{self.metric}"
        for finding in self.findings[:_TOLD]:
            yield f"{finding.outcome.name.lower()}: {finding.why}"

    @property
    def limits(self) -> list[Rule]:
        """Return the rules about the value itself, by their limits: one of each."""
        rules = {
            (finding.rule.limit, finding.rule.bound.value): finding.rule
            for finding in self.findings
            if not finding.rule.bound.compares and math.isfinite(finding.rule.limit)
        }
        return [rules[key] for key in sorted(rules)]

    @property
    def baseline(self) -> float:
        """Return the baseline's value; NaN without one that may stand beside the candidate's."""
        before = self.figures.before if self.figures else None
        same = before and self.figures and before.signature == self.figures.measured.signature
        return before.value if before and same else math.nan

    @property
    def scale(self) -> Scale | None:
        """Return a scale with all that is drawn; None for what cannot be."""
        measured = self.figures.measured if self.figures else None
        if measured is None or not math.isfinite(measured.value):
            return None
        limits = (rule.limit for rule in self.limits)
        return scale_of(measured.metric, (measured.value, measured.low, measured.high, self.baseline, *limits))


def rows_of(report: Report) -> tuple[list[ChartRow], list[ChartRow]]:
    """Return the rows of whole checks in the report's order, and of slices that a rule judges, worst first.

    What rules asked for in vain stands behind what was measured: a hole is the last thing that may go unseen.
    """
    figures = figures_of(report)
    rows = [
        *_rows_of_measurements(whole_checks(figures)),
        *_rows_of_measurements(f for f in worst_slices(figures) if f.judged),
    ]
    rows += _lost(report, rows)
    return [row for row in rows if not row.slice], sorted((r for r in rows if r.slice), key=lambda row: row.rank)


def _rows_of_measurements(figures: Iterable[Figures]) -> Iterator[ChartRow]:
    for one in figures:
        yield ChartRow(one.measured.check, one.measured.name, one.measured.slice, one, one.findings)


def _lost(report: Report, rows: Iterable[ChartRow]) -> Iterator[ChartRow]:
    known = {(row.check, row.metric, row.slice) for row in rows}
    lost: dict[_Key, list[Finding]] = {}
    for finding in report.findings:
        lost.setdefault((finding.check, finding.rule.metric, finding.slice), []).append(finding)
    for key, findings in lost.items():
        if key not in known:
            yield ChartRow(*key, None, tuple(findings))
