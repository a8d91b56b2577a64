"""Segments as text: what moved a metric, candidate beside baseline and reference."""

from __future__ import annotations

from collections.abc import Sequence

from mlgate.core.report import Segment
from mlgate.reports.content import text_width
from mlgate.reports.content.escape import flowing, terminal

_LONGEST_TEXT = 4000
_INDENT = 14


def render(segments: Sequence[Segment], *, width: int = 80) -> str:
    """Return segments in order, each with its texts under one another, wrapped to *width* columns."""
    if not segments:
        return "no example moved it to the worse\n"
    name, check = terminal(segments[0].name, 100), terminal(segments[0].check, 100)
    parts = [f"what moved {name} most to the worse, {check}:"]
    if not any(segment.moved for segment in segments):
        parts = [f"every example has the worst {name} there is, {check}; the first of them:"]
    for number, segment in enumerate(segments, start=1):
        parts.append(f"\n{number}. {terminal(segment.example, 200)}  {_sign(segment.moved)}".rstrip())
        rows = [("input", segment.input)]
        rows += [("reference", reference) for reference in segment.references]
        rows += [("baseline", segment.baseline)] if segment.baseline is not None else []
        rows.append(("candidate", segment.answer))
        rows += [("unlike", segment.unlike)] if segment.unlike else []
        parts += [_row(name, text, width) for name, text in rows]
    return "\n".join(parts) + "\n"


def _sign(moved: float) -> str:
    return f"{moved:+.3g}".replace("-", "\N{MINUS SIGN}") if moved else ""


def _row(name: str, text: str, width: int) -> str:
    shown = terminal(flowing(text, _LONGEST_TEXT), _LONGEST_TEXT) if text else "(empty)"
    lines = text_width.wrap(shown, max(40, width) - _INDENT)
    return "\n".join(text_width.hang(f"   {name:<10} ", lines, _INDENT))
