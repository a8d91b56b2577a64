"""What the rules of a suite would make of harmless changes, by what one run showed, and what to change."""

from __future__ import annotations

import math

from mlgate.core.check import Check, Suite
from mlgate.core.latency import rounds as latency_rounds
from mlgate.core.power import ENOUGH_PASSES, Forecast, Foretold, Grows, Power, Untold, power
from mlgate.core.report import Report
from mlgate.core.stats.alpha_spending import ONLY, Look
from mlgate.core.verdict import Finding
from mlgate.flow.judge import Baseline

_LONGEST_S = 3_600
"""A longer load is no advice."""
_MOST_ROUNDS = 9_999
"""A check cannot have more (config/translate/latency_schedule.py)."""
_MOST_EXAMPLES = 100_000
"""So many examples are no advice either."""
_MOST_TIMES = 100
"""Nor is so many times what there is."""
_LAST_OF_MANY = Look(tuple(range(1, 9)), 8)
"""With a `budget` there are up to 8 looks, and the last one asks for more confidence than an only one."""


def foretell(suite: Suite, report: Report, baseline: Baseline | None) -> Forecast:
    """Return what one run says of every comparison of a whole check."""
    checks = {check.id: check for check in suite.checks}
    found = [_forecast_of_finding(checks[finding.check], finding) for finding in report.findings if not finding.slice]
    reasons: dict[tuple[str, str], dict[str, None]] = {}
    for finding in report.findings:
        if finding.rule.bound.compares and (finding.rule.slice_by or (not finding.slice and finding.delta is None)):
            why = _why(finding, report, baseline)
            reasons.setdefault(why, {})[f"{finding.check}/{finding.rule.metric}"] = None
    untold = tuple(Untold(tuple(names), why, hint) for (why, hint), names in reasons.items())
    return Forecast(tuple(one for one in found if one), untold)


def _forecast_of_finding(check: Check, finding: Finding) -> Foretold | None:
    planned, seen = latency_rounds.places(check), finding.delta.rounds if finding.delta else 0
    asked = finding.rule.confidence
    look = Look(planned, len(planned)) if planned else ONLY
    growth = max(1.0, planned[-1] / seen) if planned and seen else 1.0
    more = _LAST_OF_MANY.confidence(asked) if seen and _is_steady(check) else 0.0
    found = power(finding, look.confidence(asked), growth, more)
    if found is None:
        return None
    return _forecast_of_times(check, found, planned[-1] if planned else seen) if seen else _forecast_of_examples(found)


def _is_steady(check: Check) -> bool:
    """Return whether the check can have a `budget`."""
    return check.params.get("mode") in {"open", "closed"}


def _forecast_of_times(check: Check, found: Power, planned: int) -> Foretold:
    block, needed = check.params.get("block_s"), planned * found.more
    if check.params.get("mode") not in {"open", "closed", "stages"} or not isinstance(block, int | float):
        return Foretold(found, planned=planned)
    grows: Grows = "budget" if _is_steady(check) else "stages"
    if not _is_lacking(found):
        return Foretold(found, grows, planned=planned)
    tries = 2 if latency_rounds.a_try(check) < check.rounds else 1
    warm = latency_rounds.a_try(check) - planned
    seconds = math.ceil(needed) * 2 * block if needed < math.inf else math.inf
    fits = seconds <= _LONGEST_S and tries * (needed + warm) < _MOST_ROUNDS and found.more <= _MOST_TIMES
    return Foretold(found, grows, 5.0 * math.ceil(seconds / 5) if fits else math.inf, planned)


def _forecast_of_examples(found: Power) -> Foretold:
    measured, delta = found.finding.measured, found.finding.delta
    if measured is None or delta is None or delta.base:  # the times of two runs: no example makes them better known
        return Foretold(found)
    grows: Grows = "examples" if measured.groups is None else "groups"
    if not _is_lacking(found):
        return Foretold(found, grows)
    needed = measured.units * found.more
    fits = needed <= _MOST_EXAMPLES and found.more <= _MOST_TIMES
    return Foretold(found, grows, float(math.ceil(needed)) if fits else math.inf)


def _is_lacking(found: Power) -> bool:
    return found.passes < ENOUGH_PASSES  # which NaN is not


def _why(finding: Finding, report: Report, baseline: Baseline | None) -> tuple[str, str]:
    """Return why nothing is foretold of a rule, and what to do where the reason does not say it."""
    if finding.rule.slice_by:
        return "it is held by slice, and slices are not foretold", ""
    if finding.check not in dict(report.provenance.data):
        why = f"the check {finding.check} is not in this evidence: it is of another project, or the check was renamed"
        return why, "run mlgate check, and mlgate power after it"
    if finding.topic in {"no-baseline", "unusable-baseline"}:
        if baseline is None:
            return "there is no `baseline:` section, so the run was compared with nothing", _GIVE
        if baseline.evidence is None:
            return baseline.why, ""
    if finding.topic == finding.rule.bound.value and finding.delta is None:
        return "a run has this number once: it is compared as it is, without an interval", ""
    return finding.why, ""


_GIVE = "write `baseline: {from: file, path: baseline.jsonl.gz}`, and run mlgate check --save-baseline"
