"""What a change makes of the rules, for a terminal."""

from __future__ import annotations

from mlgate.core.report import Report
from mlgate.core.rule_change import RuleChange
from mlgate.reports.content import text_width
from mlgate.reports.content.escape import terminal
from mlgate.reports.content.rule_changes import MOST_CHANGES, WORDS, whose
from mlgate.reports.terminal.page import TerminalPage

_HEADING = "RULES THAT THIS CHANGE EDITS"


def policy(report: Report, page: TerminalPage) -> list[str]:
    """Return the terminal's section: one line a change; nothing when the rules are the same."""
    if report.policy is None or not report.policy.changes:
        return []
    said = terminal(whose(report), 60)
    beside = len(_HEADING) + text_width.GAP + text_width.width(said) <= page.width
    lines = [f"{page.heading(_HEADING)}{' ' * text_width.GAP}{said}"] if beside else [page.heading(_HEADING)]
    if not beside:
        lines.extend(text_width.wrap(said, page.width))
    for change in report.policy.changes[:MOST_CHANGES]:
        words = text_width.wrap(terminal(_change_text(change), 300), page.width - 13)
        lines.extend(text_width.hang(text_width.pad(WORDS[change.direction], 11), words, 13))
    if len(report.policy.changes) > MOST_CHANGES:
        lines.append(f"  and {len(report.policy.changes) - MOST_CHANGES:,} more")
    return lines


def _change_text(change: RuleChange) -> str:
    return f"{change.what}  {change.where}" if change.where else change.what
