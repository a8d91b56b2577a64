"""What a verdict says when it is attested: the statement about a report. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mlgate.core.attestation.demands import RequiredRule
from mlgate.core.attestation.statement import Origin, Result, Statement, Subject
from mlgate.core.check import Json, Rule
from mlgate.core.errors import Refused
from mlgate.core.outcome import Outcome
from mlgate.core.report import Report
from mlgate.core.verdict import Finding
from mlgate.flow.deploy.release import judged_before, refuse_other_questions

_MOST_METRICS = 300
"""Findings whose numbers an attestation has, the worst first: it must not become larger than what verifiers read."""


@dataclass(frozen=True, slots=True)
class RulesInForce:
    """The rules of the file that the attestation will name."""

    digest: str
    """SHA-256 of them."""
    rules: tuple[tuple[str, Rule], ...]
    """Each with the check that it is of."""
    model: str
    """The model's name."""

    @property
    def required(self) -> tuple[RequiredRule, ...]:
        """Return what a verdict by these rules must have findings of."""
        return tuple(RequiredRule(_id(check, rule), rule.slice_by) for check, rule in self.rules)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the report itself does not say of the run that made it."""

    image: str
    """The image that was judged, as `name@sha256:…`."""
    report: str
    """SHA-256 of report.json."""
    judged: str
    """ISO 8601 in UTC."""
    now: datetime
    origin: Origin
    url: str
    tool: str
    """mlgate's version."""


def statement_of(report: Report, rules: RulesInForce, of: Circumstances, good_for: timedelta) -> Statement:
    """Return what is attested of a verdict that was verified, good or bad, for as long as it is *good_for*.

    Raises Refused where the report does not bear out what the statement would say: it was judged by other rules, or at
    a time that is still to come.
    """
    refuse_other_questions(report)
    _demand_rules(report, rules)
    name, _, digest = of.image.partition("@sha256:")
    judged = judged_before(of.judged, of.now)  # what is signed with a later date would be good then
    findings = report.findings
    return Statement(
        subjects=(Subject(name, digest),),
        result=_result(report.outcome),
        passed=_ids(one for one in findings if one.outcome is Outcome.PASSED),
        warned=_ids(one for one in findings if one.outcome is Outcome.WARNED),
        failed=_ids(one for one in findings if one.outcome.blocks),
        rules_digest=rules.digest,
        model=report.model,
        model_digest=report.provenance.model,
        report=of.report,
        expected=sum(one.planned for one in report.checks),
        present=sum(one.planned - one.missing for one in report.checks),
        verified=judged,
        expires=judged + good_for,
        origin=replace(of.origin, commit=report.provenance.commit),
        url=of.url,
        configuration=tuple(_configuration(report, rules)),
        details=_details(report, of.tool),
    )


def _demand_rules(report: Report, rules: RulesInForce) -> None:
    """Raise Refused unless each rule of the file was held, as it is written there."""
    if report.model != rules.model:
        raise Refused(
            f"the verdict is about the model {report.model!r}, and the file is about {rules.model!r}",
            hint="judge this one: mlgate check",
        )
    held = {(one.check, _bare(one.rule)) for one in report.findings}
    for check, rule in rules.rules:
        if (check, _bare(rule)) not in held:
            raise Refused(
                f"the verdict was not reached by this file's rules: {check}/{rule.metric} with {rule.limit_text} "
                "is none of those that were held",
                where=rule.where,
                hint="judge the model by them: mlgate check",
            )


def _bare(rule: Rule) -> Rule:
    """Return the rule without where it is written: lines move."""
    return replace(rule, where="", note="")


def _id(check: str, rule: Rule) -> str:
    return f"{check}/{rule.metric}/{rule.bound.value}"


def _result(outcome: Outcome) -> Result:
    if outcome.blocks:
        return Result.FAILED
    return Result.PASSED if outcome is Outcome.PASSED else Result.WARNED


def _ids(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.id for one in findings))


def _configuration(report: Report, rules: RulesInForce) -> Sequence[Mapping[str, Json]]:
    """Return by what it was judged, as resource descriptors."""
    found = [_descriptor("rules", rules.digest)]
    found += [_descriptor(f"data of {check}", digest) for check, digest in report.provenance.data]
    return found + ([_descriptor("baseline", report.baseline.digest)] if report.baseline else [])


def _descriptor(name: str, digest: str) -> Mapping[str, Json]:
    return {"name": name, "digest": {"sha256": digest}}


def _details(report: Report, tool: str) -> Mapping[str, Json]:
    planned = {one.id: one.planned for one in report.checks}
    sandboxes = {value for one in report.environments for name, value in one.versions if name == "sandbox"}
    return {
        "outcome": report.outcome.name.lower(),
        "evidence": {"digest": {"sha256": report.evidence}},
        "data": [
            {"name": check, "digest": {"sha256": digest}, "n": planned.get(check, 0)}
            for check, digest in report.provenance.data
        ],
        "metrics": [_metric(one) for one in report.findings[:_MOST_METRICS]],
        "baseline": {"digest": {"sha256": report.baseline.digest}} if report.baseline else None,
        "sandbox": {"mode": ", ".join(sorted(sandboxes)) or None},
        "tool": {"name": "mlgate", "version": tool},
    }


def _metric(one: Finding) -> Mapping[str, Json]:
    found: dict[str, Json] = {"rule": one.id, "outcome": one.outcome.name.lower(), "threshold": one.rule.limit_text}
    if one.measured is not None:
        ends = [_number(one.measured.low), _number(one.measured.high)]
        found |= {"value": _number(one.measured.value), "n": one.measured.n, "ci": ends}
        found |= {"signature": one.measured.signature}
    return found


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
