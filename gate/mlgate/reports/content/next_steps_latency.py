"""What to do next about a latency check: more time, a calmer machine, or a baseline on the same machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mlgate.core.latency.generator import BUSY_SHARE, GENERATOR_FLAW
from mlgate.core.latency.metrics import metric
from mlgate.core.outcome import Outcome
from mlgate.core.report import LoadSummary, Report
from mlgate.core.verdict import MORE_SETTLES, Finding

ONCE_MORE = "mlgate check"
"""The command that measures again."""


def timed(report: Report, told: Iterable[Finding]) -> list[Finding]:
    """Return the findings about times, rates or facts of timed load: no single example is behind such a number."""
    loads = {load.check for load in report.loads}
    return [finding for finding in told if finding.check in loads and metric(finding.rule.metric) is not None]


def advice(report: Report, told: Sequence[Finding]) -> Iterator[tuple[str, str]]:
    """Yield what to do, and what for; not escaped. What ended before its time was over does not need more of it."""
    about = timed(report, told)
    undecided = {finding.check for finding in about if finding.topic in MORE_SETTLES}
    left_out = {finding.check for finding in about if finding.topic == "left-out"}
    if any(f.outcome is Outcome.FAILED and f.rule.bound.compares for f in about):
        yield ONCE_MORE, "once more: a slower model fails again, noise seldom does"
    for load in report.loads:
        if load.flaw.startswith(GENERATOR_FLAW):
            yield _calmer(load)
        elif load.rounds >= load.planned and load.check in undecided:
            yield _more_time(load)
        elif load.check in left_out:
            yield f"a lower rate for {load.check}, or a longer warmup", "rounds that are left out must not decide"
    if any(f.topic == "stored-baseline" for f in about):
        yield "baseline: {from: image}", "only times of one machine and one run compare"


def _calmer(load: LoadSummary) -> tuple[str, str]:
    """Return what mends a late generator: less to send, or, where it had nothing to do, a machine of its own."""
    if load.generator <= BUSY_SHARE / 2:  # as the flaw itself tells the two apart
        return f"a calmer machine for {load.check}", "other work on it held the generator up, not the rate"
    return f"a lower rate for {load.check}", "or a machine with a core to spare"


def _more_time(load: LoadSummary) -> tuple[str, str]:
    if load.looks > 1:
        return f"a longer budget for {load.check}", "all of it was used, and a rule is still open"
    return f"more time for {load.check}", "a longer duration, or a budget"
