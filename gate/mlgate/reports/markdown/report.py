"""The report as GitHub shows it in a job summary and in a pull request's comment."""

from __future__ import annotations

import re

from mlgate.core.errors import ConfigError, GateError, Refused
from mlgate.core.outcome import Outcome
from mlgate.core.report import Report
from mlgate.core.verdict import Finding
from mlgate.reports.content.causes import told_once
from mlgate.reports.content.escape import markdown, markdown_code
from mlgate.reports.content.numbers import SYMBOLS, counted
from mlgate.reports.markdown import rule_changes
from mlgate.reports.markdown.blocks import coverage, measured, moved, notices, slices
from mlgate.reports.markdown.latency import latency
from mlgate.reports.markdown.size_budget import PageBlock, fit

_PLAIN_TOPIC = re.compile(r"[a-z_-]{1,40}")
"""A topic that may stand in a link: a report read from a file may say anything."""

_URL = re.compile(r"https?://[A-Za-z0-9.:_-]{1,200}/[A-Za-z0-9._/-]{1,300}")

_BASE = re.compile(r"base ([0-9a-f]{7,64})")
"""A policy's source that can be named again."""

_LEAST_ROOM = 20_000
"""Bytes that verdict, footer and notes can take together."""


def render(report: Report, *, limit: int = 60_000, run_url: str = "") -> str:
    """Return the page in at most *limit* bytes of UTF-8; the verdict line is always whole. Same report, same bytes.

    *run_url* is the CI run's page, from a trusted place.

    A comment longer than 65,536 characters is refused, a summary over 1 MiB is dropped whole, so the least important
    parts are left out from their end, with a count, and never in the middle of a table or a fold.
    """
    if limit < _LEAST_ROOM:
        raise ValueError(f"a report needs {_LEAST_ROOM} bytes, not {limit}")
    head, foot = _verdict(report), _footer(report, run_url)
    room = limit - len(head.encode()) - len(foot.encode())
    blocks = [
        _findings(report),
        rule_changes.block(report),
        measured(report),
        latency(report),
        slices(report),
        moved(report),
        coverage(report),
        notices(report),
    ]
    return head + fit([*blocks, _passed_rules(report)], room) + foot


def stopped(error: GateError) -> str:
    """Return what stopped a run, where there is no report to render: what, where, and the next step."""
    word = "REFUSED" if error.exit_code == Refused.exit_code else Outcome.ERRORED.name
    others = error.more if isinstance(error, ConfigError) else ()
    lines = [f"### {SYMBOLS[Outcome.ERRORED]} {word}: {markdown(error.message, 500)}\n"]
    for one in (error, *others)[:20]:
        place = f"{markdown_code(one.where, 300)}: " if one.where else ""
        lines.append(f"- {place}{markdown(one.message, 500)}")
        if one.hint:
            lines.append(f"  next: {markdown(one.hint, 300)}")
    return "\n".join(lines) + "\n"


def _verdict(report: Report) -> str:
    stamp = f"{SYMBOLS[report.outcome]} {report.outcome.name}"
    reason = markdown(report.reason, 500)
    subject = f"{markdown_code(report.model, 60)}{_commit(report.provenance.commit)}"
    if report.baseline:
        subject += f" against {markdown_code(report.baseline.source, 100)}{_commit(report.baseline.commit)}"
    if report.policy:
        subject += f", judged by the rules of {markdown_code(report.policy.source, 60)}"
    counts = f": {counted(report.findings)}" if report.findings else ""
    return f"### {stamp}: {reason}\n\n{subject}{counts}\n"


def _commit(commit: str) -> str:
    digits, plus, dirty = commit.partition("+")
    return f" at {markdown_code(digits[:10] + plus + dirty, 24)}" if commit else ""


def _findings(report: Report) -> PageBlock:
    told = [f for f in report.findings if f.outcome is not Outcome.PASSED]
    head = "\n#### What did not pass\n\n| | rule | why | where |\n|---|---|---|---|\n"
    rows = (_row(finding, why) for finding, why in told_once(told, report.reason))
    return PageBlock(0, head, rows, len(told), "findings that did not pass", most=50)


def _passed_rules(report: Report) -> PageBlock:
    held = [f for f in report.findings if f.outcome is Outcome.PASSED]
    head = (
        f"\n<details><summary>{SYMBOLS[Outcome.PASSED]} {_rules(len(held))}</summary>\n\n"
        "| | rule | why | where |\n|---|---|---|---|\n"
    )
    rows = (_row(finding, finding.why) for finding in held)
    return PageBlock(5, head, rows, len(held), "rules that hold", most=100, tail="\n</details>\n")


def _rules(count: int) -> str:
    return "1 rule holds" if count == 1 else f"{count:,} rules hold"


def _row(finding: Finding, why: str) -> str:
    word = f"{SYMBOLS[finding.outcome]}&nbsp;{finding.outcome.name.lower()}"
    name = f"{finding.check}/{finding.rule.metric}"
    name = markdown_code(f"{name} [{finding.slice}]" if finding.slice else name, 120)
    where = markdown_code(finding.rule.where, 120) if finding.rule.where else ""
    return f"| {word} | {name} | {markdown(why, 600)} | {where} |\n"


def _footer(report: Report, run_url: str) -> str:
    facts = [f"commit {markdown_code(report.provenance.commit, 60)}"] if report.provenance.commit else []
    facts += [f"suite {markdown_code(report.suite[:12], 48)}", f"evidence {markdown_code(report.evidence[:12], 48)}"]
    base = _BASE.fullmatch(report.policy.source) if report.policy else None
    facts.append(f"judge it again with <code>mlgate replay{f' --base {base[1]}' if base else ''}</code>")
    if report.findings and _PLAIN_TOPIC.fullmatch(report.findings[0].topic):
        facts.append(f"[what this finding means]({report.findings[0].docs})")
    if _URL.fullmatch(run_url):
        facts.insert(0, f"[the run]({run_url})")
    return f"\n---\n\n{' · '.join(facts)}\n"
