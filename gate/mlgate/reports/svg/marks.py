"""A picture as SVG text: its marks, and the only way by which words get into it.

All is said in attributes: no style sheet, script, link or id. So a picture may stand in a page, beside others, under
any content security policy; and it brings its own paper, for a reader's page may be dark.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from mlgate.core.outcome import Outcome
from mlgate.reports.content import text_width
from mlgate.reports.content.escape import CUT, terminal, xml
from mlgate.reports.content.numbers import SYMBOLS

PICTURE_WIDTH = 760
PICTURE_MARGIN = 24

INK, FAINT, LINE, PAPER = "#1f2328", "#59636e", "#d1d9e0", "#ffffff"
AXIS, TRACK = "#818b98", "#c4ccd5"
CANDIDATE, BASELINE, BAR = "#0969da", "#1f2328", "#80b6f0"
BEYOND = "#ffe3e0"
"""Lies where a limit is broken."""

Anchor = Literal["start", "middle", "end"]
START: Anchor = "start"
MIDDLE: Anchor = "middle"
END: Anchor = "end"

_OUTCOMES = {
    Outcome.PASSED: "#1a7f37",
    Outcome.WARNED: "#8a5d00",
    Outcome.INCONCLUSIVE: "#8250df",
    Outcome.ERRORED: "#cf222e",
    Outcome.FAILED: "#cf222e",
}
_READ_CHARACTERS = 200
"""Characters of a text that are looked at: more fit nowhere."""
_TOLD = 400
"""Of a line that is shown where the pointer rests."""
_BREAK = "\n"
_THIN = frozenset(" ',./:;I\\ijl|")
_NARROW = frozenset("!()-[]frt")
_WIDE = frozenset("%@MWmw")
_SIGNS = frozenset("#&+<=>^~\N{MINUS SIGN}")


def picture(title: str, height: float, body: Iterable[str]) -> str:
    """Return the document: *body* on a card of its own, *title* for those who cannot see it."""
    box = f'width="{PICTURE_WIDTH}" height="{at(height)}"'
    drawn = f'viewBox="0 0 {PICTURE_WIDTH} {at(height)}" role="img" font-family="sans-serif"'
    paper = f'x="0.5" y="0.5" width="{PICTURE_WIDTH - 1}" height="{at(height - 1)}" rx="6"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} {drawn}>',
        _title([title]),
        f'<rect {paper} fill="{PAPER}" stroke="{LINE}"/>',
        *body,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def group(told: Iterable[str], body: Iterable[str]) -> Iterator[str]:
    """Yield *body* as one thing, with the lines of *told* shown where the pointer rests on it."""
    yield "<g>"
    yield _title(told)
    yield from body
    yield "</g>"


def _title(lines: Iterable[str]) -> str:
    return f"<title>{xml(_BREAK.join(terminal(text, _TOLD) for text in lines))}</title>"


def words(
    x: float,
    y: float,
    text: str,
    room: float,
    *,
    size: int = 12,
    fill: str = INK,
    bold: bool = False,
    anchor: Anchor = START,
) -> str:
    """Return *text* on one line at the baseline *y*, cut with … to about *room* pixels: how wide it is, fonts say."""
    weight = ' font-weight="bold"' if bold else ""
    align = "" if anchor == START else f' text-anchor="{anchor}"'
    shown = xml(fitted(terminal(text, _READ_CHARACTERS), room, size))
    return f'<text x="{at(x)}" y="{at(y)}" font-size="{size}" fill="{fill}"{weight}{align}>{shown}</text>'


def name(x: float, y: float, text: str, room: float, *, size: int = 12, fill: str = INK, bold: bool = False) -> str:
    """Return a text of somebody else's like `words`, that cannot leave its box, whatever its letters look like."""
    inside = words(0, size + 2, text, room, size=size, fill=fill, bold=bold)
    return f'<svg x="{at(x)}" y="{at(y - size - 2)}" width="{at(room)}" height="{size + 8}">{inside}</svg>'


def stamp(x: float, y: float, outcome: Outcome, room: float, *, size: int = 12) -> str:
    """Return an outcome as symbol and word; the colour only repeats them."""
    return words(
        x, y, f"{SYMBOLS[outcome]} {outcome.name.lower()}", room, size=size, fill=_OUTCOMES[outcome], bold=True
    )


def line(x1: float, y1: float, x2: float, y2: float, stroke: str = LINE, *, thick: float = 1, dash: str = "") -> str:
    """Return a straight line."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    ends = f'x1="{at(x1)}" y1="{at(y1)}" x2="{at(x2)}" y2="{at(y2)}"'
    return f'<line {ends} stroke="{stroke}" stroke-width="{at(thick)}"{dashed}/>'


def block(x: float, y: float, width: float, height: float, fill: str) -> str:
    """Return a filled rectangle."""
    return f'<rect x="{at(x)}" y="{at(y)}" width="{at(width)}" height="{at(height)}" fill="{fill}"/>'


def path(places: Iterable[tuple[float, float]], stroke: str, *, fill: str = "none", closed: bool = False) -> str:
    """Return a line through *places*."""
    way = "L".join(f"{at(x)} {at(y)}" for x, y in places)
    return f'<path d="M{way}{"Z" if closed else ""}" fill="{fill}" stroke="{stroke}" stroke-width="1.5"/>'


def whisker(low: float, high: float, y: float, *, ends: tuple[bool, bool] = (True, True)) -> Iterator[str]:
    """Yield an interval; an end that goes on outside has no cap."""
    yield line(low, y, high, y, CANDIDATE, thick=2)
    for x, capped in zip((low, high), ends, strict=True):
        if capped:
            yield line(x, y - 5, x, y + 5, CANDIDATE, thick=2)


def candidate(x: float, y: float) -> str:
    """Return the candidate's mark."""
    return f'<circle cx="{at(x)}" cy="{at(y)}" r="4.5" fill="{CANDIDATE}" stroke="{PAPER}"/>'


def baseline(x: float, y: float) -> str:
    """Return the baseline's mark: open, and larger than the candidate's, so that each is seen behind the other."""
    return path(((x - 7, y), (x, y - 7), (x + 7, y), (x, y + 7)), BASELINE, fill=PAPER, closed=True)


def fitted(text: str, room: float, size: int) -> str:
    """Return as much of *text* as *room* pixels hold in the widest of usual fonts, with … where it was cut."""
    if wide(text, size) <= room:
        return text
    left = room - wide(CUT, size)
    for index, char in enumerate(text):
        left -= _advance(char) * size
        if left < 0:
            return text[:index].rstrip() + CUT
    return text


def wide(text: str, size: int) -> float:
    """Return about how many pixels *text* takes in the widest of usual fonts."""
    return sum(map(_advance, text)) * size


def _advance(char: str) -> float:
    """Return the width of a character in ems: at least DejaVu Sans's, which is wider than Arial and Helvetica."""
    if char in _THIN:
        return 0.34
    if char in _NARROW:
        return 0.42
    if char in _SIGNS:
        return 0.84
    if char in _WIDE or not char.isascii():
        return float(text_width.width(char)) * (0.72 if char.islower() else 1.0)
    return 0.79 if char.isupper() else 0.64


def at(number: float) -> str:
    """Return a place or a length to a tenth of a pixel: what another machine's logarithm leaves alone."""
    text = f"{number:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text
