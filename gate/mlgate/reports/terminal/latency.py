"""The terminal report's section on timed load: what was sent, percentiles, both sides' histogram, and what to trust."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from mlgate.core.report import LoadSummary, Report
from mlgate.reports.content import text_width
from mlgate.reports.content.escape import CUT, terminal
from mlgate.reports.content.histogram import Histogram, columns_of, histogram, ticks
from mlgate.reports.content.latency import TITLES, PercentileRow, reason, rows, sent, started, trust
from mlgate.reports.content.numbers import NO_NUMBER
from mlgate.reports.terminal.page import TerminalPage

LOADS = 5
ROWS = 40
_TALL = 2
"""Lines of one side's bars."""
_SIDE = 11
"""Columns for a side's name beside its bars."""
_CELL = 2
_DOT = " · "
_LEAVE_OUT = (frozenset[int](), frozenset({3}), frozenset({3, 4}), frozenset({3, 4, 6}))
"""Columns of the table that go first when the page is narrow: the value's interval, the baseline, the change's."""
_MARKED = frozenset({0.5, 0.95, 0.99})


def latency(report: Report, page: TerminalPage) -> list[str]:
    """Return one block a load."""
    if not report.loads:
        return []
    legend = text_width.wrap("in milliseconds, 95% intervals in brackets", page.width - 9)
    lines = text_width.hang(page.heading("LATENCY"), legend, 9)
    blocks = [list(_block(report, load, page)) for load in report.loads[:LOADS]]
    text = [*lines, *(line for index, block in enumerate(blocks) for line in ([""] if index else []) + block)]
    if len(report.loads) > LOADS:
        text.append(f"and {len(report.loads) - LOADS:,} more loads")
    return text


def _block(report: Report, load: LoadSummary, page: TerminalPage) -> Iterator[str]:
    name = text_width.cut(terminal(load.check, 120), page.width // 3)
    indent = text_width.width(name) + text_width.GAP
    yield from text_width.hang(name, text_width.wrap(terminal(sent(load), 400), page.width - indent, most=4), indent)
    outcome, flaw = reason(report, load)
    if flaw:
        why = text_width.wrap(terminal(flaw, 500), page.width - 2, most=8)
        yield from text_width.hang(page.mark(outcome), why, 2)
    yield from _table(rows(report, load, ROWS), page)
    yield from _bars(load, page)
    yield from map(page.faint, _flow(trust(load), page, 8))
    yield from _flow(started(load), page, 3)


def _table(found: Sequence[PercentileRow], page: TerminalPage) -> Iterator[str]:
    if not found:
        return
    compared = any(row.baseline != NO_NUMBER for row in found)
    cells = [["", "", "candidate", "", *(["baseline", "change", ""] if compared else [])]]
    for row in found:
        mark = page.mark(row.outcome) if row.outcome is not None else " "
        name = text_width.cut(terminal(row.name, 20), 8)
        beside = [row.baseline, row.change, page.faint(row.change_interval)] if compared else []
        cells.append([mark, name, row.value, page.faint(row.interval), *beside])
    lines = _fitting(cells, page.width)
    yield lines[0]
    before = "latency"
    for row, line in zip(found, lines[1:], strict=True):
        if row.clock != before:
            yield f"   {text_width.cut(terminal(TITLES.get(row.clock, row.clock) or 'in all', 80), page.width - 3)}"
            before = row.clock
        yield line


def _fitting(cells: list[list[str]], width: int) -> list[str]:
    """Return the table in as many of its columns as there is room for."""
    lines: list[str] = []
    for left_out in _LEAVE_OUT:
        kept = [i for i in range(len(cells[0])) if i not in left_out]
        right = frozenset(kept.index(i) for i in range(2, len(cells[0])) if i in kept)
        lines = text_width.table([[row[i] for i in kept] for row in cells], right)
        if max(map(text_width.width, lines)) <= width:
            break
    return lines


def _bars(load: LoadSummary, page: TerminalPage) -> Iterator[str]:
    shown = histogram(load, page.width - _SIDE)
    if shown is None:
        return
    cell = max(1, min(_CELL, (page.width - _SIDE) // len(shown.candidate)))
    marked = [one for one in load.percentiles if one.clock == "latency" and one.quantile in _MARKED]
    yield from _side("candidate", columns_of(shown.candidate, shown.most, _TALL, cell))
    yield from _side("", [_marks(shown, cell, {one.quantile: one.value for one in marked})])
    if shown.baseline:
        lines = columns_of(shown.baseline, shown.most, _TALL, cell)
        lines.append(_marks(shown, cell, {one.quantile: one.baseline for one in marked}))
        yield from map(page.faint, _side("baseline", lines))
    yield from map(page.faint, _side("ms", _axis(shown, cell)))


def _side(name: str, lines: Sequence[str]) -> Iterator[str]:
    """Yield *lines* with a name before the second one, which is where bars stand on."""
    for index, line in enumerate(lines):
        if line:
            yield f"{text_width.pad(name if index == 1 else '', _SIDE)}{line}"


def _marks(shown: Histogram, cell: int, percentiles: Mapping[float, float]) -> str:
    """Return a line that points at percentiles of one side; nearly equal ones leave no room for the later."""
    places = [
        (shown.place(time) * cell, f"▲p{quantile * 100:g}")
        for quantile, time in percentiles.items()
        if math.isfinite(time) and time > 0
    ]
    return _placed_texts(places, len(shown.candidate) * cell)


def _axis(shown: Histogram, cell: int) -> list[str]:
    wide = len(shown.candidate) * cell
    line, places = ["─"] * wide, []
    for time, name in ticks(shown):
        at = min(wide - 1, int(shown.place(time) * cell))
        line[at] = "┬"
        places.append((at - (len(name) - 1) // 2, name))
    return ["".join(line), _placed_texts(places, wide)]


def _placed_texts(places: Iterable[tuple[float, str]], wide: int) -> str:
    """Write each text at its column into a line of *wide* columns; what would touch another is left out."""
    line = ""
    for at, text in sorted(places):
        start = int(min(max(0.0, at), wide - len(text)))
        if start >= len(line) + (1 if line else 0):
            line += " " * (start - len(line)) + text
    return line


def _flow(pieces: Iterable[str], page: TerminalPage, most: int) -> Iterator[str]:
    """Yield *pieces* with dots between them on at most *most* lines; only one that is too long for a line is folded."""
    lines: list[str] = []
    for text in pieces:
        if len(lines) > most:
            break
        piece = terminal(text, 120)
        joined = f"{lines[-1]}{_DOT}{piece}" if lines else piece
        if lines and text_width.width(joined) <= page.width:
            lines[-1] = joined
        else:
            lines += text_width.wrap(piece, page.width)
    if len(lines) > most:
        lines[most - 1] = f"{text_width.cut(lines[most - 1], page.width - 2)} {CUT}"
    yield from lines[:most]
