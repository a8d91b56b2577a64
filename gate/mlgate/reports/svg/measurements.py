"""What was measured as a picture: whether an interval clears its limit is seen before a number is read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from mlgate.core.check import Bound, Rule
from mlgate.core.report import Report
from mlgate.core.verdict import Measurement
from mlgate.reports.content.numbers import Figures, shown
from mlgate.reports.svg import marks as svg
from mlgate.reports.svg.rows import ChartRow, rows_of
from mlgate.reports.svg.scale import Scale

_CHECKS = 60
_SLICES = 20

_NAME, _NAMES = svg.PICTURE_MARGIN, 168
_PLOT, _PLOTS = 208, 260
_VALUE, _VALUES = 486, 136
_SAID, _SAYS = 634, 108
"""Left edge and width of each column."""

_SAMPLE = 104
"""From one sample of the legend to the next."""

_TOP = 66
_ROW = 54
_NOTE = 34
"""Height of a heading between rows, and of what is said of rows that are left out."""
_FIRST, _SECOND = 25, 41
"""Where in its row the lines of text stand."""
_TRACK = 28
_BAND = 16
_SMALL = 10
"""The size of what is written at a scale."""


def measurements(report: Report) -> str:
    """Return one row a metric of a whole check, then those slices that a rule judges; each on a scale of its own."""
    whole, slices = rows_of(report)
    if len(whole) > _CHECKS:
        whole.sort(key=lambda row: row.rank)
    body = [*_head(report), *_legend([row for row in (*whole, *slices) if row.scale])]
    y = float(_TOP)
    if not whole and not slices:
        body.append(svg.words(_NAME, y + 20, "nothing was measured", _NAMES, fill=svg.FAINT))
        y += _NOTE
    for heading, rows, most in (("", whole, _CHECKS), ("slices, worst first", slices, _SLICES)):
        if heading and rows:
            body += [_rule_off(y), svg.words(_NAME, y + 23, heading, _NAMES, fill=svg.FAINT, bold=True)]
            y += _NOTE
        for row in rows[:most]:
            body += [_rule_off(y), *svg.group(row.told, _row(row, y))]
            y += _ROW
        if rows[most:]:
            body += [_rule_off(y), svg.words(_NAME, y + 22, _left_out(rows[most:]), 600, fill=svg.FAINT)]
            y += _NOTE
    return svg.picture(f"{report.model}: {report.outcome.name.lower()}", y + 8, body)


def _rule_off(y: float) -> str:
    return svg.line(_NAME, y + 0.5, svg.PICTURE_WIDTH - svg.PICTURE_MARGIN, y + 0.5)


def _left_out(rows: Sequence[ChartRow]) -> str:
    """Say how many rows are not shown, and that none of them is worse than it may look."""
    words = [row.verdict for row in sorted(rows, key=lambda row: row.rank)]
    return f"and {len(rows):,} more: {', '.join(f'{words.count(word):,} {word}' for word in dict.fromkeys(words))}"


def _head(report: Report) -> Iterator[str]:
    yield svg.name(_NAME, 31, report.model, _SAID - _NAME - 16, size=15, bold=True)
    yield svg.stamp(_SAID, 31, report.outcome, _SAYS)


def _legend(rows: Sequence[ChartRow]) -> Iterator[str]:
    """Yield a sample of each mark that some row has."""
    if not rows:
        return
    x, y = _NAME, 50
    yield from (*svg.whisker(x + 1, x + 31, y - 4), svg.candidate(x + 16, y - 4))
    yield svg.words(x + 39, y, "candidate, 95% interval", _NAMES, size=11, fill=svg.FAINT)
    x = _PLOT
    if any(math.isfinite(row.baseline) for row in rows):
        yield svg.baseline(x + 7, y - 4)
        yield svg.words(x + 22, y, "baseline", _PLOTS, size=11, fill=svg.FAINT)
        x += _SAMPLE
    if any(row.limits for row in rows):
        yield from (svg.block(x, y - 11, 14, 14, svg.BEYOND), svg.line(x + 14, y - 12, x + 14, y + 4, svg.INK, thick=2))
        yield svg.words(x + 22, y, "limit, and what breaks it", _PLOTS, size=11, fill=svg.FAINT)


def _row(row: ChartRow, y: float) -> Iterator[str]:
    title, place = (row.slice, f"{row.check} · {row.metric}") if row.slice else (row.metric, row.check)
    yield svg.name(_NAME, y + _FIRST, title, _NAMES, size=13)
    yield svg.name(_NAME, y + _SECOND, place, _NAMES, size=11, fill=svg.FAINT)
    scale = row.scale
    if row.figures and scale:
        yield from _limits(row.limits, scale, y)
        yield from _marks(row.figures.measured, row.baseline, scale, y + _TRACK)
    else:
        why = "cannot be drawn" if row.figures else "no measurement"
        yield svg.words(_PLOT, y + _TRACK + 4, why, _PLOTS, fill=svg.FAINT)
    if row.figures:
        yield from _numbers(row.figures, y)
    if row.worst:
        yield svg.stamp(_SAID, y + _FIRST, row.worst.outcome, _SAYS)
        yield svg.words(_SAID, y + _SECOND, row.worst.rule.limit_text, _SAYS, size=11, fill=svg.FAINT)
    else:
        yield svg.words(_SAID, y + _FIRST, row.verdict, _SAYS, fill=svg.FAINT)


def _numbers(figures: Figures, y: float) -> Iterator[str]:
    yield svg.words(_VALUE, y + _FIRST, figures.value, _VALUES, size=13, bold=True)
    if figures.interval:
        size = 11 if svg.wide(figures.interval, 11) <= _VALUES else _SMALL
        yield svg.words(_VALUE, y + _SECOND, figures.interval, _VALUES, size=size, fill=svg.FAINT)


def _limits(rules: Sequence[Rule], scale: Scale, y: float) -> Iterator[str]:
    """Yield what limits forbid, then their ticks and names; a name that would touch another is left out."""
    for rule in rules:
        x, top = _x(scale, rule.limit), y + _TRACK - _BAND / 2
        left, right = (_PLOT, x) if rule.bound is Bound.MIN else (x, _PLOT + _PLOTS)
        yield svg.block(left, top, right - left, _BAND, svg.BEYOND)
    taken = -math.inf
    for rule in rules:
        x, half = _x(scale, rule.limit), svg.wide(rule.limit_text, _SMALL) / 2
        yield svg.line(x, y + _TRACK - 10, x, y + _TRACK + 9, svg.INK, thick=2)
        middle = min(max(x, _PLOT + half), _PLOT + _PLOTS - half)
        if middle - half > taken:
            yield svg.words(middle, y + 13, rule.limit_text, _PLOTS, size=_SMALL, anchor=svg.MIDDLE)
            taken = middle + half + 4


def _marks(measured: Measurement, before: float, scale: Scale, y: float) -> Iterator[str]:
    right = _PLOT + _PLOTS
    yield svg.line(_PLOT, y, right, y, svg.TRACK, thick=2)
    for x, end, anchor in ((_PLOT, scale.low, svg.START), (right, scale.high, svg.END)):
        yield svg.line(x, y - 4, x, y + 4, svg.TRACK, thick=2)
        text = shown(measured.metric, end)
        yield svg.words(x, y + 20, text, _PLOTS / 2, size=_SMALL, fill=svg.FAINT, anchor=anchor)
    if math.isfinite(before):
        yield svg.baseline(_x(scale, before), y)
    if not (math.isnan(measured.low) or math.isnan(measured.high)):
        low, high = sorted((measured.low, measured.high))
        yield from svg.whisker(_x(scale, low), _x(scale, high), y, ends=(scale.holds(low), scale.holds(high)))
    yield svg.candidate(_x(scale, measured.value), y)


def _x(scale: Scale, value: float) -> float:
    return _PLOT + scale.place(value) * _PLOTS
