"""Every bound is held against the metric's range and direction, and whoever does what is told gets a sound file."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.config.small import BASELINE, RULE, SERVED, TIMED, config, told

from mlgate.config.translate.checks import to_check
from mlgate.core.check import Check, Example
from mlgate.core.errors import ConfigError

RECORDED = "{{kind: recorded, tests: [t.py], examples: 9, metrics: {{m: {{{}}}}}, rules: {{m: {{{}}}}}}}"
LOWER = "better: lower, unit: ratio"

REFUSED = [
    ("wer: {max: 15}", "stops nobody: a model that says nothing at all has wer 1", "write 0.15"),
    ("cer: {max: 8}", "stops nobody: a model that says nothing at all has cer 1", "write 0.08"),
    ("wer: {max: 1}", "stops nobody: a model that says nothing at all has wer 1", "write 0.01"),
    ("wer: {max: 100}", "stops nobody: a model that says nothing at all has wer 1", "e.g. 0.15"),
    ("ter: {max: 100}", "stops nobody: a model that says nothing at all has ter 100", "e.g. 60"),
    ("ter: {max: 0.6}", "can hardly be kept: ter is counted in points", "write 60"),
    ("error_rate: {max: 1}", "can never be broken: error_rate goes from 0 to 1", "write 0.01"),
    ("error_rate: {max: 5}", "can never be broken: error_rate goes from 0 to 1", "write 0.05"),
    ("wer: {max: -0.1}", "can never be kept: wer is never below 0", "write 0.1"),
    ("ter: {max: -5}", "can never be kept: ter is never below 0", "write 5"),
    ("rougeL: {min: -0.1}", "can never be broken: rougeL goes from 0 to 1", "write 0.1, or max_drop: 0.1"),
    ("rougeL: {min: 0}", "can never be broken: rougeL goes from 0 to 1", "e.g. 0.3"),
    ("bleu: {min: 0}", "can never be broken: bleu goes from 0 to 100", "e.g. 30"),
    ("accuracy: {min: 92}", "can never be reached: accuracy goes from 0 to 1", "write 0.92"),
    ("chrf: {min: 140}", "can never be reached: chrf goes from 0 to 100", "write at most 100"),
    ("wer: {min: 0.2}", "is the wrong way round: lower is better for wer", "write max: 0.2"),
    ("wer: {min: 15}", "is the wrong way round: lower is better for wer", "write max: 0.15"),
    ("error_rate: {min: 0.99}", "is the wrong way round: lower is better for error_rate", "write max: 0.01"),
    ("wer: {min: 0}", "is the wrong way round: lower is better for wer", "write max: 0.15"),
    ("wer: {min: 0.05, max: 0.2}", "is the wrong way round: lower is better for wer", "delete it"),
    ("rougeL: {max: 0.5}", "is the wrong way round: higher is better for rougeL", "write min: 0.5"),
    ("accuracy: {max: 80}", "is the wrong way round: higher is better for accuracy", "write min: 0.8"),
    ("bleu: {min: 20, max: 90}", "is the wrong way round: higher is better for bleu", "delete it"),
    ("wer: {max_drop: 2}", "is the wrong way round: lower is better for wer", "write max_rise: 0.02"),
    ("wer: {max_rise: 2}", "stops nobody: a model that says nothing", "write the rise that is still good enough: 0.02"),
    ("error_rate: {max_rise: 1}", "can never be broken", "write the rise that is still good enough: 0.01"),
    ("ter: {max_rise: 100}", "stops nobody", "write the rise that is still good enough: 1"),
    ("rougeL: {max_drop: 100%}", "can never be broken", "write the drop that is still good enough: 2% of"),
    ("macro_f1: {max_drop: 3}", "can never be broken", "write the drop that is still good enough: 0.03"),
]

REFUSED_TIMES = [
    ("p95_ms: {min: 5}", "is the wrong way round: lower is better for p95_ms", "write max: 5"),
    ("p95_ms: {min: 5, max: 120}", "is the wrong way round: lower is better for p95_ms", "delete it"),
    ("throughput_rps: {max: 50}", "is the wrong way round: higher is better for throughput_rps", "write min: 50"),
    ("throughput_rps: {max_drop: 100%}", "can never be broken: throughput_rps is always above 0", "2% of the baseline"),
    ("p95_ms: {max: -4}", "can never be kept: p95_ms is always above 0", "write a greater number"),
    ("error_rate: {max: 1}", "can never be broken: error_rate goes from 0 to 1", "write 0.01"),
    ("wer: {max: 15}", "stops nobody", "write 0.15"),
]

REFUSED_RECORDED = [
    (LOWER, "max: 15", "can never be broken: m goes from 0 to 1", "write 0.15"),
    (LOWER, "max: 1", "can never be broken: m goes from 0 to 1", "write 0.01"),
    (LOWER, "min: 0.9", "is the wrong way round: lower is better for m", "write max: 0.1"),
    (LOWER, "min: 0.1, max: 0.2", "is the wrong way round", "for a band, record how far the number is from what is"),
    ("better: higher, unit: points", "min: -3", "can never be broken: m goes from 0 to 100", "write 3, or max_drop: 3"),
    ("better: higher", "max: 3", "is the wrong way round: higher is better for m", "write min: 3"),
    ("better: lower, unit: ms", "min: -3", "is the wrong way round: lower is better for m", "write max: -3"),
]


@pytest.mark.parametrize(("rule", "says", "hint"), REFUSED, ids=[rule for rule, _, _ in REFUSED])
def test_a_bound_that_cannot_bind_or_hold_is_refused_with_what_was_meant(rule: str, says: str, hint: str) -> None:
    _refused(RULE.format(rule), says, hint)


@pytest.mark.parametrize(("rule", "says", "hint"), REFUSED_TIMES, ids=[rule for rule, _, _ in REFUSED_TIMES])
def test_a_bound_of_a_time_is_refused_likewise(rule: str, says: str, hint: str) -> None:
    _refused(TIMED.format("{rate: 5}", rule), says, hint, model=SERVED)


@pytest.mark.parametrize(("metric", "rule", "says", "hint"), REFUSED_RECORDED)
def test_a_bound_of_what_tests_record_is_held_against_what_is_declared(
    metric: str, rule: str, says: str, hint: str
) -> None:
    _refused(RECORDED.format(metric, rule), says, hint)


def _refused(check: str, says: str, hint: str, model: str = "{python: a:b}") -> None:
    text = told(check=check, model=model, rest=BASELINE)
    assert says in text
    assert hint in text.rpartition(" (")[2]
    assert re.match(r"m\.yaml:3:\d+: checks\.c\.rules\.\w+\.m\w+ ", text)


SOUND = [
    "wer: {max: 0}",
    "wer: {max: 0.99}",
    "ter: {max: 99.9}",
    "ter: {max: 0}",
    "error_rate: {max: 0}",
    "accuracy: {min: 1}",
    "bleu: {min: 100}",
    "rougeL: {min: 0.001}",
    "wer: {max_rise: 300%}",
    "bleu: {max_drop: 99}",
]


@pytest.mark.parametrize("rule", SOUND)
def test_a_strict_or_a_wide_bound_that_can_bind_is_accepted(rule: str) -> None:
    config(check=RULE.format(rule), rest=BASELINE)


@pytest.mark.parametrize("rule", ["min: -3", "max_drop: 400%", "max_drop: 400", "min: 5000"])
def test_nothing_is_held_against_a_range_that_nobody_declared(rule: str) -> None:
    config(check=RECORDED.format("better: higher", rule), rest=BASELINE)


@given(
    st.sampled_from(["bleu", "rougeL", "wer", "ter", "error_rate", "accuracy"]),
    st.sampled_from(["min", "max", "max_drop", "max_rise"]),
    st.floats(-200, 200).map(lambda number: round(number, 3)),
)
def test_whoever_writes_what_hints_name_gets_a_sound_file(name: str, bound: str, number: float) -> None:
    rule = f"{bound}: {number!r}"
    for _ in range(4):
        hint = _hint_of(f"{name}: {{{rule}}}")
        if hint is None:
            return
        meant = re.search(r"(?:(min|max|max_drop|max_rise): )?(\d[\d.e-]*\d|\d)", hint)
        assert meant, hint
        bound = meant[1] or bound
        rule = f"{bound}: {meant[2]}"
    raise AssertionError(rule)


def _hint_of(rule: str) -> str | None:
    """Return the next step that is told for a rule; None where it is sound."""
    try:
        config(check=RULE.format(rule), rest=BASELINE)
    except ConfigError as refused:
        return refused.hint
    return None


def _sound(rule: str, rest: str = BASELINE) -> Check:
    return to_check(config(check=RULE.format(rule), rest=rest), "c", [Example("a", "b", ("some text to keep",))])


@pytest.mark.parametrize(
    ("rule", "meant"),
    [
        ("bleu: {max_drop: 0.01}", "max_drop 0.01 is nearly nothing (meant 1?)"),
        ("chrf: {max_drop: 0.02}", "max_drop 0.02 is nearly nothing (meant 2?)"),
        ("ter: {max_rise: 0.05}", "max_rise 0.05 is nearly nothing (meant 5?)"),
        ("bleu: {min: 0.4}", "min 0.4 is nearly nothing (meant 40?)"),
    ],
)
def test_a_fraction_of_a_point_is_named_and_accepted(rule: str, meant: str) -> None:
    assert any(meant in notice for notice in _sound(rule).notices)


@pytest.mark.parametrize("rule", ["bleu: {max_drop: 0.5}", "rougeL: {max_drop: 0.01}", "bleu: {max_drop: 0}"])
def test_a_margin_that_people_mean_has_no_notice(rule: str) -> None:
    assert not _sound(rule).notices
