"""The verdict on a rollout that somebody else moves, as JSON, version 1: for the engine that asks."""

from __future__ import annotations

import json
import math
from typing import Any

from mlgate.core.deploy.observed import ObservedCounts, ObservedVerdict

VERSION = 1
UNKNOWN = "unknown"


def render(service: str, namespace: str, verdict: ObservedVerdict) -> str:
    """Return the document, on one line. What is not known is null."""
    seen = verdict.seen
    document = {
        "version": VERSION,
        "service": service,
        "namespace": namespace,
        "outcome": UNKNOWN if verdict.outcome is None else verdict.outcome.name.lower(),
        "exit_code": verdict.exit_code,
        "why": verdict.why,
        "weight": seen.weight,
        "candidate": seen.candidate.name if seen.candidate is not None else None,
        "stable": seen.stable.name if seen.stable is not None else None,
        "since": None if verdict.since is None else round(verdict.since, 3),
        "at": round(verdict.at, 3),
        "seconds": None if verdict.since is None else round(verdict.at - verdict.since, 3),
        "requests": {side: _counts(one) for side, one in verdict.counts.items()},
    }
    return json.dumps(document, allow_nan=False)


def _counts(one: ObservedCounts) -> dict[str, Any]:
    rate = one.failed / one.requests if one.requests > 0 else None
    times = {name: value if math.isfinite(value) else None for name, value in one.times_ms}
    return {"n": round(one.requests, 3), "failed": round(one.failed, 3), "error_rate": rate, **times}
