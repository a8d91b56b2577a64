"""The baseline that was observed beside the candidate, in the same run: in the same evidence, under other names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from mlgate.core.check import Check, Json, Suite
from mlgate.core.evidence import Evidence, Provenance

_MARK = "baseline/"
"""In front of a check's id. No check of the configuration can have a stroke in its id."""


def with_baseline(checks: Iterable[Check], model: Json) -> tuple[Check, ...]:
    """Return *checks*, and for each that compares one that asks the baseline's *model*, as it is written, the same."""
    found = tuple(checks)
    return (*found, *(_twin(check, model) for check in found if any(rule.bound.compares for rule in check.rules)))


def _twin(check: Check, model: Json) -> Check:
    params: dict[str, Json] = {**check.params, "baseline": model}
    return replace(check, id=_MARK + check.id, params=params, rules=(), notices=(), baseline_of=check.id)


def asked(suite: Suite) -> tuple[Check, ...]:
    """Return the checks that are judged: without those that only observe a baseline."""
    return tuple(check for check in suite.checks if not check.baseline_of)


def evidence_of(suite: Suite, evidence: Evidence) -> Evidence | None:
    """Return the baseline's rows under the names of the checks that they are for; None when none was planned."""
    twins = {check.id: check for check in suite.checks if check.baseline_of}
    if not twins:
        return None
    known = dict(evidence.provenance.data)
    data = tuple(sorted((check.baseline_of, known[name]) for name, check in twins.items() if name in known))
    provenance = Provenance("", evidence.provenance.suite, evidence.provenance.baseline, data)
    rows = [replace(row, check=twins[check].baseline_of) for (check, _), row in evidence.rows.items() if check in twins]
    return Evidence.of(provenance, evidence.environments, rows, evidence.form)
