"""A baseline that fails is none: what failed scores as an empty answer, and anything looks better than that."""

from __future__ import annotations

import pytest

from mlgate.checks.accuracy import AccuracyKind
from mlgate.core.check import Bound, Check, Example, MetricChoice, Rule, Suite, data_digest
from mlgate.core.evidence import Evidence, Gap, Observation, Provenance
from mlgate.core.outcome import Outcome
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


@pytest.mark.parametrize("failed", [5, 40])
def test_a_worse_model_does_not_pass_against_a_baseline_that_fails(failed: int) -> None:
    report = judge(SUITE, {"accuracy": AccuracyKind()}, seen(0, right=10), Baseline("endpoint b", seen(failed)))
    (finding,) = [one for one in report.findings if one.rule.bound is Bound.MAX_DROP]
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "of its answers failed, and the check lets 10.0% fail" in finding.why


def test_a_baseline_that_fails_no_more_than_is_allowed_is_compared() -> None:
    report = judge(SUITE, {"accuracy": AccuracyKind()}, seen(0, right=10), Baseline("endpoint b", seen(4)))
    (finding,) = [one for one in report.findings if one.rule.bound is Bound.MAX_DROP]
    assert finding.outcome is Outcome.FAILED
