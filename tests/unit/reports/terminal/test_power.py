from __future__ import annotations

import math
from dataclasses import replace

import pytest
from tests.support.samples import passing
from tests.unit.core.test_power import RATE, TIME, compared, finding

from mlgate.core.check import Bound, Check, Json, Suite
from mlgate.core.evidence import Evidence
from mlgate.core.metric import Metric
from mlgate.core.outcome import Outcome
from mlgate.core.power import Forecast
from mlgate.core.stats.jackknife import Width
from mlgate.core.verdict import Delta, Finding
from mlgate.flow.judge import Baseline
from mlgate.flow.power import foretell
from mlgate.reports.terminal.power import render

LATENCY = Delta(0.4, Width(0.06), Width(0.08), base=40.0, rounds=60, error=0.03, by_request=True)
STEADY: dict[str, Json] = {"mode": "open", "block_s": 0.5, "warm": 4, "looks": [64]}


def of(*findings: Finding, params: dict[str, Json] = STEADY, planned: int = 64, there: bool = True) -> Forecast:
    """Foretell of findings of one report: of checks of 60 rounds of two half seconds behind 4 to warm up."""
    checks = [Check(name, "latency", (), params=params, rounds=planned) for name in {each.check for each in findings}]
    data = tuple((each.check, "digest") for each in findings if there)
    provenance = replace(passing().provenance, data=data)
    baseline = Baseline("file b", Evidence.of(provenance, [], []))
    return foretell(Suite.of(checks), replace(passing(), findings=findings, provenance=provenance), baseline)


def slower(limit: float = 0.1, delta: Delta = LATENCY) -> Finding:
    return finding(delta, limit, unit=TIME, relative=True)


def shown(forecast: Forecast, width: int = 80) -> str:
    text = render(forecast, width)
    assert max(map(len, text.splitlines())) <= width
    return " ".join(text.split())


def test_a_table_says_what_would_let_harmless_changes_through() -> None:
    found = of(finding(compared(0.002)), finding(compared(0.01)), slower())
    assert render(found, 80) == (
        "rule      margin  known to  pass  so that 95% pass\n"
        "c/rougeL    0.01   ±0.0039  100%\n"
        "c/rougeL    0.01   ±0.0196   17%  13,000 examples, or max_drop: 0.037\n"
        "c/p50_ms     10%     ±6.2%   88%  budget: 85s, or max_rise: 12%\n"
        "\n"
        "Of 100 harmless changes that vary as much as this run did, about 15 would pass.\n"
        "Most of the others are stopped by c/rougeL.\n"
        "margin: what the rule allows. known to: half of the 95% interval at the last\n"
        "look. pass: the share of harmless changes that do.\n"
        'Every number is "about": foretold from one run of 1,000 examples and of 60\n'
        "rounds.\n"
    )


def test_what_one_rule_stops_is_not_said_to_be_stopped_by_it() -> None:
    assert "Most of the others" not in shown(of(finding(compared(0.01))))


def test_a_run_that_ended_early_is_said_to_be_part_of_one() -> None:
    assert "15 of 60 planned rounds" in shown(of(slower(delta=replace(LATENCY, rounds=15))))


def test_a_run_that_is_started_over_has_the_budget_of_one_try() -> None:
    once, twice = (of(slower()), of(slower(), params={**STEADY, "once": 64}, planned=128))
    assert once == twice
    assert once.found[0].enough == 85


def test_a_budget_is_for_the_last_of_the_looks_that_it_brings() -> None:
    """An only look asks for 2.00 standard errors here, the last of eight for 2.08 and more."""
    (told,) = of(slower()).found
    rounds = told.enough
    half = 0.03 * math.sqrt(60 / rounds) * 2.09
    assert math.log(1.1) - half >= 1.645 * 0.03 * math.sqrt(60 / rounds)


