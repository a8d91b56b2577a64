"""Where only some examples are compared: what is shown beside each other, and slices that none of them is in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlgate.core.asked import marked
from mlgate.core.check import Bound, Check, Example, MetricChoice, Rule, Suite, data_digest
from mlgate.core.evidence import Evidence, Observation, Provenance
from mlgate.core.outcome import Outcome
from mlgate.core.report import Report
from mlgate.flow.fitting import Use
from mlgate.flow.judge import Baseline, judge
from mlgate.reports.content.numbers import figures_of
from mlgate.wiring.kinds import KINDS

WHOLE = Rule("exact_match", Bound.MAX_DROP, 0.1)
BY_LANG = replace(WHOLE, slice_by="lang")


def check(asked: dict[str, str], *rules: Rule) -> Check:
    examples = tuple(
        Example(f"{lang}{i}", f"{lang} {i}{asked[lang]}", (f"r{i}",), (("lang", lang),))
        for lang in ("x", "y")
        for i in range(200)
    )
    metrics = (MetricChoice("exact_match", "exact_match"),)
    return Check("c", "accuracy", examples, metrics, rules or (WHOLE,), ("lang",), data_digest(examples))


def observed(of: Check, failing: str = "") -> Evidence:
    rows = [
        Observation("c", one.id, {"answer": "?" if failing and one.id.startswith(failing) else one.references[0]})
        for one in of.examples
    ]
    suite = Suite.of([of])
    return marked(suite, Evidence.of(Provenance("", suite.digest, "m", (("c", of.data_digest),)), [], rows))


def judged(today: Check, failing: str = "", *, bootstrap: bool = False) -> Report:
    """Judge against a baseline of `x 0` … and `y 0` …, all of them right."""
    before = observed(check({"x": "", "y": ""}))
    baseline = Baseline("file b", before, bootstrap=bootstrap, use=Use.COMMON)
    return judge(Suite.of([today]), KINDS, observed(today, failing), baseline)


ALL_OF_Y_NEW = {"x": "", "y": "?"}


def test_a_slice_that_a_rule_names_is_not_kept_where_nothing_of_it_was_compared() -> None:
    report = judged(check(ALL_OF_Y_NEW, WHOLE, BY_LANG), "y")
    assert report.verdict.outcome is Outcome.INCONCLUSIVE
    (found,) = [one for one in report.findings if one.slice == "lang=y"]
    assert found.why == "the baseline was asked none of the examples of lang=y: nothing can be compared"


def test_whoever_says_that_there_is_nothing_to_compare_with_gets_further() -> None:
    report = judged(check(ALL_OF_Y_NEW, WHOLE, BY_LANG), bootstrap=True)
    assert report.verdict.outcome is Outcome.WARNED


def test_a_slice_that_no_rule_names_is_told_where_nothing_of_it_was_compared() -> None:
    report = judged(check(ALL_OF_Y_NEW), "y")
    assert "c: the candidate's own values are of all 400 examples; nothing is compared in lang=y" in report.notices


@pytest.mark.parametrize("failing", ["x1", "y1"])
def test_no_change_is_shown_between_values_of_different_examples(failing: str) -> None:
    """`x1`: 111 of the slice fail, all of them new; the baseline was asked the others."""
    today = check({"x": "", "y": ""})
    moved = tuple(replace(one, input="new") if one.id.startswith("x1") else one for one in today.examples)
    report = judged(replace(today, examples=moved, data_digest=data_digest(moved), rules=()), failing)
    shown = {one.measured.slice: one.change for one in figures_of(report)}
    assert shown["lang=x"] == "\N{EN DASH}"
    assert shown["lang=y"] == ("+0.0000" if failing == "x1" else "\N{MINUS SIGN}0.5550")
