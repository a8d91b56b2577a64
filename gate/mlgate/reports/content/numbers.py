"""The numbers of a report as people read them, put together from measurements, deltas and findings."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from dataclasses import dataclass

from mlgate.core.metric import Better, Metric
from mlgate.core.outcome import Outcome, worst
from mlgate.core.report import Report
from mlgate.core.verdict import Delta, Finding, Measurement

SYMBOLS = {
    Outcome.PASSED: "✓",
    Outcome.WARNED: "!",
    Outcome.INCONCLUSIVE: "?",
    Outcome.ERRORED: "⊘",
    Outcome.FAILED: "✗",
}
"""One character an outcome, so that no reader needs colours."""

NO_NUMBER = "\N{EN DASH}"
"""Stands where there is no number."""

_WIDEST = 12
"""Characters of a number in a table: 1e300 points would take 304."""

_FACTORS = frozenset({"ms", "1/s"})
"""Units of times and rates."""

_MANIFOLD = 10
"""From eleven times as much on, tenths of a percent are no matter."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One measurement of the candidate, with what it is compared with and what was concluded."""

    measured: Measurement
    before: Measurement | None
    delta: Delta | None
    findings: tuple[Finding, ...]

    def told(self, most: int = 6) -> tuple[Finding, ...]:
        """Return the first *most* findings, worst first: what a cell of a table can hold."""
        return self.findings[:most]

    @property
    def judged(self) -> bool:
        """Whether a rule is about this number."""
        return bool(self.findings)

    @property
    def outcome(self) -> Outcome:
        """Return the worst that was concluded; PASSED where no rule asks."""
        return worst(f.outcome for f in self.findings) if self.findings else Outcome.PASSED

    @property
    def value(self) -> str:
        """Return the candidate's value."""
        return self._show(self.measured.value)

    @property
    def interval(self) -> str:
        """Return the candidate's 95 % interval, `[low, high]`; empty without one."""
        return self._interval(self.measured.low, self.measured.high)

    @property
    def baseline(self) -> str:
        """Return the baseline's value."""
        return self._show(self.before.value) if self.before else NO_NUMBER

    @property
    def change(self) -> str:
        """Return candidate minus baseline, signed; from the paired delta where there is one. Of times in percent."""
        if self.delta is not None:
            return self._change_text(self.delta.value)
        if self.before is None or self.before.signature != self.measured.signature or not self._has_same_examples:
            return NO_NUMBER
        moved, base = self.measured.value - self.before.value, self.before.value
        return percent(moved / base) if self._is_time_or_rate and base > 0 else self._show(moved, signed=True)

    @property
    def change_interval(self) -> str:
        """Return the interval of the change at the rule's confidence; empty without one."""
        if self.delta is None or self.delta.identical:
            return ""
        ends = self.delta.possible(self.measured.metric)
        return f"[{', '.join(map(self._change_text, ends))}]" if all(map(math.isfinite, ends)) else ""

    @property
    def gain(self) -> float:
        """Return the change in widths of its interval, positive for better: slices' order. 0 where unknown."""
        if self.delta is None:
            return 0.0
        sign = 1.0 if self.measured.metric.better is Better.HIGHER else -1.0
        half = self.delta.alone.half
        gain = sign * self.delta.value / half if half > 0 else 0.0
        return gain if math.isfinite(gain) else 0.0

    @property
    def _has_same_examples(self) -> bool:
        """Whether both values are of the same examples: where the data moved, the baseline's is of the common ones."""
        return self.before is None or self._is_time_or_rate or self.before.n == self.measured.n

    @property
    def _is_time_or_rate(self) -> bool:
        """Whether it is a time or a rate: those differ by factors, and a difference of them says nothing."""
        return self.measured.metric.unit in _FACTORS

    def _change_text(self, value: float) -> str:
        base = self.delta.base if self.delta is not None else 0.0
        return percent(value / base) if base else self._show(value, signed=True)

    def _interval(self, low: float, high: float) -> str:
        return f"[{self._show(low)}, {self._show(high)}]" if math.isfinite(low) and math.isfinite(high) else ""

    def _show(self, value: float, *, signed: bool = False) -> str:
        return shown(self.measured.metric, value, signed=signed)


def shown(metric: Metric | None, value: float, *, signed: bool = False) -> str:
    """Return *value* as its metric shows it, in a table's few columns; without a metric in three digits."""
    text = metric.show(value, signed=signed) if metric else ""
    if text and len(text) <= _WIDEST:
        return text
    return f"{value:{'+' if signed else ''}.3g}".replace("-", "\N{MINUS SIGN}")


def percent(share: float) -> str:
    """Return a relative change as people read it: `+5.0%`; a dash for none."""
    if not math.isfinite(share):
        return NO_NUMBER
    text = f"{share * 100:+,.0f}%" if abs(share) >= _MANIFOLD else f"{share * 100:+.1f}%"
    return (text if len(text) <= _WIDEST else f"{share * 100:+.3g}%").replace("-", "\N{MINUS SIGN}")


def figures_of(report: Report) -> tuple[Figures, ...]:
    """Return the figures of every measurement, in the report's order."""
    before = {(m.check, m.name, m.slice): m for m in report.before}
    about: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in report.findings:
        about.setdefault((finding.check, finding.rule.metric, finding.slice), []).append(finding)
    figures = []
    for measured in report.measurements:
        key = (measured.check, measured.name, measured.slice)
        findings = about.pop(key, [])  # of twins, which no gate writes, the first has them: each is shown once
        delta = next((f.delta for f in findings if f.delta is not None), None)
        known = before.get(key) or next((f.baseline for f in findings if f.baseline is not None), None)
        figures.append(Figures(measured, known, delta, tuple(findings)))
    return tuple(figures)


def whole_checks(figures: Sequence[Figures], told: Container[tuple[str, str]] = ()) -> list[Figures]:
    """Return the figures of whole checks, in the report's order. *told*: check and metric of what another table has."""
    return [f for f in figures if not f.measured.slice and (f.measured.check, f.measured.name) not in told]


def worst_slices(figures: Sequence[Figures]) -> list[Figures]:
    """Return the figures of slices: worst outcome first, then what lost most; what no rule judges last, by size."""
    sliced = [f for f in figures if f.measured.slice]
    judged = sorted((f for f in sliced if f.judged), key=lambda f: (-f.outcome, f.gain))
    return judged + sorted((f for f in sliced if not f.judged), key=lambda f: -f.measured.n)


def counted(findings: Sequence[Finding]) -> str:
    """Return how many findings came out how, worst first: `1 failed, 2 passed`."""
    numbers = dict.fromkeys(sorted(Outcome, reverse=True), 0)
    for finding in findings:
        numbers[finding.outcome] += 1
    return ", ".join(f"{n:,} {outcome.name.lower()}" for outcome, n in numbers.items() if n)
