"""How one load's times are spread, as a picture: the histogram, and its percentiles below it on the same axis."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from mlgate.core.metric import Better, Metric
from mlgate.core.outcome import Outcome
from mlgate.core.report import LoadSummary, Percentile
from mlgate.reports.content import text_width
from mlgate.reports.content.escape import terminal
from mlgate.reports.content.histogram import Histogram, histogram, ticks
from mlgate.reports.content.latency import sent
from mlgate.reports.content.numbers import SYMBOLS, shown
from mlgate.reports.svg import marks as svg

_MARKED = (0.5, 0.95, 0.99)
_BINS = 96

_PLOT, _PLOTS = 76, 444
_VALUE, _VALUES = 540, 132
_BEFORE, _BEFORES = 680, 60
"""Left edge and width of the plot, and of the two columns of numbers beside it."""
_WHOLE = svg.PICTURE_WIDTH - 2 * svg.PICTURE_MARGIN

_TOP = 84
_TALL = 160
_TICKS = 22
"""What the times at the axis take."""
_UNDER = 34
"""From the axis to the first percentile."""
_ROW = 42
_TRACK = 20
_LINE = 16
_PROSE = 104
"""Columns of a line of prose."""
_SMALL = 10
_TIME = Metric("", "ms", Better.LOWER)


def latency(load: LoadSummary) -> str:
    """Return both sides' times in the same bins, and below them p50, p95 and p99 with their 95% intervals."""
    body = [
        svg.name(svg.PICTURE_MARGIN, 31, load.check, _WHOLE, size=15, bold=True),
        svg.name(svg.PICTURE_MARGIN, 50, sent(load), _WHOLE, size=11, fill=svg.FAINT),
    ]
    top = float(_TOP)
    for text in _flaw(load):
        body.append(svg.name(svg.PICTURE_MARGIN, top - 8, text, _WHOLE, size=11))
        top += _LINE
    found = _marked_percentiles(load)
    whole = histogram(load, _BINS)
    axis = top + _TALL
    if whole is None:
        axis = top - 10
        body.append(svg.words(_PLOT, axis + 14, "no times to draw", _PLOTS, fill=svg.FAINT))
    else:
        body += [*_bars(whole, top, axis), *_guides(found, whole, top, axis), *_axis(whole, axis), *_legend(whole, top)]
    body += _headings(found, axis + 17)
    y = axis + _UNDER
    for one in found:
        body += [
            svg.line(svg.PICTURE_MARGIN, y + 0.5, svg.PICTURE_WIDTH - svg.PICTURE_MARGIN, y + 0.5),
            *_row(one, whole, y),
        ]
        y += _ROW
    return svg.picture(f"{load.check}: latency", y + 8, body)


def _flaw(load: LoadSummary) -> Sequence[str]:
    said = f"{SYMBOLS[Outcome.INCONCLUSIVE]} no time of it is judged: {load.flaw}"
    return text_width.wrap(terminal(said), _PROSE, 3) if load.flaw else ()


def _marked_percentiles(load: LoadSummary) -> list[Percentile]:
    """Return the percentiles of whole replies that the picture has room for."""
    known = {one.quantile: one for one in reversed(load.percentiles) if one.clock == "latency"}
    return [known[quantile] for quantile in _MARKED if quantile in known]


def _bars(whole: Histogram, top: float, axis: float) -> Iterator[str]:
    """Yield the candidate's bars, with the baseline's outline over them. What is not zero is seen."""
    yield svg.line(_PLOT, top + 0.5, _PLOT + _PLOTS, top + 0.5, dash="2 3")
    yield svg.words(_PLOT, top - 5, f"{whole.most:.1%} of requests", _PLOTS, size=_SMALL, fill=svg.FAINT)
    sides = list(pairwise(_x(whole, edge) for edge in whole.edges))
    for (left, right), share in zip(sides, whole.candidate, strict=True):
        if share > 0:
            tall = _tall(whole, share)
            yield svg.block(left + 0.5, axis - tall, max(1.0, right - left - 1), tall, svg.BAR)
    if whole.baseline:
        outline = [
            (x, axis - _tall(whole, share)) for side, share in zip(sides, whole.baseline, strict=True) for x in side
        ]
        yield svg.path([(_PLOT, axis), *outline, (_PLOT + _PLOTS, axis)], svg.INK)


