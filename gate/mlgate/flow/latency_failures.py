"""Why requests of a timed check failed, told by the findings that are about errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from mlgate.core.latency.rounds import LatencyRounds
from mlgate.core.metric import ERROR_RATE
from mlgate.core.outcome import Outcome
from mlgate.core.verdict import Finding

_LONGEST_REASON = 300
"""Characters of a failure's reason that a finding repeats."""


def with_reasons(seen: LatencyRounds, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield *findings*, those about errors with why requests failed.

    A model that ended under load breaks every limit of errors: nobody knows what the requests that were still to come
    would have been, and a model that is gone must not pass because it went late.
    """
    reason = _reason(seen)
    for finding in findings:
        if finding.rule.metric != ERROR_RATE.name:
            yield finding
        elif seen.died:
            topic = "max" if finding.outcome is Outcome.PASSED else finding.topic
            outcome = max(finding.outcome, finding.rule.on_breach)
            yield replace(finding, outcome=outcome, topic=topic, why=f"{finding.why}, and {seen.cut_off}")
        elif finding.outcome is not Outcome.PASSED and reason:
            yield replace(finding, why=f"{finding.why}; {reason}")
        else:
            yield finding


def _reason(seen: LatencyRounds) -> str:
    """Return how many requests failed, and why most of them; empty when none did."""
    replies = [reply for block in seen.done.values() for reply in block.replies]
    failures = Counter(reply.failure for reply in replies if reply.failure)
    if not failures:
        return ""
    reason, times = min(failures.items(), key=lambda one: (-one[1], one[0]))
    many = "each" if times == failures.total() else f"{times:,} of them"
    return f"{failures.total():,} of {len(replies):,} requests failed, {many} with: {reason[:_LONGEST_REASON]}"
