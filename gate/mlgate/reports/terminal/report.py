"""The report on a terminal and in a workflow log: the verdict first, then why, the numbers, and what to do next."""

from __future__ import annotations

from mlgate.core.report import Report
from mlgate.reports.content.next_steps import HERE, Desk
from mlgate.reports.terminal.detail import coverage, moved, notices, steps
from mlgate.reports.terminal.latency import latency
from mlgate.reports.terminal.page import TerminalPage
from mlgate.reports.terminal.rule_changes import policy
from mlgate.reports.terminal.tables import measured, slices
from mlgate.reports.terminal.verdict import rules, verdict

_SECTIONS = (verdict, rules, policy, measured, latency, slices, moved, coverage, notices)


def render(report: Report, *, width: int = 80, colour: bool = False, saved: bool = False, desk: Desk = HERE) -> str:
    """Return *report* as lines of at most *width* columns (40 at the least); links and commands are never folded.

    With *colour*, our own words carry ANSI colours; text from outside never does, and no meaning is in colour alone.
    *saved*: this run becomes the baseline. *desk*: what its commands must be told.
    """
    page = TerminalPage(max(width, 40), colour=colour)
    sections = (*(section(report, page) for section in _SECTIONS), steps(report, page, saved=saved, desk=desk))
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"
