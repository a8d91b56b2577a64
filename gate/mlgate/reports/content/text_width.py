"""Text in columns: how wide it is on a terminal, where it may be cut or folded, and tables of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from mlgate.reports.content.escape import CUT

_PAINT = re.compile("\x1b\\[[0-9;]*m")

GAP = 2
"""Blanks between the columns of a table."""


def width(text: str) -> int:
    """Return how many columns *text* takes: East Asian wide characters two, combining marks and our colours none."""
    if text.isascii() and "\x1b" not in text:
        return len(text)
    return sum(_columns(char) for char in _PAINT.sub("", text))


def _columns(char: str) -> int:
    if char.isascii():
        return 1
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _fitting(text: str, columns: int) -> int:
    """Return how many characters of *text* fit."""
    taken = 0
    for index, char in enumerate(text):
        taken += _columns(char)
        if taken > columns:
            return index
    return len(text)


def cut(text: str, columns: int) -> str:
    """Return *text* in at most *columns* columns, with a sign where it was cut. Not for painted text."""
    return text if width(text) <= columns else text[: _fitting(text, columns - 1)].rstrip() + CUT


def pad(text: str, columns: int, *, right: bool = False) -> str:
    """Return *text* filled up with blanks to *columns* columns."""
    blanks = " " * (columns - width(text))
    return blanks + text if right else text + blanks


def wrap(text: str, columns: int, most: int = 0) -> list[str]:
    """Fold *text* at blanks into lines of at most *columns*; *most* lines, the last one cut. Not for painted text.

    Whatever line begins with `::` gets it broken: folding must not make a workflow command.
    """
    lines: list[str] = []
    rest = text.strip()
    while rest:
        if rest.startswith("::"):
            rest = ":\\x3a" + rest[2:]
        if most and len(lines) == most - 1:
            return [*lines, cut(rest, columns)]
        end = _fitting(rest, columns)
        if end < len(rest):
            blank = rest.rfind(" ", 0, end + 1)
            end = blank if blank > 0 else max(1, end)
        lines.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return lines or [""]


def table(rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset()) -> list[str]:
    """Return *rows* with their cells aligned; columns in *right* to the right. Cells may be painted."""
    if not rows:
        return []
    widths = [max(width(row[i]) for row in rows) for i in range(len(rows[0]))]
    gap = " " * GAP
    return [gap.join(pad(cell, widths[i], right=i in right) for i, cell in enumerate(row)).rstrip() for row in rows]


def table_width(rows: Sequence[Sequence[str]]) -> int:
    """Return how many columns `table` takes for *rows*."""
    return max((width(line) for line in table(rows)), default=0)


def hang(head: str, texts: Sequence[str], indent: int) -> Iterator[str]:
    """Yield *texts* as lines, all *indent* columns in, with *head* standing before the first."""
    for index, text in enumerate(texts):
        yield (pad(head, indent) if not index else " " * indent) + text
