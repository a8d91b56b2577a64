"""What the rules of a suite would make of changes that change nothing, by what one run showed, and what to change."""

from __future__ import annotations

import math
from collections.abc import Iterator

from mlgate.core import rounds
from mlgate.core.check import Check, Suite
from mlgate.core.looks import ONLY, Look
from mlgate.core.power import ENOUGH, Foretold, Power, power
from mlgate.core.report import Report

_LONGEST_S = 3_600
"""A budget beyond it is no advice."""
_MOST = 1_000_000
"""So many examples are no advice either."""
_DENSEST = 2.0
"""So many times the requests that are asked now: beyond it another load is timed."""


def foretell(suite: Suite, report: Report) -> Iterator[Foretold]:
    """Yield every comparison of a whole check, in the report's order."""
    checks = {check.id: check for check in suite.checks}
    for finding in report.findings:
        check = checks.get(finding.check)
        if check is None or finding.slice or finding.delta is None:
            continue
        planned, seen = rounds.places(check), finding.delta.rounds
        look = Look(planned, len(planned)) if planned else ONLY
        growth = max(1.0, planned[-1] / seen) if planned and seen else 1.0
        found = power(finding, look.confidence(finding.rule.confidence), growth)
        if found is not None:
            yield _timed(check, found) if seen else _asked(found)


def silent(report: Report) -> Iterator[str]:
    """Yield the comparisons of whole checks that this run did not make, so that nothing can be foretold of them."""
    for finding in report.findings:
        if finding.rule.bound.compares and not finding.slice and finding.delta is None:
            yield f"{finding.check}/{finding.rule.metric}"


def _timed(check: Check, found: Power) -> Foretold:
    planned, block = rounds.places(check), check.params.get("block_s")
    if found.passes >= ENOUGH or not planned or not isinstance(block, int | float):
        return Foretold(found)
    seconds = planned[-1] * found.more * 2 * block
    budget = 5.0 * math.ceil(seconds / 5) if seconds <= _LONGEST_S else 0.0
    for name in ("rate", "concurrency"):
        asked = check.params.get(name)
        if isinstance(asked, int | float) and found.crowded <= _DENSEST:
            return Foretold(found, budget, name, math.ceil(asked * found.crowded))
    return Foretold(found, budget)


def _asked(found: Power) -> Foretold:
    measured = found.finding.measured
    if found.passes >= ENOUGH or measured is None or not measured.units * found.more < _MOST:
        return Foretold(found)
    return Foretold(found, units=math.ceil(measured.units * found.more))
