"""The terminal report's tables: what was measured on whole checks, and on slices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlgate.core.outcome import Outcome
from mlgate.core.report import Report
from mlgate.reports.content import latency, text_width
from mlgate.reports.content.escape import terminal
from mlgate.reports.content.numbers import Figures, figures_of, whole_checks, worst_slices
from mlgate.reports.terminal.latency import LOADS, ROWS
from mlgate.reports.terminal.page import TerminalPage

_SLICES = 10
"""Rows of the slices' table."""

_CHECKS = 60
"""Rows of the whole checks' table."""

_USUAL_CONFIDENCE = 0.95

_HEADER = ("metric", "candidate", "baseline", "change", "rule")
_RIGHT = frozenset({1, 2, 3})

_SLICE_RIGHT = (2, 4, 5, 6)
_LEAVE_OUT = (frozenset[int](), frozenset({5}), frozenset({5, 7}), frozenset({2, 4, 5, 7}))
"""Columns of the slices' table that go first when the page is narrow: baseline, interval, count, candidate."""


def measured(report: Report, page: TerminalPage) -> list[str]:
    """Return the whole checks' numbers: intervals stand under their values, a metric's rules under each other.

    Times that have their row under LATENCY are not repeated.
    """
    figures = whole_checks(figures_of(report), latency.told(report, LOADS, ROWS))
    if not figures:
        return []
    rows = [list(_HEADER)]
    several = len({f.measured.check for f in figures}) > 1
    for f in figures[:_CHECKS]:
        rows.extend(_cells(f, page, with_check=several))
    lines = text_width.table(rows, _RIGHT)
    if text_width.table_width(rows) > page.width:
        lines = list(_blocks(figures[:_CHECKS], page, with_check=several))
    if len(figures) > _CHECKS:
        lines.append(f"and {len(figures) - _CHECKS:,} more")
    usual = all(f.rule.confidence == _USUAL_CONFIDENCE for f in report.findings if f.delta)
    legend = "95% intervals in brackets" if usual else "intervals in brackets, of changes at the rule's confidence"
    return [*text_width.hang(page.heading("MEASURED"), text_width.wrap(legend, page.width - 10), 10), *lines]


def _name(f: Figures, most: int, *, with_check: bool) -> str:
    name = f"{f.measured.check}/{f.measured.name}" if with_check else f.measured.name
    return text_width.cut(terminal(name, 120), most)


def _rules(f: Figures, page: TerminalPage) -> list[str]:
    return [f"{page.mark(x.outcome)} {x.rule.limit_text}" for x in f.told()]


def _cells(f: Figures, page: TerminalPage, *, with_check: bool) -> Iterator[list[str]]:
    rules = _rules(f, page)
    yield [_name(f, 20, with_check=with_check), f.value, f.baseline, f.change, rules[0] if rules else ""]
    intervals = ["", page.faint(f.interval), "", page.faint(f.change_interval)]
    for index in range(1, max(2, len(rules))):
        cells = intervals if index == 1 else [""] * 4
        row = [*cells, rules[index] if index < len(rules) else ""]
        if any(row):
            yield row


def _blocks(figures: Sequence[Figures], page: TerminalPage, *, with_check: bool) -> Iterator[str]:
    """Yield the same numbers below each other, for narrow terminals."""
    for f in figures:
        yield f"{_name(f, page.width - 2, with_check=with_check)}"
        yield from _flow([f.value, page.faint(f.interval)], page)
        if f.before:
            yield from _flow([f"was {f.baseline},", f.change, page.faint(f.change_interval)], page)
        yield from _flow(_rules(f, page), page)


def _flow(pieces: Sequence[str], page: TerminalPage) -> Iterator[str]:
    """Yield painted *pieces* on as few indented lines as they need; none is folded."""
    line = ""
    for piece in filter(None, pieces):
        if line and text_width.width(line) + 1 + text_width.width(piece) > page.width:
            yield line
            line = ""
        line = f"{line} {piece}" if line else f"  {piece}"
    if line:
        yield line


def slices(report: Report, page: TerminalPage) -> list[str]:
    """Return the slices that came out worst, in as many columns as the page has room for."""
    figures = worst_slices(figures_of(report))
    if not figures:
        return []
    told = sum(1 for f in figures if f.outcome is not Outcome.PASSED)
    most = _SLICES if told else _SLICES // 2
    lines = _slice_table(figures[:most], page, with_check=len({f.measured.check for f in figures}) > 1)
    if len(figures) > most:
        lines.append(f"  and {len(figures) - most:,} more{_rest(figures[most:])}")
    order = "worst first" if figures[0].judged else "largest first, none judged alone"
    return [f"{page.heading('SLICES')}  {order}", *lines]


def _rest(figures: Sequence[Figures]) -> str:
    """Say what became of the slices that are left out."""
    told = sum(1 for f in figures if f.outcome is not Outcome.PASSED)
    if told:
        return f", {told:,} of them did not pass"
    alone = sum(1 for f in figures if f.judged)
    return ", all passed" if alone == len(figures) else f", {alone:,} of them judged alone and passed" if alone else ""


def _slice_table(figures: Sequence[Figures], page: TerminalPage, *, with_check: bool) -> list[str]:
    rows = [["", "slice", "n", "metric", "candidate", "baseline", "change", ""]]
    for f in figures:
        name = f"{f.measured.check} {f.measured.slice}" if with_check else f.measured.slice
        metric = text_width.cut(terminal(f.measured.name, 60), 16)
        numbers = [f"{f.measured.n:,}", metric, f.value, f.baseline, f.change, f.change_interval]
        rows.append([page.mark(f.outcome) if f.judged else " ", text_width.cut(terminal(name, 120), 40), *numbers])
    for columns_left_out in _LEAVE_OUT:
        kept = [i for i in range(len(rows[0])) if i not in columns_left_out]
        chosen = [[row[i] for i in kept] for row in rows]
        right = frozenset(kept.index(i) for i in _SLICE_RIGHT if i in kept)
        over = text_width.table_width(chosen) - page.width
        if over <= 0:
            return text_width.table(chosen, right)
    room = max(4, max(text_width.width(row[1]) for row in rows) - over)
    return text_width.table([[row[0], text_width.cut(row[1], room), *row[2:]] for row in chosen], right)
