"""A version 1 report read back from its JSON. Whatever `json_v1.render` would not have written is refused."""

from __future__ import annotations

from itertools import pairwise

from mlgate.core.check import Bound, Rule
from mlgate.core.evidence import Environment, Provenance
from mlgate.core.metric import Better, Metric
from mlgate.core.outcome import Outcome
from mlgate.core.report import BaselineSummary, CheckSummary, Report, Segment
from mlgate.core.rule_change import Direction, Policy, RuleChange
from mlgate.core.stats.jackknife import Width
from mlgate.core.verdict import Delta, Finding, Measurement
from mlgate.reports.json_v1 import loads
from mlgate.reports.json_v1.strict_json import Node, number

SCHEMA = "https://github.com/org/mlgate/blob/main/docs/reference/report.v1.schema.json"
VERSION = 1

_OUTCOMES = {outcome.name.lower(): outcome for outcome in Outcome}
_BETTER = {better.value: better for better in Better}
_DIRECTIONS = {direction.value: direction for direction in Direction}
_BOUNDS = {bound.value: bound for bound in Bound}


def parse(text: str) -> Report:
    """Return the report in *text*. Raises EvidenceError, with the path, for anything that is not one.

    What follows from other fields must agree with them: a file that says passed over findings that failed is refused.
    Only `reason` and `docs` are free, so that a later version may word them better.
    """
    fields = Node.of(text, "report").fields(
        *("schema", "version", "outcome", "exit_code", "reason", "model", "suite", "evidence", "provenance"),
        *("environments", "checks", "findings", "measurements", "baseline_measurements", "baseline", "segments"),
        *("notices", "loads", "policy"),
    )
    if fields["schema"].text() != SCHEMA or fields["version"].count() != VERSION:
        raise fields["version"].wrong(f"version {VERSION} with its schema")
    report = Report(
        model=fields["model"].text(),
        suite=fields["suite"].text(),
        evidence=fields["evidence"].text(),
        provenance=_provenance(fields["provenance"]),
        environments=fields["environments"].each(_environment),
        checks=fields["checks"].each(_check),
        findings=fields["findings"].each(_finding),
        measurements=fields["measurements"].each(_measurement),
        before=fields["baseline_measurements"].each(_measurement),
        baseline=fields["baseline"].maybe(_baseline),
        segments=fields["segments"].each(_segment),
        notices=fields["notices"].texts(),
        loads=fields["loads"].each(loads.read),
        policy=fields["policy"].maybe(_policy),
    )
    if any(a.outcome < b.outcome for a, b in pairwise(report.findings)):
        raise fields["findings"].wrong("the worst finding first")
    fields["reason"].text()
    _agree(fields["outcome"], fields["outcome"].choice(_OUTCOMES), report.outcome)
    _agree(fields["exit_code"], fields["exit_code"].count(), report.outcome.exit_code)
    return report


def _agree(node: Node, said: object, follows: object) -> None:
    if said != follows:
        raise node.wrong(f"what follows from the rest of the report, not {str(node.value)[:40]}")


def _provenance(node: Node) -> Provenance:
    fields = node.fields("commit", "suite", "model", "data", "baseline", "run")
    return Provenance(
        fields["commit"].text(),
        fields["suite"].text(),
        fields["model"].text(),
        fields["data"].each(lambda item: _pair(item, "check", "digest")),
        fields["baseline"].text(),
        fields["run"].text(),
    )


def _policy(node: Node) -> Policy:
    fields = node.fields("source", "changes")
    return Policy(fields["source"].text(), fields["changes"].each(_change))


def _change(node: Node) -> RuleChange:
    fields = node.fields("direction", "what", "where")
    return RuleChange(fields["direction"].choice(_DIRECTIONS), fields["what"].text(), fields["where"].text())


def _pair(node: Node, first: str, second: str) -> tuple[str, str]:
    fields = node.fields(first, second)
    return fields[first].text(), fields[second].text()


def _environment(node: Node) -> Environment:
    fields = node.fields("python", "platform", "cpu", "versions")
    return Environment(
        fields["python"].text(),
        fields["platform"].text(),
        fields["cpu"].text(),
        fields["versions"].each(lambda item: _pair(item, "name", "version")),
    )


