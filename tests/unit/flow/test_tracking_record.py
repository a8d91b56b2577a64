"""What a tracker is told of a verdict: all of its numbers, under names that tell them apart, and one key a verdict."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import load_samples
from tests.support.samples import ALL, BLEU, ROUGE, failing, measured, passing, report, rule, warned
from tests.support.strategies import hostile, reports

from mlgate.core.check import Bound, Rule
from mlgate.core.evidence import Environment, Provenance
from mlgate.core.limits import hold_limit
from mlgate.core.outcome import Outcome
from mlgate.core.report import BaselineSummary, Report
from mlgate.core.tracking.record import DataUsed, TrackingRecord
from mlgate.flow.tracking_record import key, record


def told(of: Report, **more: Any) -> TrackingRecord:
    given: dict[str, Any] = {"verdict": "f0" * 32, "began": 1, "data": (), "tags": {}, "files": {}}
    return record(of, **{**given, **more})


# -- the key ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_a_retry_has_the_same_key(name: str) -> None:
    again = told(ALL[name](), began=2, verdict="other words", tags={"mlgate.link": "https://ci.example/2"})
    assert told(ALL[name]()).key == again.key == key(ALL[name]())


def moved(of: Report) -> Report:
    """Return the report as it is when nothing but mlgate.yaml's lines and the order of its rules changed."""
    findings = [replace(one, rule=replace(one.rule, where="mlgate.yaml:99:9", note="a note")) for one in of.findings]
    return replace(of, findings=tuple(reversed(findings)))


def test_where_a_rule_stands_and_in_which_order_is_no_other_verdict() -> None:
    assert key(moved(failing())) == key(failing())


def ruled(of: Report, **change: Any) -> Report:
    first, *others = of.findings
    return replace(of, findings=(replace(first, rule=replace(first.rule, **change)), *others))


OTHER_RULES: list[dict[str, Any]] = [
    {"metric": "chrf"},
    {"bound": Bound.MAX},
    {"limit": 0.30000000000000004},
    {"relative": True},
    {"confidence": 0.99},
    {"on_breach": Outcome.WARNED},
    {"on_inconclusive": Outcome.WARNED},
    {"slice_by": "module"},
]


@pytest.mark.parametrize("change", OTHER_RULES, ids=str)
def test_another_rule_is_another_verdict(change: dict[str, Any]) -> None:
    assert key(ruled(passing(), **change)) != key(passing())


def test_every_field_that_tells_two_rules_apart_is_in_the_key_and_what_they_are_called_is_not() -> None:
    class Limit(Rule):
        """What Rule may be called tomorrow."""

    first = passing().findings[0].rule
    renamed = ruled(passing())
    one = Limit(*(getattr(first, field.name) for field in fields(Rule)))
    renamed = replace(renamed, findings=(replace(renamed.findings[0], rule=one), *renamed.findings[1:]))
    assert key(renamed) == key(passing())
    judged = {field.name for field in fields(Rule) if field.compare and field.name != "where"}
    assert judged == {name for change in OTHER_RULES for name in change}, "is the new field in flow/tracking_record.py?"


def test_a_verdict_that_was_logged_keeps_its_key() -> None:
    assert key(passing()) == "0e1488dc5137976fd36b2a84d4a9811396bbd6577fa959ea72c898461d8543e2"


@pytest.mark.parametrize(
    "other",
    [
        replace(passing(), evidence="e2" * 32),
        replace(passing(), model="another"),
        replace(passing(), baseline=None),
        replace(passing(), baseline=BaselineSummary("file baseline.jsonl.gz", "", "", "c8" * 32)),
        replace(passing(), findings=passing().findings[1:]),
        replace(passing(), findings=tuple(replace(one, check="others") for one in passing().findings)),
    ],
    ids=["evidence", "model", "no baseline", "baseline", "one rule less", "check"],
)
def test_other_evidence_another_baseline_and_fewer_rules_are_another_verdict(other: Report) -> None:
    assert key(other) != key(passing())


def test_a_baseline_that_only_moved_is_the_same_verdict() -> None:
    elsewhere = BaselineSummary("MLflow summarizer@champion, version 7", "", "", "c7" * 32)
    assert key(replace(passing(), baseline=elsewhere)) == key(passing())


# -- the numbers --------------------------------------------------------------------------------------------------


def test_every_measurement_is_there_with_its_interval_its_count_and_its_baseline() -> None:
    metrics = told(passing()).metrics
    assert metrics == {
        "summaries/rougeL": 0.33871,
        "summaries/rougeL.low": 0.33871 - 0.0122,
        "summaries/rougeL.high": 0.33871 + 0.0122,
        "summaries/rougeL.n": 200.0,
        "summaries/rougeL.baseline": 0.3312,
        "summaries/bleu": 14.2034,
        "summaries/bleu.low": 14.2034 - 1.31,
        "summaries/bleu.high": 14.2034 + 1.31,
        "summaries/bleu.n": 200.0,
        "summaries/bleu.baseline": 13.87,
        "summaries/examples": 200.0,
        "summaries/failed": 0.0,
        "summaries/missing": 0.0,
    }


def test_every_slice_is_there_with_its_own_baseline() -> None:
    metrics = told(failing()).metrics
    for name, change in {"parser": -0.071, "cli": -0.004, "net": -0.012, "io": 0.006}.items():
        assert metrics[f"summaries/module:{name}/rougeL"] == pytest.approx(0.3312 + change)
        assert metrics[f"summaries/module:{name}/rougeL.baseline"] == 0.3312


