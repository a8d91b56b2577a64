"""The terminal report's last sections: the segments that moved, what is missing, notices, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator

from mlgate.core.metric import Metric
from mlgate.core.report import Report, Segment
from mlgate.core.verdict import DOCS
from mlgate.reports.content import text_width
from mlgate.reports.content.escape import flowing, terminal
from mlgate.reports.content.next_steps import HERE, Desk, next_steps
from mlgate.reports.content.numbers import shown
from mlgate.reports.terminal.page import TerminalPage

_SEGMENTS = 5
_MOST_LINES = 3
"""Lines that one text of a segment may take."""
_NARROW = 24
"""Columns that the reason of a step needs beside it; with fewer it goes below."""
_LONGEST_COMMAND = 2_000
_NOTICES = 10
_CHECKS = 20


def moved(report: Report, page: TerminalPage) -> list[str]:
    """Return the segments that moved a metric most, or its value where nothing was compared, with their texts, cut."""
    if not report.segments:
        return []
    units = {(m.check, m.name): m.metric for m in report.measurements}
    name, by = "WORST EXAMPLES", "by how far each moves the value; nothing was compared"
    if any(segment.baseline is not None for segment in report.segments):
        name, by = "MOVED MOST", "by its share of the change"
    elif all(not segment.moved for segment in report.segments):
        by = "every example has the worst value; the first of them"
    indent = text_width.width(name) + text_width.GAP
    lines = [*text_width.hang(page.heading(name), text_width.wrap(by, page.width - indent), indent)]
    for segment in report.segments[:_SEGMENTS]:
        lines.extend(_segment(segment, units.get((segment.check, segment.name)), page))
    if len(report.segments) > _SEGMENTS:
        lines.append(f"  and {len(report.segments) - _SEGMENTS:,} more")
    return lines


def _segment(segment: Segment, metric: Metric | None, page: TerminalPage) -> Iterator[str]:
    share = shown(metric, segment.moved, signed=True) if segment.moved else ""
    head = terminal(f"{segment.check}/{segment.name}  {segment.example}", 200)
    yield f"{text_width.cut(head, page.width - text_width.width(share) - text_width.GAP)}  {share}".rstrip()
    texts = [("input", segment.input), *(("reference", text) for text in segment.references[:_MOST_LINES])]
    if segment.baseline is not None:
        texts.append(("baseline", segment.baseline))
    texts.append(("candidate", segment.answer))
    most = page.width * _MOST_LINES
    for name, text in texts:
        seen = terminal(flowing(text, most), most) if text.strip() else "(blank)" if text else "(empty)"
        label = f"  {page.faint(text_width.pad(name, 9))}  "
        yield from text_width.hang(label, text_width.wrap(seen, page.width - 13, most=_MOST_LINES), 13)
    if segment.unlike:
        yield from text_width.hang(
            f"  {page.faint(text_width.pad('unlike', 9))}  ", text_width.wrap(segment.unlike, page.width - 13), 13
        )


def coverage(report: Report, page: TerminalPage) -> list[str]:
    """Return how much of each check has an answer, when something is missing."""
    holes = [check for check in report.checks if check.missing or check.gaps]
    if not holes:
        return []
    names = [text_width.cut(terminal(check.id, 120), page.width // 3) for check in holes[:_CHECKS]]
    indent = max(map(text_width.width, names)) + text_width.GAP
    lines = [page.heading("MISSING")]
    for check, name in zip(holes, names, strict=False):
        facts = [f"{check.answered:,} of {check.planned:,} answered"]
        facts += [f"{check.gaps:,} failed"] if check.gaps else []
        facts += [f"{check.missing:,} never asked"] if check.missing else []
        lines.extend(text_width.hang(name, text_width.wrap(", ".join(facts), page.width - indent), indent))
    if len(holes) > _CHECKS:
        lines.append(f"  and {len(holes) - _CHECKS:,} more checks")
    return lines


def notices(report: Report, page: TerminalPage) -> list[str]:
    """Return what a person should know and no rule judges."""
    if not report.notices:
        return []
    lines = [page.heading("NOTICES")]
    for notice in report.notices[:_NOTICES]:
        lines.extend(text_width.hang("- ", text_width.wrap(terminal(notice, 400), page.width - 2), 2))
    if len(report.notices) > _NOTICES:
        lines.append(f"  and {len(report.notices) - _NOTICES:,} more")
    return lines


def steps(report: Report, page: TerminalPage, *, saved: bool = False, desk: Desk = HERE) -> list[str]:
    """Return what to do next; a link stays whole, so that it can be opened, and a command, so that it can be copied.

    *saved*: this run becomes the baseline. *desk*: what the commands must be told.
    """
    found = next_steps(report, saved=saved, desk=desk)
    if not found:
        return []
    todo = [(terminal(step.do, _LONGEST_COMMAND), terminal(step.why, 120)) for step in found]
    indent = max((text_width.width(do) for do, _ in todo if not do.startswith(DOCS)), default=0) + text_width.GAP
    beside = page.width - indent >= _NARROW
    lines = [page.heading("NEXT")]
    for do, why in todo:
        if do.startswith(DOCS):
            lines.append(do)
        elif beside:
            lines.extend(text_width.hang(do, text_width.wrap(why, page.width - indent), indent))
        else:
            lines.extend([do] if do.startswith("mlgate ") else text_width.wrap(do, page.width))
            lines.extend(text_width.hang("  ", text_width.wrap(why, page.width - 2), 2))
    return lines