def _check(node: Node) -> CheckSummary:
    fields = node.fields("id", "kind", "planned", "answered", "gaps", "missing")
    check = CheckSummary(
        fields["id"].text(),
        fields["kind"].text(),
        fields["planned"].count(),
        fields["answered"].count(),
        fields["gaps"].count(),
    )
    _agree(fields["missing"], fields["missing"].count(), check.missing)
    return check


def _baseline(node: Node) -> BaselineSummary:
    fields = node.fields("source", "commit", "model", "digest")
    return BaselineSummary(*(fields[name].text() for name in ("source", "commit", "model", "digest")))


def _segment(node: Node) -> Segment:
    fields = node.fields(
        "check", "metric", "example", "moved", "input", "references", "candidate_answer", "baseline_answer"
    )
    return Segment(
        check=fields["check"].text(),
        name=fields["metric"].text(),
        example=fields["example"].text(),
        moved=fields["moved"].number(),
        input=fields["input"].text(),
        references=fields["references"].texts(),
        answer=fields["candidate_answer"].text(),
        baseline=fields["baseline_answer"].maybe(Node.text),
    )


def _measurement(node: Node) -> Measurement:
    fields = node.fields(
        *("check", "metric", "kind", "unit", "better", "slice", "value", "n", "low", "high", "signature"),
        sometimes=["groups"],
    )
    return Measurement(
        check=fields["check"].text(),
        name=fields["metric"].text(),
        metric=Metric(fields["kind"].text(), fields["unit"].text(), fields["better"].choice(_BETTER)),
        value=fields["value"].number(),
        n=fields["n"].count(),
        low=fields["low"].number(),
        high=fields["high"].number(),
        signature=fields["signature"].text(),
        slice=fields["slice"].text(),
        groups=fields["groups"].count() if "groups" in fields else None,
    )


def _delta(node: Node) -> Delta:
    fields = node.fields(
        *("value", "low", "high", "alone", "family", "identical", "base"),
        sometimes=["unseen", "error", "rounds", "by_request", "sure"],
    )
    delta = Delta(
        value=fields["value"].number(),
        alone=_width(fields["alone"]),
        family=_width(fields["family"]),
        identical=fields["identical"].flag(),
        unseen=fields["unseen"].number() if "unseen" in fields else 0.0,
        base=fields["base"].number(),
        error=fields["error"].number() if "error" in fields else 0.0,
        rounds=fields["rounds"].count() if "rounds" in fields else 0,
        by_request=fields["by_request"].flag() if "by_request" in fields else False,
        sure=fields["sure"].number() if "sure" in fields else 0.0,
    )
    _agree(fields["low"], fields["low"].value, number(delta.low))
    _agree(fields["high"], fields["high"].value, number(delta.high))
    return delta


def _width(node: Node) -> Width:
    fields = node.fields("half", "spread", "floor")
    width = Width(spread=fields["spread"].number(), floor=fields["floor"].number())
    if width.half < 0:
        raise fields["half"].wrong("no width below zero")
    _agree(fields["half"], fields["half"].value, number(width.half))
    return width


def _finding(node: Node) -> Finding:
    fields = node.fields(
        *("id", "check", "slice", "slice_by", "metric", "bound", "limit", "relative", "confidence", "on_breach"),
        *("on_inconclusive", "where", "outcome", "why", "topic", "docs", "candidate", "baseline", "delta"),
    )
    rule = Rule(
        metric=fields["metric"].text(),
        bound=fields["bound"].choice(_BOUNDS),
        limit=fields["limit"].number(),
        relative=fields["relative"].flag(),
        confidence=fields["confidence"].number(),
        on_breach=fields["on_breach"].choice(_OUTCOMES),
        on_inconclusive=fields["on_inconclusive"].choice(_OUTCOMES),
        slice_by=fields["slice_by"].text(),
        where=fields["where"].text(),
    )
    finding = Finding(
        check=fields["check"].text(),
        rule=rule,
        outcome=fields["outcome"].choice(_OUTCOMES),
        why=fields["why"].text(),
        topic=fields["topic"].text(),
        slice=fields["slice"].text(),
        measured=fields["candidate"].maybe(_measurement),
        baseline=fields["baseline"].maybe(_measurement),
        delta=fields["delta"].maybe(_delta),
    )
    fields["docs"].text()
    _agree(fields["id"], fields["id"].text(), finding.id)
    return finding
