"""The terminal report's first two sections: the verdict, and every rule's outcome, worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from mlgate.core.outcome import Outcome
from mlgate.core.report import Report
from mlgate.core.verdict import Finding
from mlgate.reports.content import text_width
from mlgate.reports.content.causes import LONGEST, told_once
from mlgate.reports.content.escape import terminal
from mlgate.reports.content.numbers import counted
from mlgate.reports.content.rule_changes import whose
from mlgate.reports.terminal.page import TerminalPage

_TOLD = 12
"""Findings printed one by one, of those that did not pass, and again of those that did."""

_NARROW = 40
"""Columns that a sentence needs beside the names; with fewer it goes below them."""

_MOST_LINES = 8
"""Lines of one sentence."""


def verdict(report: Report, page: TerminalPage) -> list[str]:
    """Return the verdict with its reason, and what was judged against what."""
    stamp = page.stamp(report.outcome)
    indent = text_width.width(stamp) + text_width.GAP
    reason = text_width.wrap(terminal(report.reason, 500), page.width - indent)
    subjects = [terminal(report.model, 60) + _commit(report.provenance.commit)]
    if report.baseline:
        subjects.append(f"against {terminal(report.baseline.source, 120)}{_commit(report.baseline.commit)}")
    if report.policy:
        subjects.append(terminal(whose(report), 120))
    lines = [line for subject in subjects for line in text_width.wrap(subject, page.width - indent, most=2)]
    return [*text_width.hang(stamp, reason, indent), *text_width.hang("", lines, indent)]


def _commit(commit: str) -> str:
    digits, plus, dirty = commit.partition("+")
    return f" @ {terminal(digits[:10] + plus + dirty, 24)}" if commit else ""


def rules(report: Report, page: TerminalPage) -> list[str]:
    """Return one entry a finding; what passed on slices is only counted, the slices' table has it."""
    told = [f for f in report.findings if f.outcome is not Outcome.PASSED]
    held = [f for f in report.findings if f.outcome is Outcome.PASSED and not f.slice]
    quiet = len(report.findings) - len(told) - len(held)
    shown = [*told[:_TOLD], *held[:_TOLD]]
    if not report.findings:
        return []
    counts = text_width.wrap(counted(report.findings), page.width - 7)
    lines = [*text_width.hang(page.heading("RULES"), counts, 7), *_entries(shown, page, report.reason)]
    if len(told) > _TOLD:
        lines.append(f"  and {len(told) - _TOLD:,} more that did not pass")
    if len(held) > _TOLD:
        lines.append(f"  and {len(held) - _TOLD:,} more that passed")
    if quiet:
        lines.append(f"{page.mark(Outcome.PASSED)} {quiet:,} more on slices passed")
    return lines


def _entries(findings: Sequence[Finding], page: TerminalPage, told: str) -> Iterator[str]:
    """Yield each finding's lines. What is the cause of several is said once: *told* is what stands above."""
    several = Counter((f.check, f.rule.metric, f.slice) for f in findings)
    names = [_name(f, with_bound=several[f.check, f.rule.metric, f.slice] > 1) for f in findings]
    outcomes = max((len(f.outcome.name) for f in findings), default=0) + 2 + text_width.GAP
    indent = outcomes + max(map(text_width.width, names), default=0) + text_width.GAP
    beside = page.width - indent >= _NARROW
    for (finding, reason), name in zip(told_once(findings, told), names, strict=True):
        head = text_width.pad(page.word(finding.outcome), outcomes)
        why = terminal(reason, LONGEST)
        if beside:
            yield from text_width.hang(head + name, text_width.wrap(why, page.width - indent, _MOST_LINES), indent)
        elif outcomes + text_width.width(name) + text_width.GAP + text_width.width(why) <= page.width:
            yield f"{head}{name}{' ' * text_width.GAP}{why}"
        else:
            yield head + text_width.cut(name, page.width - outcomes)
            yield from text_width.hang("", text_width.wrap(why, page.width - outcomes, _MOST_LINES), outcomes)


def _name(finding: Finding, *, with_bound: bool) -> str:
    """Return check and metric; *with_bound* tells two rules of one metric apart."""
    bound = f" {finding.rule.bound.value}" if with_bound else ""
    metric = f"{finding.check}/{finding.rule.metric}{bound}"
    return text_width.cut(terminal(f"{metric} [{finding.slice}]" if finding.slice else metric, 120), 60)
