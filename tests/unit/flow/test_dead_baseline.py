"""A baseline that fails is none: what failed scores as an empty answer, and anything looks better than that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlgate.checks.accuracy import AccuracyKind
from mlgate.core.check import Bound, Check, Example, MetricChoice, Rule, Suite, data_digest
from mlgate.core.evidence import Evidence, Gap, Observation, Provenance
from mlgate.core.outcome import Outcome
from mlgate.core.verdict import Finding
from mlgate.flow.judge import Baseline, judge

EXAMPLES = tuple(Example(f"e{i}", f"input {i}", (f"answer {i}",)) for i in range(40))
CHECK = Check(
    "c",
    "accuracy",
    EXAMPLES,
    (MetricChoice("exact_match", "exact_match"), MetricChoice("error_rate", "error_rate")),
    (Rule("exact_match", Bound.MAX_DROP, 0.05), Rule("error_rate", Bound.MAX, 0.1)),
    data_digest=data_digest(EXAMPLES),
)
SUITE = Suite.of([CHECK])


def seen(failed: int, right: int = 40) -> Evidence:
    rows: list[Gap | Observation] = [Gap("c", example.id, "status 503", "model") for example in EXAMPLES[:failed]]
    for i, example in enumerate(EXAMPLES[failed:], failed):
        rows.append(Observation("c", example.id, {"answer": f"answer {i}" if i < right else "wrong"}))
    return Evidence.of(Provenance("", SUITE.digest, "m", (("c", CHECK.data_digest),)), [], rows)


def compared(failed: int, right: int, allowed: float = 0.1, *, bootstrap: bool = False) -> Finding:
    check = replace(CHECK, rules=(CHECK.rules[0], replace(CHECK.rules[1], limit=allowed)))
    baseline = Baseline("endpoint b", seen(failed), bootstrap=bootstrap)
    report = judge(Suite.of([check]), {"accuracy": AccuracyKind()}, seen(0, right), baseline)
    (finding,) = [one for one in report.findings if one.rule.bound is Bound.MAX_DROP]
    return finding


def test_a_worse_model_does_not_pass_against_a_baseline_that_is_down() -> None:
    finding = compared(failed=40, right=10)
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "100.0% of its answers failed, and the check lets 10.0% fail" in finding.why
    assert compared(failed=40, right=10, bootstrap=True).outcome is Outcome.WARNED


def test_a_baseline_that_fails_no_more_than_is_allowed_is_compared() -> None:
    assert compared(failed=4, right=40).outcome is Outcome.PASSED


@pytest.mark.parametrize("failed", [0, 3, 5, 20, 40])
@pytest.mark.parametrize("right", [0, 10, 36, 40])
def test_letting_fewer_answers_fail_never_makes_an_outcome_milder(failed: int, right: int) -> None:
    outcomes = [compared(failed, right, allowed).outcome for allowed in (1.0, 0.5, 0.1, 0.05, 0.0)]
    assert outcomes == sorted(outcomes)


def test_a_rule_that_a_change_brings_takes_no_comparison_of_its_base_back() -> None:
    rules = (CHECK.rules[0], replace(CHECK.rules[1], limit=0.0, added=True))
    suite = Suite.of([replace(CHECK, rules=rules)])
    report = judge(suite, {"accuracy": AccuracyKind()}, seen(0), Baseline("endpoint b", seen(4)))
    assert [one.outcome for one in report.findings if one.rule.bound is Bound.MAX_DROP] == [Outcome.PASSED]