def test_stages_have_no_budget_and_are_told_how_long_they_must_be() -> None:
    text = shown(of(slower(), params={**STEADY, "mode": "stages"}))
    assert "budget" not in text
    assert "stages of 80s in all, or max_rise: 12%" in text


def test_a_search_has_neither() -> None:
    text = shown(of(slower(), params={"mode": "find", "block_s": 5.0, "looks": []}))
    assert "budget" not in text
    assert "stages" not in text


@pytest.mark.parametrize("block", [0.05, 0.5])
def test_a_budget_that_nobody_would_give_is_none(block: float) -> None:
    """0.05 s: it is not long, but of more rounds than a check can have."""
    wide = replace(LATENCY, alone=Width(0.6), error=0.3)
    text = shown(of(slower(delta=wide), params={**STEADY, "block_s": block}))
    assert "max_rise: 200% (no budget is enough)" in text


def test_so_many_examples_as_nobody_has_are_no_advice() -> None:
    text = shown(of(finding(compared(0.03))))
    assert "max_drop: 0.11 (no number of examples is enough)" in text


def test_times_of_another_run_are_not_told_a_number_of_examples() -> None:
    text = shown(of(slower(delta=replace(LATENCY, rounds=0, error=0.0))))
    assert "c/p50_ms 10% ±6.2% 88% max_rise: 12% Of 100" in text


def test_an_absolute_margin_stays_in_the_metrics_unit() -> None:
    text = shown(of(finding(LATENCY, 1.0, unit=TIME)))
    assert "c/p50_ms 1 ms ±2.47 ms 12% budget: 1230s, or max_rise: 4.7 Of 100" in text


def test_a_rate_can_fall_by_less_than_all_of_it() -> None:
    wide = replace(LATENCY, alone=Width(0.6), error=0.3)
    assert "max_drop: 67%" in shown(of(finding(wide, 0.1, unit=RATE, relative=True)))
    wider = replace(LATENCY, alone=Width(6.0), error=3.0)
    text = shown(of(finding(wider, 0.1, unit=RATE, relative=True)))
    assert "max_drop" not in text
    assert "no margin and no budget is enough" in text


@pytest.mark.parametrize(
    ("on_breach", "mark"),
    [(Outcome.WARNED, "c/rougeL (warns only)"), (Outcome.FAILED, "c/rougeL (warns unless shown worse)")],
)
def test_what_only_warns_stops_nothing(on_breach: Outcome, mark: str) -> None:
    one = finding(compared(0.01))
    one = replace(one, rule=replace(one.rule, on_breach=on_breach, on_inconclusive=Outcome.WARNED))
    text = shown(of(one, finding(compared(0.002))), 100)
    assert mark in text
    assert "about 100 would pass" in text
    assert "No rule here stops a change" in shown(of(one))


def test_noise_stops_a_change_whatever_is_said_of_inconclusive() -> None:
    one = replace(slower(), topic="noise")
    one = replace(one, rule=replace(one.rule, on_inconclusive=Outcome.WARNED))
    assert "warns" not in shown(of(one))


@pytest.mark.parametrize("width", [40, 50, 80])
def test_where_the_page_is_narrow_the_advice_has_lines_of_its_own(width: int) -> None:
    one = replace(finding(compared(0.01)), check="a-check-with-a-name")
    text = render(of(one), width)
    assert max(map(len, text.splitlines())) <= max(width, 50)
    assert "\nso that 95% pass:\n  a-check-with-a-name/rougeL:" in text
    assert "13,000 examples, or max_drop: 0.037" in " ".join(text.split())


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_cannot_be_foretold_is_no_number(bad: float) -> None:
    lost = replace(finding(replace(compared(0.01), alone=Width(bad), error=bad)), why="it has no finite interval")
    text = shown(of(lost, finding(compared(0.002))))
    assert "?" in text
    assert "would pass the other rules" in text
    assert "c/rougeL: it has no finite interval." in text


