"""Baselines never walk downhill: what is worse, or was not shown to be as good, is not the next one's baseline."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from tests.support.samples import ROUGE, delta, errored, failing, inconclusive, measured, passing, report, rule, warned
from tests.support.strategies import reports

from mlgate.core.check import Bound
from mlgate.core.comparison import hold_baseline
from mlgate.core.limits import hold_limit
from mlgate.core.outcome import Outcome
from mlgate.core.report import Report
from mlgate.core.verdict import Finding
from mlgate.flow.baseline_eligibility import refusal

ROUGE_NOW, ROUGE_THEN = measured(ROUGE, 0.33, 0.012), measured(ROUGE, 0.35, 0.012)
LIMIT = hold_limit(rule(Bound.MIN, 0.3), ROUGE_NOW)


def comparing(topic: str, outcome: Outcome) -> Finding:
    found = hold_baseline(rule(Bound.MAX_DROP, 0.01), ROUGE_NOW, ROUGE_THEN, delta(-0.02, 0.005))
    return replace(found, topic=topic, outcome=outcome)


def of(*findings: Finding) -> Report:
    return report(list(findings), [ROUGE_NOW], [ROUGE_THEN])


def test_what_passes_is_accepted() -> None:
    assert refusal(passing()) == ""


@pytest.mark.parametrize("made", [failing, errored, inconclusive])
def test_what_blocks_is_refused_with_the_reason(made: object) -> None:
    assert callable(made)
    one = made()
    assert refusal(one) == f"its verdict is {one.outcome.name.lower()}: {one.reason}"


def test_no_rule_at_all_is_refused() -> None:
    assert refusal(of()).startswith("its verdict is inconclusive")


def test_a_comparison_that_only_warns_is_refused_and_named() -> None:
    assert warned().outcome is Outcome.WARNED
    assert refusal(warned()) == f"a comparison does not pass: speech: {warned().findings[0].why}"


@pytest.mark.parametrize("topic", ["max_drop", "inconclusive", "too-few", "signatures", "not-measured"])
def test_a_warning_of_any_comparison_refuses_whatever_it_is_about(topic: str) -> None:
    assert refusal(of(comparing(topic, Outcome.WARNED), LIMIT)).startswith("a comparison does not pass")


@pytest.mark.parametrize("topic", ["no-baseline", "unusable-baseline"])
def test_without_anything_to_compare_with_a_first_baseline_is_accepted(topic: str) -> None:
    assert refusal(of(comparing(topic, Outcome.WARNED), LIMIT)) == ""
    assert refusal(of(comparing(topic, Outcome.INCONCLUSIVE), LIMIT)).startswith("its verdict is inconclusive")


def test_a_limit_that_only_warns_is_accepted() -> None:
    low = hold_limit(rule(Bound.MIN, 0.5, on_breach=Outcome.WARNED), ROUGE_NOW)
    assert low.outcome is Outcome.WARNED
    assert refusal(of(low)) == ""


def test_a_later_comparison_is_looked_at_too() -> None:
    low = hold_limit(rule(Bound.MIN, 0.5, on_breach=Outcome.WARNED), ROUGE_NOW)
    findings = (low, comparing("no-baseline", Outcome.WARNED), comparing("max_drop", Outcome.WARNED))
    assert refusal(of(*findings)).startswith("a comparison does not pass")


@given(reports)
def test_nothing_that_blocks_is_ever_accepted(one: Report) -> None:
    assert refusal(one) or not one.outcome.blocks
