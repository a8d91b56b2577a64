"""What a change makes of the rules, as a table in Markdown."""

from __future__ import annotations

from mlgate.core.report import Report
from mlgate.core.rule_change import RuleChange
from mlgate.reports.content.escape import markdown, markdown_code
from mlgate.reports.content.rule_changes import MOST_CHANGES, WORDS
from mlgate.reports.markdown.size_budget import PageBlock


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
    return PageBlock(1, head, map(_row, changes), len(changes), "changed rules", most=MOST_CHANGES)


def _row(change: RuleChange) -> str:
    where = markdown_code(change.where, 120) if change.where else ""
    return f"| {WORDS[change.direction].replace(' ', '&nbsp;')} | {markdown(change.what, 300)} | {where} |\n"
