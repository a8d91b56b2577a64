"""The report as JSON, version 1: a frozen form of its own, so that renaming inside never changes what others read.

Reading is in `json_v1_reader`, the mirror of this file; the schema is in `json_v1_schema`. Numbers that JSON cannot
carry are the words `nan`, `inf` and `-inf`. Findings carry their measurements whole, so that
`.findings[].candidate.value` needs no second look-up.
"""

from __future__ import annotations

import json

from mlgate.core.evidence import Environment, Provenance
from mlgate.core.report import BaselineSummary, CheckSummary, Report, Segment
from mlgate.core.rule_change import Policy
from mlgate.core.stats.jackknife import Width
from mlgate.core.verdict import Delta, Finding, Measurement
from mlgate.reports.json_v1 import loads
from mlgate.reports.json_v1.reader import SCHEMA, VERSION, parse
from mlgate.reports.json_v1.schema import schema
from mlgate.reports.json_v1.strict_json import Value, number

__all__ = ["SCHEMA", "VERSION", "parse", "render", "schema"]


def render(report: Report) -> str:
    r"""Return *report* as canonical JSON: sorted keys, two blanks, ASCII, a newline at the end.

    `##[` inside a string is written `#\u0023[`: the same string, and no workflow command when the file is printed.
    """
    document: Value = {
        "schema": SCHEMA,
        "version": VERSION,
        "outcome": report.outcome.name.lower(),
        "exit_code": report.outcome.exit_code,
        "reason": report.reason,
        "model": report.model,
        "suite": report.suite,
        "evidence": report.evidence,
        "provenance": _provenance(report.provenance),
        "environments": [_environment(e) for e in report.environments],
        "checks": [_check(c) for c in report.checks],
        "findings": [_finding(f) for f in report.findings],
        "measurements": [_measurement(m) for m in report.measurements],
        "baseline_measurements": [_measurement(m) for m in report.before],
        "baseline": _baseline(report.baseline) if report.baseline else None,
        "segments": [_segment(s) for s in report.segments],
        "notices": list(report.notices),
        "loads": [loads.write(load) for load in report.loads],
        "policy": _policy(report.policy) if report.policy else None,
    }
    text = json.dumps(document, sort_keys=True, indent=2, ensure_ascii=True, allow_nan=False)
    return text.replace("##[", "#\\u0023[") + "\n"


def _provenance(provenance: Provenance) -> Value:
    return {
        "commit": provenance.commit,
        "suite": provenance.suite,
        "model": provenance.model,
        "data": [{"check": check, "digest": digest} for check, digest in provenance.data],
        "baseline": provenance.baseline,
        "run": provenance.run,
    }


def _policy(policy: Policy) -> Value:
    changes: list[Value] = [
        {"direction": change.direction.value, "what": change.what, "where": change.where} for change in policy.changes
    ]
    return {"source": policy.source, "changes": changes}


def _environment(environment: Environment) -> Value:
    return {
        "python": environment.python,
        "platform": environment.platform,
        "cpu": environment.cpu,
        "versions": [{"name": name, "version": version} for name, version in environment.versions],
    }


def _check(check: CheckSummary) -> Value:
    return {
        "id": check.id,
        "kind": check.kind,
        "planned": check.planned,
        "answered": check.answered,
        "gaps": check.gaps,
        "missing": check.missing,
    }


def _baseline(baseline: BaselineSummary) -> Value:
    return {
        "source": baseline.source,
        "commit": baseline.commit,
        "model": baseline.model,
        "digest": baseline.digest,
    }


def _segment(segment: Segment) -> Value:
    return {
        "check": segment.check,
        "metric": segment.name,
        "example": segment.example,
        "moved": number(segment.moved),
        "input": segment.input,
        "references": list(segment.references),
        "candidate_answer": segment.answer,
        "baseline_answer": segment.baseline,
    }


def _measurement(measurement: Measurement) -> Value:
    return {
        "check": measurement.check,
        "metric": measurement.name,
        "kind": measurement.metric.name,
        "unit": measurement.metric.unit,
        "better": measurement.metric.better.value,
        "slice": measurement.slice,
        "value": number(measurement.value),
        "n": measurement.n,
        **({} if measurement.groups is None else {"groups": measurement.groups}),
        "low": number(measurement.low),
        "high": number(measurement.high),
        "signature": measurement.signature,
    }


def _delta(delta: Delta) -> Value:
    return {
        "value": number(delta.value),
        "low": number(delta.low),
        "high": number(delta.high),
        "alone": _width(delta.alone),
        "family": _width(delta.family),
        "identical": delta.identical,
        **({"unseen": number(delta.unseen)} if delta.unseen else {}),
        "base": number(delta.base),
        **({"error": number(delta.error)} if delta.error else {}),
        **({"rounds": delta.rounds} if delta.rounds else {}),
        **({"by_request": True} if delta.by_request else {}),
        **({"sure": number(delta.sure)} if delta.sure else {}),
    }


def _width(width: Width) -> Value:
    return {"half": number(width.half), "spread": number(width.spread), "floor": number(width.floor)}


def _finding(finding: Finding) -> Value:
    rule = finding.rule
    return {
        "id": finding.id,
        "check": finding.check,
        "slice": finding.slice,
        "slice_by": rule.slice_by,
        "metric": rule.metric,
        "bound": rule.bound.value,
        "limit": number(rule.limit),
        "relative": rule.relative,
        "confidence": number(rule.confidence),
        "on_breach": rule.on_breach.name.lower(),
        "on_inconclusive": rule.on_inconclusive.name.lower(),
        "where": rule.where,
        "outcome": finding.outcome.name.lower(),
        "why": finding.why,
        "topic": finding.topic,
        "docs": finding.docs,
        "candidate": _measurement(finding.measured) if finding.measured else None,
        "baseline": _measurement(finding.baseline) if finding.baseline else None,
        "delta": _delta(finding.delta) if finding.delta else None,
    }