def _tall(whole: Histogram, share: float) -> float:
    return max(1.0, share / whole.most * _TALL) if share > 0 else 0.0


def _axis(whole: Histogram, y: float) -> Iterator[str]:
    """Yield the axis with the round times that do not touch each other."""
    yield svg.line(_PLOT, y + 0.5, _PLOT + _PLOTS, y + 0.5, svg.AXIS)
    yield svg.words(svg.PICTURE_MARGIN, y + 17, "ms", _PLOT, size=_SMALL, fill=svg.FAINT)
    taken = -math.inf
    for time, text in ticks(whole):
        x, half = _x(whole, time), svg.wide(text, _SMALL) / 2
        middle = min(x, _VALUE - half - 8)
        if middle - half > taken:
            yield svg.line(x, y, x, y + 5, svg.AXIS)
            yield svg.words(middle, y + 17, text, _PLOTS, size=_SMALL, fill=svg.FAINT, anchor=svg.MIDDLE)
            taken = middle + half + 6


def _legend(whole: Histogram, top: float) -> Iterator[str]:
    yield svg.block(_VALUE, top, 14, 12, svg.BAR)
    yield svg.words(_VALUE + 22, top + 10, "candidate", _VALUES, size=11, fill=svg.FAINT)
    if whole.baseline:
        y = top + 32
        yield svg.path([(_VALUE, y), (_VALUE, y - 10), (_VALUE + 14, y - 10), (_VALUE + 14, y)], svg.INK)
        yield svg.words(_VALUE + 22, y - 1, "baseline", _VALUES, size=11, fill=svg.FAINT)


def _headings(found: Sequence[Percentile], y: float) -> Iterator[str]:
    if found:
        yield svg.words(_VALUE, y, "candidate, ms", _VALUES, size=11, fill=svg.FAINT)
    if any(math.isfinite(one.baseline) for one in found):
        yield svg.words(_BEFORE, y, "baseline", _BEFORES, size=11, fill=svg.FAINT)


def _guides(found: Sequence[Percentile], whole: Histogram, top: float, axis: float) -> Iterator[str]:
    """Yield what leads the eye from each percentile's mark up through the bars."""
    for number, one in enumerate(found):
        if _inside(whole, one.value):
            x = _x(whole, one.value)
            for start, end in ((top, axis), (axis + _TICKS, axis + _UNDER + number * _ROW + _TRACK)):
                yield svg.line(x, start, x, end, svg.CANDIDATE, dash="2 2")


def _row(one: Percentile, whole: Histogram | None, y: float) -> Iterator[str]:
    yield svg.words(svg.PICTURE_MARGIN, y + 25, f"p{one.quantile * 100:g}", _PLOT, size=13, bold=True)
    yield svg.words(_VALUE, y + 18, shown(_TIME, one.value), _VALUES, size=13, bold=True)
    if math.isfinite(one.low) and math.isfinite(one.high):
        ends = f"[{shown(_TIME, one.low)}, {shown(_TIME, one.high)}]"
        yield svg.words(_VALUE, y + 34, ends, _VALUES, size=11, fill=svg.FAINT)
    if math.isfinite(one.baseline):
        yield svg.words(_BEFORE, y + 18, shown(_TIME, one.baseline), _BEFORES, size=13, fill=svg.FAINT)
    if whole is not None:
        yield from _marks(one, whole, y + _TRACK)


def _marks(one: Percentile, whole: Histogram, y: float) -> Iterator[str]:
    if _inside(whole, one.baseline):
        yield svg.baseline(_x(whole, one.baseline), y)
    if not (math.isnan(one.low) or math.isnan(one.high)):
        low, high = sorted((one.low, one.high))
        yield from svg.whisker(_x(whole, low), _x(whole, high), y, ends=(_inside(whole, low), _inside(whole, high)))
    if _inside(whole, one.value):
        yield svg.candidate(_x(whole, one.value), y)


def _inside(whole: Histogram, time: float) -> bool:
    return whole.edges[0] <= time <= whole.edges[-1]


def _x(whole: Histogram, time: float) -> float:
    """Return where a time stands; at an end of the axis for what lies beyond it."""
    kept = min(max(time, whole.edges[0]), whole.edges[-1])
    return _PLOT + whole.place(kept) / len(whole.candidate) * _PLOTS
