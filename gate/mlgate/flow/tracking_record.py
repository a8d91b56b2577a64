"""Report to record: what an experiment tracker is told of a verdict. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from mlgate.core.check import Json, Rule, digest_of
from mlgate.core.report import LoadSummary, Report
from mlgate.core.tracking.record import DataUsed, TrackingRecord
from mlgate.core.verdict import Measurement
from mlgate.flow.baseline_eligibility import refusal

_MOST_SLICES = 20
"""Of those that no rule judges, in each check."""


def record(
    report: Report,
    *,
    verdict: str,
    began: int,
    data: tuple[DataUsed, ...],
    tags: Mapping[str, str],
    files: Mapping[str, bytes],
) -> TrackingRecord:
    """Return the record of a verdict; *tags* and *files* are what the report itself does not know.

    Numbers that are none stand in the tag `mlgate.not_a_number`: a chart would draw a hole as a value.
    """
    numbers = dict(_metrics(report))
    broken = sorted(name for name, value in numbers.items() if not math.isfinite(value))
    outcome, commit = report.outcome.name.lower(), report.provenance.commit
    return TrackingRecord(
        key=key(report),
        name=f"{report.model} {outcome}" + (f" {commit[:7]}" if commit else ""),
        verdict=verdict,
        evidence=report.evidence,
        began=began,
        params=dict(_params(report)),
        metrics={name: value for name, value in numbers.items() if name not in set(broken)},
        tags={**_tags(report, verdict, broken), **tags},
        data=data,
        files=files,
    )


def _tags(report: Report, verdict: str, broken: Sequence[str]) -> Mapping[str, str]:
    """Return what the report says of itself; *broken* are the names of its numbers that are none."""
    found = {
        "mlgate.outcome": report.outcome.name.lower(),
        "mlgate.reason": report.reason,
        "mlgate.acceptable": "" if refusal(report) else "true",
        "mlgate.verdict": verdict,
        "mlgate.evidence": report.evidence,
        "mlgate.suite": report.suite,
        "mlgate.model": report.provenance.model,
        "mlgate.commit": report.provenance.commit,
        "mlgate.baseline": report.baseline.digest if report.baseline else "",
        "mlgate.not_a_number": ", ".join(broken),
    }
    return {name: text for name, text in found.items() if text}


def key(report: Report) -> str:
    """Return what two records of one verdict share: evidence, rules, and the evidence that it was held against."""
    rules = sorted({digest_of(_rule_as_json(check, rule)) for check, rule in _rules(report)})
    baseline = report.baseline.digest if report.baseline else ""
    return digest_of([report.model, report.evidence, rules, baseline, report.outcome.name])


def _rules(report: Report) -> Iterator[tuple[str, Rule]]:
    for finding in report.findings:
        yield finding.check, finding.rule


def _rule_as_json(check: str, rule: Rule) -> Json:
    return [
        check,
        {
            "metric": rule.metric,
            "bound": rule.bound.value,
            "limit": str(rule.limit),
            "relative": rule.relative,
            "confidence": str(rule.confidence),
            "on_breach": rule.on_breach.name,
            "on_inconclusive": rule.on_inconclusive.name,
            "slice_by": rule.slice_by,
        },
    ]


def _params(report: Report) -> Iterator[tuple[str, str]]:
    yield "model", report.model
    yield "model.digest", report.provenance.model
    yield "suite", report.suite
    for check, digest in report.provenance.data:
        yield f"data/{check}", digest
    limits: dict[
        str, dict[str, None]
    ] = {}  # in order, each once; a change may have added a second rule beside its base's
    for check, rule in _rules(report):
        by = f"/{rule.slice_by}" if rule.slice_by else ""
        name = f"rule/{check}{by}/{rule.metric} {rule.bound.value}"
        limits.setdefault(name, {})[rule.limit_text.partition(" ")[2]] = None
    for name, texts in limits.items():
        yield name, ", ".join(texts)
    for number, one in enumerate(report.environments, 1):
        which = f"runner{number}" if len(report.environments) > 1 else "runner"
        yield f"{which}.cpu", one.cpu
        yield f"{which}.platform", one.platform
        yield f"{which}.python", one.python
        for name, version in one.versions:
            yield f"{which}.{name}", version


def _metrics(report: Report) -> Iterator[tuple[str, float]]:
    before = {(m.check, m.name, m.slice): m for m in report.before}
    for one in (*(m for m in report.measurements if not m.slice), *_slices(report)):
        name = _name(one)
        yield name, one.value
        if not one.slice:
            yield f"{name}.n", _count(one.n)
            for end, value in (("low", one.low), ("high", one.high)):
                if not math.isnan(value):  # no interval can be given: nothing is missing
                    yield f"{name}.{end}", value
        past = before.get((one.check, one.name, one.slice))
        if past is not None:
            yield f"{name}.baseline", past.value
    for check in report.checks:
        yield f"{check.id}/examples", _count(check.planned)
        yield f"{check.id}/failed", _count(check.gaps)
        yield f"{check.id}/missing", _count(check.missing)
    for load in report.loads:
        yield from _times(load)


def _slices(report: Report) -> Iterator[Measurement]:
    """Yield the slices that rules judge, and the largest others: a page of a thousand charts shows nothing.

    report.json, which is among the files, has them all.
    """
    judged = {(finding.check, finding.slice) for finding in report.findings}
    others: dict[str, dict[str, int]] = {}
    for one in report.measurements:
        if one.slice and (one.check, one.slice) not in judged:
            others.setdefault(one.check, {})[one.slice] = one.n
    shown = judged | {
        (check, name)
        for check, sizes in others.items()
        for name in sorted(sizes, key=lambda name: -sizes[name])[:_MOST_SLICES]
    }
    yield from (one for one in report.measurements if one.slice and (one.check, one.slice) in shown)


def _name(one: Measurement) -> str:
    place = f"{one.check}/{one.slice.replace('=', ':', 1)}" if one.slice else one.check
    return f"{place}/{one.name}"


def _times(load: LoadSummary) -> Iterator[tuple[str, float]]:
    yield f"{load.check}/requests", _count(load.requests)
    yield f"{load.check}/requests.failed", _count(load.failed)
    for one in load.percentiles:
        name = f"{load.check}/{one.clock} p{one.quantile * 100:g} ms"
        for end, value in (("", one.value), (".low", one.low), (".high", one.high), (".baseline", one.baseline)):
            if not math.isnan(value):
                yield f"{name}{end}", value


def _count(count: int) -> float:
    """Return a count as a number; one that no float can hold, from a report that was edited, is none."""
    try:
        return float(count)
    except OverflowError:
        return math.nan