@pytest.mark.parametrize("name", load_samples.ALL)
def test_every_percentile_is_there_on_both_sides(name: str) -> None:
    one = load_samples.ALL[name]()
    metrics = told(one).metrics
    for load in one.loads:
        assert metrics[f"{load.check}/requests"] == load.requests
        assert metrics[f"{load.check}/requests.failed"] == load.failed
        for p in load.percentiles:
            place = f"{load.check}/{p.clock} p{p.quantile * 100:g} ms"
            said = {"": p.value, ".low": p.low, ".high": p.high, ".baseline": p.baseline}
            assert {end: metrics.get(place + end) for end in said} == {
                end: None if math.isnan(value) else value for end, value in said.items()
            }


def test_without_an_interval_there_is_no_end_and_nothing_is_missing() -> None:
    said = told(report([], [measured(ROUGE, 0.3)], []))
    assert said.metrics.keys() >= {"summaries/rougeL", "summaries/rougeL.n"}
    assert "summaries/rougeL.low" not in said.metrics
    assert "mlgate.not_a_number" not in said.tags


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_named_and_not_drawn(value: float) -> None:
    said = told(report([], [measured(ROUGE, value), measured(BLEU, 14.2)], [measured(BLEU, value)]))
    assert said.tags["mlgate.not_a_number"].split(", ")[0] == "summaries/bleu.baseline"
    assert "summaries/rougeL" in said.tags["mlgate.not_a_number"].split(", ")
    assert said.metrics["summaries/bleu"] == 14.2
    assert not said.metrics.keys() & {"summaries/rougeL", "summaries/bleu.baseline"}


@given(st.lists(hostile, min_size=2, max_size=4, unique=True))
def test_slices_of_any_name_stay_apart(values: list[str]) -> None:
    parts = [measured(ROUGE, float(i), slice_=f"module={value}") for i, value in enumerate(values)]
    metrics = told(report([], [measured(ROUGE, 9.0), *parts], [])).metrics
    assert metrics["summaries/rougeL"] == 9.0
    assert [metrics[f"summaries/module:{value}/rougeL"] for value in values] == [float(i) for i in range(len(values))]


@given(reports)
def test_any_report_has_a_record_of_finite_numbers(one: Report) -> None:
    said = told(one)
    assert all(math.isfinite(value) for value in said.metrics.values())
    assert all(said.tags.values())
    assert len(said.key) == 64


# -- the words ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_the_verdict_and_all_that_it_rests_on_are_tags(name: str) -> None:
    one = ALL[name]()
    tags = told(one).tags
    assert tags["mlgate.outcome"] == one.outcome.name.lower()
    assert tags["mlgate.reason"] == one.reason
    assert tags["mlgate.verdict"] == "f0" * 32
    assert tags["mlgate.evidence"] == one.evidence
    assert tags.get("mlgate.baseline", "") == (one.baseline.digest if one.baseline else "")


def test_a_tag_without_a_text_is_left_out_and_what_the_caller_knows_is_added() -> None:
    bare = replace(passing(), baseline=None, provenance=Provenance("", "s", "m", ()))
    tags = told(bare, tags={"mlgate.branch": "main"}).tags
    assert tags["mlgate.branch"] == "main"
    assert not tags.keys() & {"mlgate.commit", "mlgate.baseline", "mlgate.not_a_number"}


def test_its_name_says_model_outcome_and_commit() -> None:
    assert told(warned()).name == "docstring-summarizer warned 3f9c2d1"
    bare = replace(passing(), provenance=Provenance("", "s", "m", ()))
    assert told(bare).name == "docstring-summarizer passed"


def test_what_was_asked_of_what_are_its_parameters() -> None:
    params = told(failing()).params
    assert params["model"] == "docstring-summarizer"
    assert params["data/summaries"] == "d4" * 32
    assert params["rule/summaries/rougeL min"] == "0.3"
    assert params["rule/summaries/module/rougeL max_drop"] == "0.02"
    assert params["runner.cpu"] == "Example CPU"
    assert params["runner.sacrebleu"] == "2.6.0"
    assert told(warned()).params["rule/speech/wer max_rise"] == "10%"


def test_both_of_two_rules_of_one_bound_are_told() -> None:
    rouge = measured(ROUGE, 0.33)
    findings = [hold_limit(rule(Bound.MIN, limit), rouge) for limit in (0.3, 0.32, 0.3)]
    assert told(report(findings, [rouge], [])).params["rule/summaries/rougeL min"] == "0.3, 0.32"


def test_several_runners_are_told_apart() -> None:
    two = tuple(Environment("3.11.7", "Linux-x86_64", cpu, ()) for cpu in ("one", "other"))
    params = told(replace(passing(), environments=two)).params
    assert (params["runner1.cpu"], params["runner2.cpu"]) == ("one", "other")
    assert "runner.cpu" not in params


def test_what_a_report_does_not_know_is_handed_on_as_it_is() -> None:
    used = (DataUsed("summaries", "d4" * 32, "data/test.jsonl", 200),)
    said = told(passing(), data=used, files={"report.json": b"{}"}, began=7)
    assert (said.data, said.files, said.began, said.verdict) == (used, {"report.json": b"{}"}, 7, "f0" * 32)
