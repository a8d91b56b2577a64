"""A rollout as a picture: the candidate's share of the traffic, and below it both models' errors and times."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mlgate.core.deploy.story import RolloutStory, coarse
from mlgate.core.deploy.traffic import TrafficCounts, latencies
from mlgate.core.outcome import Outcome
from mlgate.reports.content import text_width
from mlgate.reports.content.escape import terminal
from mlgate.reports.content.openings import OPENINGS
from mlgate.reports.svg import marks as svg

_LEFT, _WIDE = 76, 560
_LEGEND = _LEFT + _WIDE + 16
_LEGENDS = svg.PICTURE_WIDTH - _LEGEND - 8
_TALL = 84
_GAP = 34
_THIN = 5
_TOP = 96
_PROSE = 104
_LINES = 3
_LINE = 15
_SMALL = 10
_WINDOWS = 60
_P95 = 0.95
_WHOLE = svg.PICTURE_WIDTH - 2 * svg.PICTURE_MARGIN


@dataclass(frozen=True, slots=True)
class _Points:
    """One model's numbers over time, in pieces: where it was not measured, the line is broken."""

    pieces: tuple[tuple[tuple[float, float], ...], ...]
    """Seconds after the rollout began, and the number."""

    @property
    def most(self) -> float:
        return max((value for piece in self.pieces for _, value in piece), default=0.0)


def rollout(story: RolloutStory) -> str:
    """Return the picture. Its first line says how it ended, the text below why."""
    outcome = Outcome.PASSED if story.is_promoted else Outcome.FAILED
    word = "promoted" if story.is_promoted else "rolled back"
    body = [
        svg.name(svg.PICTURE_MARGIN, 31, f"{story.service}: {word}", _WHOLE, size=15, bold=True),
        svg.stamp(svg.PICTURE_WIDTH - svg.PICTURE_MARGIN - 90, 31, outcome, 90),
    ]
    y = 50.0
    for text in text_width.wrap(terminal(story.deciding.why), _PROSE, _LINES):
        body.append(svg.name(svg.PICTURE_MARGIN, y, text, _WHOLE, size=11, fill=svg.FAINT))
        y += _LINE
    span, top = max(story.seconds, 1.0), float(_TOP)
    body += [*_weights(story, span, top), *_frame("traffic of the candidate", "100 %", top)]
    for title, unit, least, value in (
        ("requests that failed", "%", 1.0, _failed),  # less than a hundredth must not look like a mountain
        ("p95", "ms", 1e-9, _p95(story.traffic.edges_ms)),
    ):
        sides = [_points(story, value, of) for of in ("candidate", "stable")]
        if not any(side.pieces for side in sides):
            continue
        top += _TALL + _GAP
        most = max(*(side.most for side in sides), least)
        body += [*_lines(sides, span, most, top), *_frame(title, f"{most:.3g} {unit}", top)]
    body += [*_axis(span, top + _TALL), *_legend()]
    return svg.picture(f"{story.service}: {word}", top + _TALL + 34, body)


def _frame(title: str, most: str, top: float) -> Iterator[str]:
    yield svg.line(_LEFT, top + 0.5, _LEFT + _WIDE, top + 0.5, dash="2 3")
    yield svg.line(_LEFT, top + _TALL + 0.5, _LEFT + _WIDE, top + _TALL + 0.5, svg.AXIS)
    yield svg.words(_LEFT, top - 6, title, _WIDE, size=11, bold=True)
    yield svg.words(_LEFT - 6, top + 8, most, _LEFT - 10, size=_SMALL, fill=svg.FAINT, anchor=svg.END)
    yield svg.words(_LEFT - 6, top + _TALL, "0", _LEFT, size=_SMALL, fill=svg.FAINT, anchor=svg.END)


def _weights(story: RolloutStory, span: float, top: float) -> Iterator[str]:
    for one in story.weights:
        left, right = _x(one.begin, span), _x(one.end, span)
        tall = one.weight / 100 * _TALL
        if one.opening:
            text = OPENINGS[one.opening]
            thin = svg.block(left, top + _TALL - _THIN, max(1.0, right - left), _THIN, svg.FAINT)
            yield from svg.group([f"{text} for {one.end - one.begin:.0f} s"], [thin])
            if svg.wide(text, _SMALL) < right - left:
                yield svg.words(left, top + _TALL - _THIN - 4, text, right - left, size=_SMALL, fill=svg.FAINT)
        elif one.weight:
            yield from svg.group(
                [f"{one.weight} % for {one.end - one.begin:.0f} s"],
                [svg.block(left, top + _TALL - tall, max(1.0, right - left), tall, svg.BAR)],
            )


def _lines(sides: Sequence[_Points], span: float, most: float, top: float) -> Iterator[str]:
    for side, stroke in zip(reversed(sides), (svg.BASELINE, svg.CANDIDATE), strict=True):
        for piece in side.pieces:
            places = [(_x(at, span), top + _TALL - value / most * (_TALL - 4)) for at, value in piece]
            yield svg.path(places if len(places) > 1 else [*places, (places[0][0] + 2, places[0][1])], stroke)


def _axis(span: float, y: float) -> Iterator[str]:
    for part in (0.0, 0.25, 0.5, 0.75, 1.0):
        x, seconds = _LEFT + part * _WIDE, part * span
        text = f"{seconds:.0f} s" if span < 600 else f"{seconds / 60:.0f} min"  # noqa: PLR2004 - ten minutes
        yield svg.line(x, y, x, y + 4, svg.AXIS)
        yield svg.words(x, y + 16, text, 80, size=_SMALL, fill=svg.FAINT, anchor=svg.MIDDLE)


def _legend() -> Iterator[str]:
    for y, stroke, text in ((_TOP + 4, svg.CANDIDATE, "candidate"), (_TOP + 24, svg.BASELINE, "what served")):
        yield svg.line(_LEGEND, y, _LEGEND + 16, y, stroke, thick=2)
        yield svg.words(_LEGEND + 20, y + 4, text, _LEGENDS - 20, size=11, fill=svg.FAINT)


def _points(story: RolloutStory, value: Callable[[TrafficCounts], float], of: str) -> _Points:
    pieces: list[list[tuple[float, float]]] = [[]]
    for window in coarse(story.traffic.windows, _WINDOWS):
        side = window.candidate if of == "candidate" else window.stable
        found = value(side) if side is not None and side.requests else math.nan
        if math.isfinite(found):
            pieces[-1].append((window.at - window.seconds / 2 - story.rollout.began, found))
        elif pieces[-1]:
            pieces.append([])
    return _Points(tuple(tuple(piece) for piece in pieces if piece))


def _failed(side: TrafficCounts) -> float:
    return 100 * side.errors / side.requests


def _p95(edges: Sequence[float]) -> Callable[[TrafficCounts], float]:
    """Return what reads a p95 of one window: where it lies in its bucket nobody knows, so evenly."""
    return lambda side: latencies(edges, [side]).quantile(_P95)[0] if edges else math.nan


def _x(seconds: float, span: float) -> float:
    return _LEFT + min(max(seconds / span, 0.0), 1.0) * _WIDE
