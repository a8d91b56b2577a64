"""A pull request's comment and its commit status, from a report that an untrusted run left behind."""

from __future__ import annotations

from mlgate.core.outcome import Outcome
from mlgate.core.untrusted_report import UntrustedReport
from mlgate.reports.content.escape import markdown as prose
from mlgate.reports.content.escape import markdown_code, terminal
from mlgate.reports.content.numbers import SYMBOLS
from mlgate.reports.markdown import report

LONGEST_COMMENT = 60_000
"""Characters of a comment; GitHub refuses more than 65,536."""

_AROUND = 2_000
"""Bytes kept free for what stands around the report."""

_DESCRIPTION = 140
"""Characters of a status's description; GitHub refuses more."""


def marker(name: str) -> str:
    """Return the first line of the comment, by which it is found again. It shows as nothing."""
    return f"<!-- mlgate:{name} -->"


def render(name: str, heard: UntrustedReport) -> str:
    """Return the comment. Only text that the gate wrote or escaped is in it, whatever lay beside the report."""
    page = _no_report(heard) if heard.report is None else report.render(heard.report, limit=LONGEST_COMMENT - _AROUND)
    notes = "".join(f"\n> {note}\n" for note in _notes(heard))
    return f"{marker(name)}\n{page}{notes}\n[{heard.run}]({heard.url}) ended with {markdown_code(heard.conclusion)}.\n"


def description(heard: UntrustedReport) -> str:
    """Return the one line that GitHub shows beside the commit's status."""
    if heard.report is None:
        text = f"the gate left no report: {heard.why}"
    elif heard.is_contradicted:
        text = f"the report says {heard.report.outcome.name}, the run ended with {heard.conclusion}"
    else:
        text = f"{heard.report.outcome.name}: {heard.report.reason}"
    return terminal(text, _DESCRIPTION)


def _no_report(heard: UntrustedReport) -> str:
    return f"### {SYMBOLS[Outcome.ERRORED]} The gate left no report\n\n{prose(heard.why, 400)}\n"


def _notes(heard: UntrustedReport) -> list[str]:
    notes = []
    if heard.report is not None and heard.is_contradicted:
        notes.append(
            f"**The report and the run disagree.** The report says {heard.report.outcome.name}, but the run ended with "
            f"{markdown_code(heard.conclusion)}: something else in it failed, or the report is not what the gate "
            "wrote. The run counts."
        )
    if heard.is_ignored:
        notes.append("The report blocks this change, and the run let it pass: its job is allowed to fail.")
    if heard.report is not None:
        whose = "own run, from a fork" if heard.fork else "own run"
        notes.append(f"These numbers were reported by the pull request's {whose}. The required check is the verdict.")
    return notes
