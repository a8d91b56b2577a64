"""What to do next about a latency check: more rounds, a calmer generator, or a baseline on the same machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mlgate.core.report import Report
from mlgate.core.rounds import GENERATOR
from mlgate.core.timing import metric
from mlgate.core.verdict import Finding

_UNDECIDED = frozenset({"noise", "tail", "inconclusive", "too-few", "unseen"})


def timed(report: Report, told: Iterable[Finding]) -> list[Finding]:
    """Return the findings about times, rates or facts of timed load: no single example is behind such a number."""
    loads = {load.check for load in report.loads}
    return [finding for finding in told if finding.check in loads and metric(finding.rule.metric) is not None]


def advice(report: Report, told: Sequence[Finding]) -> Iterator[tuple[str, str]]:
    """Yield what to do, and what for; not escaped. What ended before its budget did does not need a longer one."""
    about = timed(report, told)
    undecided = {finding.check for finding in about if finding.topic in _UNDECIDED}
    left_out = {finding.check for finding in about if finding.topic == "left-out"}
    for load in report.loads:
        if load.flaw.startswith(GENERATOR):
            yield f"a lower rate for {load.check}", "or a machine with a core to spare"
        elif load.rounds >= load.planned and load.check in undecided:
            yield f"a longer budget: for {load.check}", "more rounds settle more; or a wider margin"
        elif load.check in left_out:
            yield f"a lower rate for {load.check}, or a longer warmup", "rounds that are left out must not decide"
    if any(f.topic == "stored-baseline" for f in about):
        yield "baseline: {from: image}", "only times of one machine and one run compare"
