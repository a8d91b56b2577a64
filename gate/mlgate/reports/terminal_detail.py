"""The terminal report's last sections: the segments that moved, what is missing, notices, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator

from mlgate.core.metric import Metric
from mlgate.core.report import Report, Segment
from mlgate.core.verdict import DOCS
from mlgate.reports import columns
from mlgate.reports.escape import flowing, terminal
from mlgate.reports.figures import shown
from mlgate.reports.page import TerminalPage
from mlgate.reports.steps import next_steps

_SEGMENTS = 5
_MOST_LINES = 3
"""Lines that one text of a segment may take."""
_NARROW = 24
"""Columns that the reason of a step needs beside it; with fewer it goes below."""
_NOTICES = 10
_CHECKS = 20


def moved(report: Report, page: TerminalPage) -> list[str]:
    """Return the segments that moved a metric most, or its value where nothing was compared, with their texts, cut."""
    if not report.segments:
        return []
    units = {(m.check, m.name): m.metric for m in report.measurements}
    name, by = "WORST EXAMPLES", "by how far each moves the value; nothing was compared"
    if report.baseline:
        name, by = "MOVED MOST", "by its share of the change"
    indent = columns.width(name) + columns.GAP
    lines = [*columns.hang(page.heading(name), columns.wrap(by, page.width - indent), indent)]
    for segment in report.segments[:_SEGMENTS]:
        lines.extend(_segment(segment, units.get((segment.check, segment.name)), page))
    if len(report.segments) > _SEGMENTS:
        lines.append(f"  and {len(report.segments) - _SEGMENTS:,} more")
    return lines


def _segment(segment: Segment, metric: Metric | None, page: TerminalPage) -> Iterator[str]:
    share = shown(metric, segment.moved, signed=True)
    head = terminal(f"{segment.check}/{segment.name}  {segment.example}", 200)
    yield f"{columns.cut(head, page.width - columns.width(share) - columns.GAP)}  {share}"
    texts = [("input", segment.input), *(("reference", text) for text in segment.references[:_MOST_LINES])]
    if segment.baseline is not None:
        texts.append(("baseline", segment.baseline))
    texts.append(("candidate", segment.answer))
    most = page.width * _MOST_LINES
    for name, text in texts:
        seen = terminal(flowing(text, most), most) if text.strip() else "(blank)" if text else "(empty)"
        label = f"  {page.faint(columns.pad(name, 9))}  "
        yield from columns.hang(label, columns.wrap(seen, page.width - 13, most=_MOST_LINES), 13)


def coverage(report: Report, page: TerminalPage) -> list[str]:
    """Return how much of each check has an answer, when something is missing."""
    holes = [check for check in report.checks if check.missing or check.gaps]
    if not holes:
        return []
    names = [columns.cut(terminal(check.id, 120), page.width // 3) for check in holes[:_CHECKS]]
    indent = max(map(columns.width, names)) + columns.GAP
    lines = [page.heading("MISSING")]
    for check, name in zip(holes, names, strict=False):
        facts = [f"{check.answered:,} of {check.planned:,} answered"]
        facts += [f"{check.gaps:,} failed"] if check.gaps else []
        facts += [f"{check.missing:,} never asked"] if check.missing else []
        lines.extend(columns.hang(name, columns.wrap(", ".join(facts), page.width - indent), indent))
    if len(holes) > _CHECKS:
        lines.append(f"  and {len(holes) - _CHECKS:,} more checks")
    return lines


def notices(report: Report, page: TerminalPage) -> list[str]:
    """Return what a person should know and no rule judges."""
    if not report.notices:
        return []
    lines = [page.heading("NOTICES")]
    for notice in report.notices[:_NOTICES]:
        lines.extend(columns.hang("- ", columns.wrap(terminal(notice, 400), page.width - 2), 2))
    if len(report.notices) > _NOTICES:
        lines.append(f"  and {len(report.notices) - _NOTICES:,} more")
    return lines


def steps(report: Report, page: TerminalPage, *, saved: bool = False) -> list[str]:
    """Return what to do next; a link to our own pages stays whole, so that it can be opened.

    *saved*: this run becomes the baseline.
    """
    found = next_steps(report, saved=saved)
    if not found:
        return []
    todo = [(terminal(step.do, 200), terminal(step.why, 120)) for step in found]
    indent = max((columns.width(do) for do, _ in todo if not do.startswith(DOCS)), default=0) + columns.GAP
    beside = page.width - indent >= _NARROW
    lines = [page.heading("NEXT")]
    for do, why in todo:
        if do.startswith(DOCS):
            lines.append(do)
        elif beside:
            lines.extend(columns.hang(do, columns.wrap(why, page.width - indent), indent))
        else:
            lines.extend(columns.wrap(do, page.width))
            lines.extend(columns.hang("", columns.wrap(why, page.width - 2), 2))
    return lines
