"""What the rules of a suite would make of changes that change nothing, by what one run showed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlgate.core.check import Check, Json, Suite
from mlgate.core.looks import ONLY, Look
from mlgate.core.power import Power, power
from mlgate.core.report import Report


def foretell(suite: Suite, report: Report) -> Iterator[Power]:
    """Yield the power of every comparison of a whole check, in the report's order."""
    checks = {check.id: check for check in suite.checks}
    for finding in report.findings:
        check = checks.get(finding.check)
        if check is None or finding.slice or finding.delta is None:
            continue
        look, rounds = _last(check), finding.delta.rounds
        growth = max(1.0, look.places[-1] / rounds) if rounds else 1.0
        found = power(finding, look.confidence(finding.rule.confidence), growth)
        if found is not None:
            yield found


def _last(check: Check) -> Look:
    """Return the last look that a check plans; its rounds do not count the warm-up's."""
    planned, warm = check.params.get("looks"), _whole(check.params.get("warm"))
    places = [_whole(one) - warm for one in planned] if isinstance(planned, Sequence) else []
    return Look(tuple(places), len(places)) if places else ONLY


def _whole(value: Json) -> int:
    return int(value) if isinstance(value, int | float) else 0
