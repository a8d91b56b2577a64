"""The base branch's rules as reports show them: whose they are, and what the change under test makes of its own."""

from __future__ import annotations

from mlgate.core.report import Report
from mlgate.core.rule_change import Direction, RuleChange
from mlgate.reports import columns
from mlgate.reports.budget import PageBlock
from mlgate.reports.escape import markdown, markdown_code, terminal
from mlgate.reports.page import TerminalPage

_MOST_CHANGES = 20
_WORDS = {
    Direction.QUESTION: "! question",
    Direction.LOOSER: "! looser",
    Direction.DIFFERENT: "! other",
    Direction.EFFECTIVE: "! in effect",
    Direction.TIGHTER: "+ tighter",
}
"""How each direction is marked. What is tighter binds at once; the rest is judged as the base has it."""

_HEADING = "RULES THAT THIS CHANGE EDITS"
_WHOSE = "judged by the rules of"


def whose(report: Report) -> str:
    """Return the clause that says whose rules judged; empty when they are the checkout's own. Not escaped."""
    return f"{_WHOSE} {report.policy.source}" if report.policy else ""


def policy(report: Report, page: TerminalPage) -> list[str]:
    """Return the terminal's section: one line a change; nothing when the rules are the same."""
    if report.policy is None or not report.policy.changes:
        return []
    said = terminal(whose(report), 60)
    beside = len(_HEADING) + columns.GAP + columns.width(said) <= page.width
    lines = [f"{page.heading(_HEADING)}{' ' * columns.GAP}{said}"] if beside else [page.heading(_HEADING)]
    if not beside:
        lines.extend(columns.wrap(said, page.width))
    for change in report.policy.changes[:_MOST_CHANGES]:
        words = columns.wrap(terminal(_change_text(change), 300), page.width - 13)
        lines.extend(columns.hang(columns.pad(_WORDS[change.direction], 11), words, 13))
    if len(report.policy.changes) > _MOST_CHANGES:
        lines.append(f"  and {len(report.policy.changes) - _MOST_CHANGES:,} more")
    return lines


def block(report: Report) -> PageBlock:
    """Return the Markdown table; one that takes no room when the rules are the same."""
    changes = report.policy.changes if report.policy else ()
    source = report.policy.source if report.policy else ""
    head = (
        f"\n#### Rules that this change edits\n\nJudged by the rules of {markdown_code(source, 60)}: looser and other "
        "rules of this change took no effect on this verdict; what is marked as in effect did, and what is marked as a "
        "question makes it a verdict about something else.\n"
        "\n| | change | where |\n|---|---|---|\n"
    )
    return PageBlock(1, head, map(_row, changes), len(changes), "changed rules", most=_MOST_CHANGES)


def _change_text(change: RuleChange) -> str:
    return f"{change.what}  {change.where}" if change.where else change.what


def _row(change: RuleChange) -> str:
    where = markdown_code(change.where, 120) if change.where else ""
    return f"| {_WORDS[change.direction].replace(' ', '&nbsp;')} | {markdown(change.what, 300)} | {where} |\n"
