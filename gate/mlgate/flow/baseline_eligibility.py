"""Which verdict makes its model the baseline of the next ones."""

from __future__ import annotations

from mlgate.core.errors import GateError
from mlgate.core.outcome import Outcome
from mlgate.core.report import Report

_NOTHING_TO_COMPARE = ("no-baseline", "unusable-baseline")


class Ineligible(GateError):  # noqa: N818 - what the model is; nothing broke
    """The model may not become the baseline."""


def refusal(report: Report) -> str:
    """Return why the model may not become the baseline; empty when it may.

    Its verdict passes, and no comparison says worse, not even as a warning: baselines would walk downhill.
    """
    if report.outcome.blocks:
        return f"its verdict is {report.outcome.name.lower()}: {report.reason}"
    if report.questions:
        return f"it answers another question than the base asks: {report.questions[0].what}"
    worse = (
        finding
        for finding in report.findings
        if finding.rule.bound.compares
        and finding.outcome is not Outcome.PASSED
        and finding.topic not in _NOTHING_TO_COMPARE
    )
    first = next(worse, None)
    return f"a comparison does not pass: {first.check}: {first.why}" if first else ""


def demand(report: Report, when: str = "") -> None:
    """Raise Ineligible where `refusal` has a reason. *when*: by which rules, ending with a comma."""
    why = refusal(report)
    if why:
        raise Ineligible(f"the model cannot become the baseline: {when}{why}", hint="mlgate check")