@pytest.mark.parametrize(
    "same", [Delta(0.0, Width(0.0), Width(0.0), identical=True), Delta(0.0, Width(0.0), Width(0.0))]
)
def test_a_run_that_changed_nothing_says_nothing_of_changes(same: Delta) -> None:
    text = shown(of(finding(same)))
    assert "100%" not in text
    assert "±" not in text
    assert "this run changed nothing, so nothing can be foretold: it takes the evidence of a run of another" in text
    assert "would pass" not in text
    assert "about" not in text


def test_too_few_examples_are_told_how_many_and_no_margin() -> None:
    one = finding(compared(0.002))
    assert one.measured is not None
    text = shown(of(replace(one, measured=replace(one.measured, n=12))))
    assert "0% 20 examples at least" in text
    assert "max_drop:" not in text


def test_a_name_from_outside_reaches_the_terminal_escaped() -> None:
    hostile = replace(finding(compared(0.002)), check="c\x1b[2J")
    lost = replace(hostile, delta=None, why="x\x1b[2J")
    assert "\x1b" not in render(of(hostile), 80) + render(of(lost), 80)


def test_a_margin_of_zero_has_no_number_of_examples() -> None:
    assert "(no number of examples is enough)" in shown(of(finding(compared(0.002), 0.0)))


def test_a_comparison_that_the_run_did_not_make_is_named_with_its_reason() -> None:
    lost = replace(finding(LATENCY, unit=TIME), delta=None, topic="not-measured", why="it ended at none of its looks")
    assert "Not foretold: c/p50_ms: it ended at none of its looks" in shown(of(finding(compared(0.002)), lost))


LOST = replace(finding(compared(0.002)), delta=None, topic="no-baseline")


def test_no_rule_that_compares_is_told_what_to_write() -> None:
    one = replace(LOST, rule=replace(LOST.rule, bound=Bound.MIN))
    assert shown(of(one)) == (
        "nothing to foretell: no rule compares with a baseline "
        "next: write max_drop or max_rise into a rule, and run mlgate check"
    )


def test_a_configuration_without_a_baseline_is_told_to_give_one() -> None:
    report = replace(passing(), findings=(LOST,), provenance=replace(passing().provenance, data=(("c", "d"),)))
    text = shown(foretell(Suite.of([Check("c", "accuracy", ())]), report, None))
    assert text.startswith("nothing to foretell: c/rougeL: there is no `baseline:` section")
    assert "next: write `baseline: {from: file, path: baseline.jsonl.gz}`" in text


def test_a_baseline_that_is_not_there_is_told() -> None:
    report = replace(passing(), findings=(LOST,), provenance=replace(passing().provenance, data=(("c", "d"),)))
    missing = Baseline("file b", None, "there is no baseline yet (file b); accept one")
    text = shown(foretell(Suite.of([Check("c", "accuracy", ())]), report, missing))
    assert text == "nothing to foretell: c/rougeL: there is no baseline yet (file b); accept one"


def test_a_check_that_the_evidence_does_not_have_is_told() -> None:
    text = shown(of(replace(LOST, topic="not-measured"), there=False))
    assert "the check c is not in this evidence: it is of another project, or the check was renamed" in text


def test_rules_of_slices_are_said_to_be_left_out() -> None:
    one = finding(compared(0.01))
    of_slice = replace(one, slice="kind=odd", rule=replace(one.rule, slice_by="kind"))
    text = shown(of(one, of_slice))
    assert "Not foretold: c/rougeL: it is held by slice, and slices are not foretold" in text


def test_a_number_that_a_run_has_once_is_compared_without_an_interval() -> None:
    one = replace(LOST, topic="max_drop", rule=replace(LOST.rule, metric="max_rps"))
    assert "c/max_rps: a run has this number once" in shown(of(one))


def test_a_metric_without_a_scale_has_a_margin_all_the_same() -> None:
    count = Metric("words", "", TIME.better)
    assert "max_rise: 0.037" in shown(of(finding(compared(0.01), unit=count)))
