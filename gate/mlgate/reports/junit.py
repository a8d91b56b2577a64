"""The report as JUnit XML, which every CI server reads: a suite a check, a test case a finding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlgate.core.outcome import Outcome
from mlgate.core.report import Report
from mlgate.core.rule_change import RuleChange
from mlgate.core.verdict import Finding
from mlgate.reports.content.causes import CAUSES, LONGEST
from mlgate.reports.content.escape import xml


def render(report: Report) -> str:
    """Return the XML, without times: the same report gives the same bytes.

    FAILED is a failure; ERRORED and INCONCLUSIVE are errors of that type, for a CI server has no "we do not know";
    WARNED passes, with the reason in `system-out`. A verdict that blocks without a finding, or is about another
    question than the base asks, gets a case of its own: an empty file would be green.
    """
    suites: dict[str, list[Finding]] = {check.id: [] for check in report.checks}
    for finding in report.findings:
        suites.setdefault(finding.check, []).append(finding)
    body = [line for check, findings in suites.items() for line in _suite(check, findings)]
    failures, errors = _counts(report.findings)
    further = 0
    if not report.findings:
        body.extend(_verdict(report))
        errors = further = 1
    elif report.questions:
        body.extend(_questions(report.questions))
        further = 1
    tests = len(report.findings) + further
    head = f'<testsuites name="mlgate" tests="{tests}" failures="{failures}" errors="{errors}">'
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *body, "</testsuites>", ""])


def _counts(findings: Sequence[Finding]) -> tuple[int, int]:
    failures = sum(1 for f in findings if f.outcome is Outcome.FAILED)
    return failures, sum(1 for f in findings if f.outcome.blocks) - failures


def _suite(check: str, findings: Sequence[Finding]) -> Iterator[str]:
    failures, errors = _counts(findings)
    yield (
        f'  <testsuite name="{xml(check)}" tests="{len(findings)}" failures="{failures}" errors="{errors}" skipped="0">'
    )
    told: dict[str, str] = {}
    for finding in findings:
        first = told.setdefault(finding.why, _name(finding)) if finding.topic in CAUSES else _name(finding)
        yield from _case(finding, finding.why if first == _name(finding) else f"for the same reason as {first}")
    yield "  </testsuite>"


def _name(finding: Finding) -> str:
    tail = f" [{finding.slice}]" if finding.slice else ""
    return f"{finding.rule.metric} {finding.rule.bound.value}{tail}"


def _case(finding: Finding, why: str) -> Iterator[str]:
    head = f'    <testcase classname="{xml(f"mlgate.{finding.check}")}" name="{xml(_name(finding))}"'
    if finding.outcome is Outcome.PASSED:
        yield f"{head}/>"
        return
    yield f"{head}>"
    more = f"{why}\n{finding.rule.limit_text}, {finding.rule.where}\n{finding.docs}"
    if finding.outcome is Outcome.WARNED:
        yield f"      <system-out>{xml(f'warned: {more}')}</system-out>"
    else:
        tag = "failure" if finding.outcome is Outcome.FAILED else "error"
        kind = finding.outcome.name.lower()
        yield f'      <{tag} type="{kind}" message="{xml(why, LONGEST)}">{xml(more)}</{tag}>'
    yield "    </testcase>"


def _questions(changes: Sequence[RuleChange]) -> Iterator[str]:
    said = "\n".join(f"{change.what}  {change.where}" for change in changes)
    yield '  <testsuite name="mlgate" tests="1" failures="0" errors="0" skipped="0">'
    yield '    <testcase classname="mlgate" name="question">'
    yield f"      <system-out>{xml(f'warned: not the question that the base asks: {said}')}</system-out>"
    yield "    </testcase>"
    yield "  </testsuite>"


def _verdict(report: Report) -> Iterator[str]:
    yield '  <testsuite name="mlgate" tests="1" failures="0" errors="1" skipped="0">'
    yield '    <testcase classname="mlgate" name="verdict">'
    yield f'      <error type="{report.outcome.name.lower()}" message="{xml(report.reason)}"/>'
    yield "    </testcase>"
    yield "  </testsuite>"
