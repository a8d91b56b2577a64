"""Judging is pure, and it never opens the gate for what it does not know."""

from __future__ import annotations

import hashlib
import math
import random
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgate.checks.accuracy import AccuracyKind
from mlgate.checks.recorded import RecordedKind
from mlgate.core.check import Bound, Check, Example, MetricChoice, Rule, Suite, data_digest, digest_of
from mlgate.core.comparison import hold_baseline, hold_slice
from mlgate.core.errors import Refused
from mlgate.core.evidence import Evidence, Gap, Observation, Provenance, Row
from mlgate.core.identity import CURRENT_FORM, FIRST_FORM
from mlgate.core.limits import hold_limit
from mlgate.core.metric import Better, Metric
from mlgate.core.outcome import Outcome, worst
from mlgate.core.ports import Kinds
from mlgate.core.stats.jackknife import SMALLEST_SLICE, Width
from mlgate.core.verdict import Delta, Finding, Measurement
from mlgate.flow.judge import Baseline, judge
from mlgate.flow.merge import merge
from mlgate.reports.json_v1 import document as json_v1

KINDS: Kinds = {"recorded": RecordedKind(), "accuracy": AccuracyKind()}
WORDS = ["the", "a", "cat", "dog", "sat", "ran", "on", "under", "mat", "house", "quickly", ".", ",", "big", "small"]


def recorded(n: int, *rules: Rule, slices: tuple[str, ...] = ()) -> Check:
    examples = tuple(Example(f"{i:03}", "", (), (("half", "left" if i % 2 else "right"),)) for i in range(n))
    choice = MetricChoice("quality", "recorded", {"better": "higher", "unit": "ratio"})
    return Check("tone", "recorded", examples, (choice,), rules, slices, data_digest(examples), {"tests": ["t"]})


def spoken(seed: int, n: int, *rules: Rule) -> tuple[Check, list[Row]]:
    """An accuracy check over made-up sentences, with answers that are partly right."""
    rng = random.Random(seed)
    examples, rows = [], []
    for i in range(n):
        reference = [rng.choice(WORDS) for _ in range(rng.randint(4, 14))]
        answer = [word if rng.random() < 0.8 else rng.choice(WORDS) for word in reference]
        examples.append(Example(f"{i:03}", f"input {i}", (" ".join(reference),)))
        rows.append(Observation("mt", f"{i:03}", {"answer": " ".join(answer)}))
    choices = tuple(MetricChoice(name, name) for name in ("bleu", "chrf", "rougeL", "exact_match"))
    return Check("mt", "accuracy", tuple(examples), choices, rules, (), data_digest(examples)), list(rows)


def run(suite: Suite) -> Provenance:
    return Provenance("abc", suite.digest, "m", tuple(sorted((c.id, c.data_digest) for c in suite.checks)))


def seen(suite: Suite, rows: list[Row]) -> Evidence:
    return Evidence.of(run(suite), [], rows)


values = st.lists(st.floats(0, 1), min_size=1, max_size=40)
LIMIT = Rule("quality", Bound.MIN, 0.5, where="mlgate.yaml:9:7")
DROP = Rule("quality", Bound.MAX_DROP, 0.05, where="mlgate.yaml:9:17")


def rows_of(check: Check, numbers: list[float]) -> list[Row]:
    return [
        Observation(check.id, example.id, {"quality": number})
        for example, number in zip(check.examples, numbers, strict=True)
    ]


@given(st.integers(0, 10**6), st.integers(1, 30), st.integers(1, 6), st.randoms(use_true_random=False))
def test_any_sharding_gives_the_whole_runs_report_byte_for_byte(
    seed: int, n: int, shards: int, rnd: random.Random
) -> None:
    check, rows = spoken(seed, n, Rule("bleu", Bound.MIN, 20.0), Rule("chrf", Bound.MAX_DROP, 1.0))
    suite = Suite.of([check])
    old = [replace(row, seen={"answer": "the cat"}) if isinstance(row, Observation) else row for row in rows]
    baseline = Baseline("file b", seen(suite, old))
    whole = judge(suite, KINDS, seen(suite, rows), baseline)
    rnd.shuffle(rows)
    parts = [(f"shard {i}", seen(suite, rows[i::shards])) for i in range(shards)]
    rnd.shuffle(parts)
    merged, _ = merge(parts)
    again = judge(suite, KINDS, merged, baseline)
    assert json_v1.render(again) == json_v1.render(whole)


@given(values, st.data())
def test_losing_rows_never_opens_the_gate(numbers: list[float], data: st.DataObject) -> None:
    check = recorded(len(numbers), LIMIT)
    suite = Suite.of([check])
    rows = rows_of(check, numbers)
    kept = data.draw(st.lists(st.sampled_from(rows), unique_by=lambda row: row.key, max_size=len(rows) - 1))
    report = judge(suite, KINDS, seen(suite, kept), None)
    assert report.outcome is Outcome.ERRORED
    assert f"{len(rows) - len(kept)} of {len(rows)} examples were never observed" in report.reason


@given(values, st.data())
def test_turning_answers_into_gaps_never_opens_the_gate(numbers: list[float], data: st.DataObject) -> None:
    check = recorded(len(numbers), LIMIT)
    suite = Suite.of([check])
    rows = rows_of(check, numbers)
    lost = data.draw(st.integers(0, len(rows) - 1))
    rows[lost] = Gap(*rows[lost].key, "timeout", data.draw(st.sampled_from(["model", "gate"])))
    assert judge(suite, KINDS, seen(suite, rows), None).outcome.blocks


@given(values)
def test_rows_that_nobody_planned_are_refused(numbers: list[float]) -> None:
    check = recorded(len(numbers), LIMIT)
    suite = Suite.of([check])
    rows = [*rows_of(check, numbers), Observation(check.id, "extra", {"quality": 1.0})]
    with pytest.raises(Refused, match="nobody planned"):
        judge(suite, KINDS, seen(suite, rows), None)


def test_a_suite_without_rules_or_checks_never_passes() -> None:
    empty = Suite.of([])
    assert judge(empty, KINDS, seen(empty, []), None).outcome is Outcome.INCONCLUSIVE
    suite = Suite.of([recorded(3)])
    report = judge(suite, KINDS, seen(suite, rows_of(suite.checks[0], [1.0, 1.0, 1.0])), None)
    assert report.outcome is Outcome.INCONCLUSIVE
    assert worst([]) is Outcome.INCONCLUSIVE


def test_a_check_without_examples_never_passes() -> None:
    suite = Suite.of([recorded(0, LIMIT)])
    assert judge(suite, KINDS, seen(suite, []), None).outcome is Outcome.ERRORED


def test_evidence_of_other_data_never_passes() -> None:
    check = recorded(5, LIMIT)
    suite = Suite.of([check])
    other = Provenance("abc", suite.digest, "m", ((check.id, "elsewhere"),))
    report = judge(suite, KINDS, Evidence.of(other, [], rows_of(check, [1.0] * 5)), None)
    assert report.outcome is Outcome.ERRORED
    assert "other data" in report.reason


FIELDS = ("kind", "half", "third")
some_fields = st.lists(st.sampled_from(FIELDS), unique=True).map(tuple)


def cut(check: Check, fields: tuple[str, ...]) -> Check:
    """Return the check over the same data, sliced by these fields: as its data would be read again."""
    held = {"kind": 2, "half": 5, "third": 3}
    examples = tuple(
        replace(one, slices=tuple((name, str(int(one.id) % held[name])) for name in fields)) for one in check.examples
    )
    return replace(check, examples=examples, slices=fields, data_digest=data_digest(examples))


@given(some_fields, some_fields, st.booleans())
def test_slices_come_and_go_and_what_was_observed_is_compared(
    before: tuple[str, ...], after: tuple[str, ...], older: bool
) -> None:
    plain = recorded(30, DROP, LIMIT)
    then, now = cut(plain, before), cut(plain, after)
    past = seen(Suite.of([then]), rows_of(plain, [0.5] * 30))
    if older:
        lines = (digest_of([one.id, one.input, [], [list(pair) for pair in one.slices]]) for one in then.examples)
        digest = hashlib.sha256("".join(lines).encode()).hexdigest()
        past = replace(past, provenance=replace(past.provenance, data=((then.id, digest),)), form=FIRST_FORM)
    suite = Suite.of([now])
    report = judge(suite, KINDS, seen(suite, rows_of(plain, [0.5] * 30)), Baseline("file b", past))
    if older and not set(before) <= set(after):
        assert report.outcome is Outcome.INCONCLUSIVE
        assert "its digest is of an older form" in report.reason
        assert "accept a new baseline" in report.reason
    else:
        assert report.outcome is Outcome.PASSED


@given(some_fields, some_fields, st.booleans(), st.integers(0, 29))
def test_other_data_are_never_compared_whatever_their_slices(
    before: tuple[str, ...], after: tuple[str, ...], older: bool, place: int
) -> None:
    plain = recorded(30, DROP)
    edited = replace(plain.examples[place], input="another question")
    other = replace(plain, examples=(*plain.examples[:place], edited, *plain.examples[place + 1 :]))
    past = replace(
        seen(Suite.of([cut(plain, before)]), rows_of(plain, [0.5] * 30)), form=FIRST_FORM if older else CURRENT_FORM
    )
    suite = Suite.of([cut(other, after)])
    report = judge(suite, KINDS, seen(suite, rows_of(plain, [0.5] * 30)), Baseline("file b", past))
    assert report.outcome is Outcome.INCONCLUSIVE
    assert "other data" in report.reason


def test_a_comparison_without_a_baseline_is_inconclusive_and_on_the_first_run_a_warning() -> None:
    check = recorded(30, DROP)
    suite = Suite.of([check])
    evidence = seen(suite, rows_of(check, [0.5] * 30))
    assert judge(suite, KINDS, evidence, None).outcome is Outcome.INCONCLUSIVE
    assert judge(suite, KINDS, evidence, Baseline("file b", None, "none yet")).outcome is Outcome.INCONCLUSIVE
    assert judge(suite, KINDS, evidence, Baseline("file b", None, "none yet", first=True)).outcome is Outcome.WARNED


def test_a_baseline_that_lacks_rows_is_never_compared() -> None:
    check = recorded(30, DROP)
    suite = Suite.of([check])
    rows = rows_of(check, [0.5] * 30)
    report = judge(suite, KINDS, seen(suite, rows), Baseline("file b", seen(suite, rows[1:])))
    assert report.outcome is Outcome.INCONCLUSIVE
    assert "1 of 30 examples were never observed" in report.reason


def test_the_same_answers_pass_and_far_worse_ones_fail() -> None:
    check = recorded(2 * SMALLEST_SLICE, DROP, slices=("half",))
    suite = Suite.of([check])
    rng = random.Random(5)
    old = [rng.random() for _ in check.examples]
    baseline = Baseline("file b", seen(suite, rows_of(check, old)))
    same = judge(suite, KINDS, seen(suite, rows_of(check, old)), baseline)
    assert same.outcome is Outcome.PASSED
    worse = judge(suite, KINDS, seen(suite, rows_of(check, [v * 0.5 for v in old])), baseline)
    assert worse.outcome is Outcome.FAILED
    assert worse.findings[0].outcome is Outcome.FAILED
    assert [f.slice for f in worse.findings if f.outcome is Outcome.FAILED] == ["", "half=left", "half=right"]
    assert worse.segments


def test_a_slice_that_broke_blocks_though_the_whole_holds() -> None:
    rare = SMALLEST_SLICE
    check = replace(recorded(10 * rare, DROP), slices=("rare",))
    examples = tuple(
        replace(example, slices=(("rare", "yes" if i < rare else "no"),)) for i, example in enumerate(check.examples)
    )
    check = replace(check, examples=examples, data_digest=data_digest(examples))
    suite = Suite.of([check])
    rng = random.Random(5)
    old = [0.5 + rng.random() / 2 for _ in examples]
    new = [v - 0.3 if i < rare else v + 0.01 for i, v in enumerate(old)]
    report = judge(suite, KINDS, seen(suite, rows_of(check, new)), Baseline("b", seen(suite, rows_of(check, old))))
    assert [(f.slice, f.outcome) for f in report.findings] == [
        ("rare=yes", Outcome.FAILED),
        ("", Outcome.PASSED),
        ("rare=no", Outcome.PASSED),
    ]


Hold = Callable[[Rule, Measurement, Measurement, Delta], Finding]


def test_a_slice_that_is_too_small_is_not_asked_what_no_rule_asks() -> None:
    for n, slices in ((2 * SMALLEST_SLICE - 2, []), (2 * SMALLEST_SLICE - 1, ["half=right"])):
        check = recorded(n, DROP, slices=("half",))
        suite = Suite.of([check])
        rows = rows_of(check, [0.5] * len(check.examples))
        report = judge(suite, KINDS, seen(suite, rows), Baseline("b", seen(suite, rows)))
        assert [finding.slice for finding in report.findings] == ["", *slices]


METRICS = st.sampled_from([Metric("m", "ratio", Better.HIGHER), Metric("m", "ratio", Better.LOWER)])
finite = st.floats(-1e6, 1e6)
wild = st.one_of(finite, st.sampled_from([math.nan, math.inf, -math.inf]))


def measured(metric: Metric, value: float, n: int = 100) -> Measurement:
    return Measurement("c", "m", metric, value, n, math.nan, math.nan, "m|v:1")


@given(METRICS, finite, finite, finite)
def test_a_better_value_never_gets_a_worse_outcome(metric: Metric, a: float, b: float, limit: float) -> None:
    low, high = sorted([a, b])
    minimum, maximum = Rule("m", Bound.MIN, limit), Rule("m", Bound.MAX, limit)
    assert hold_limit(minimum, measured(metric, high)).outcome <= hold_limit(minimum, measured(metric, low)).outcome
    assert hold_limit(maximum, measured(metric, low)).outcome <= hold_limit(maximum, measured(metric, high)).outcome


@given(METRICS, finite, finite, st.floats(0, 1e6), st.floats(0, 1e3), st.floats(1, 5))
def test_a_greater_loss_never_gets_a_better_outcome(
    metric: Metric, a: float, b: float, margin: float, error: float, widening: float
) -> None:
    bound = Bound.MAX_DROP if metric.better is Better.HIGHER else Bound.MAX_RISE
    sign = 1 if metric.better is Better.HIGHER else -1
    outcomes = []
    for gain in sorted([a, b]):
        change = sign * gain
        delta = Delta(change, Width(2 * error), Width(2 * error * widening))
        rule = Rule("m", bound, margin)
        outcomes.append(hold_baseline(rule, measured(metric, change), measured(metric, 0.0), delta).outcome)
    assert outcomes[0] >= outcomes[1]


@given(METRICS, st.sampled_from([one for one in Bound if one.is_of_checks]), wild, wild, wild, wild, wild, wild, wild)
def test_what_is_not_a_number_never_passes(
    metric: Metric,
    bound: Bound,
    now: float,
    before: float,
    change: float,
    spread: float,
    floor: float,
    wider: float,
    higher: float,
) -> None:
    if all(map(math.isfinite, (now, before, change, spread, floor, wider, higher))):
        return
    rule = Rule("m", bound, 1e9)
    if not bound.compares:
        if not math.isfinite(now):
            assert hold_limit(rule, measured(metric, now)).outcome is Outcome.ERRORED
        return
    delta = Delta(change, Width(spread, floor), Width(wider, higher))
    for hold in (hold_baseline, hold_slice):
        outcome = hold(rule, measured(metric, now), measured(metric, before), delta).outcome
        assert outcome.blocks


UNSURE = Delta(-0.05, Width(0.1, 0.01), Width(0.12, 0.01))
NO_WIDTH = Delta(0.0, Width(math.nan, math.nan), Width(math.nan, math.nan))
WORSE = Delta(-0.5, Width(0.1, 0.01), Width(0.12, 0.01))
SOFT = Rule("m", Bound.MAX_DROP, 0.01, on_inconclusive=Outcome.WARNED)
RATIO = Metric("m", "ratio", Better.HIGHER)


@pytest.mark.parametrize("hold", [hold_baseline, hold_slice])
def test_on_inconclusive_softens_too_little_data_and_nothing_else(hold: Hold) -> None:
    now, before = measured(RATIO, 0.4), measured(RATIO, 0.45)
    other = replace(before, signature="m|v:2")
    assert hold(SOFT, now, other, UNSURE).topic == "signatures"
    assert hold(SOFT, now, other, UNSURE).outcome is Outcome.INCONCLUSIVE
    assert hold(SOFT, now, before, WORSE).outcome is Outcome.FAILED
    assert hold(SOFT, measured(RATIO, math.nan), before, UNSURE).outcome is Outcome.ERRORED
    for few in (hold(SOFT, replace(now, n=19), before, UNSURE), hold(SOFT, now, before, NO_WIDTH)):
        assert (few.topic, few.outcome) == ("too-few", Outcome.WARNED)
    hard = replace(SOFT, on_inconclusive=Outcome.INCONCLUSIVE)
    assert hold(hard, now, before, NO_WIDTH).outcome is Outcome.INCONCLUSIVE


SURE = Delta(-0.05, Width(0.03, 0.0), Width(0.04, 0.0))
"""Worse for certain, by an estimate that is within 0.06."""


def test_what_is_worse_for_certain_is_not_softened_though_the_estimate_is_within_the_margin() -> None:
    now, before = measured(RATIO, 0.4), measured(RATIO, 0.45)
    soft = replace(SOFT, limit=0.06)
    found = hold_baseline(soft, now, before, SURE)
    assert (found.topic, found.outcome) == ("worse", Outcome.INCONCLUSIVE)
    assert hold_baseline(replace(soft, limit=0.04), now, before, SURE).outcome is Outcome.FAILED
    assert hold_baseline(replace(soft, limit=0.09), now, before, SURE).outcome is Outcome.PASSED
    assert hold_slice(soft, now, before, SURE).outcome is Outcome.WARNED


def test_an_early_look_fails_only_what_lies_beyond_the_margin_whole() -> None:
    now, before = measured(RATIO, 0.4), measured(RATIO, 0.45)
    for limit, early, late in ((0.04, Outcome.INCONCLUSIVE, Outcome.FAILED), (0.005, Outcome.FAILED, Outcome.FAILED)):
        rule = replace(SOFT, limit=limit)
        assert hold_baseline(rule, now, before, replace(SURE, early=True)).outcome is early
        assert hold_baseline(rule, now, before, SURE).outcome is late


def test_what_takes_many_times_the_rounds_is_advised_another_margin() -> None:
    """However far the estimate is from the margin: what is so noisy is as far from being settled."""
    unit = Metric("m", "ms", Better.LOWER)
    rule = Rule("m", Bound.MAX_RISE, 0.05, relative=True)
    now, before = measured(unit, 101.0), measured(unit, 100.0)
    for value, half, many in ((1.0, 0.05, False), (1.0, 0.5, True), (4.95, 0.05, True), (6.0, 0.5, True)):
        delta = Delta(value, Width(half), Width(half), base=100.0, rounds=40)
        why = hold_baseline(rule, now, before, delta).why
        assert ("more than 20 times the rounds" in why) is many, why
        assert ("more rounds would settle it" in why) is not many


def test_an_unsure_slice_passes_where_an_unsure_whole_does_not() -> None:
    now, before = measured(RATIO, 0.4), measured(RATIO, 0.45)
    assert hold_slice(SOFT, now, before, UNSURE).outcome is Outcome.PASSED
    assert hold_baseline(SOFT, now, before, UNSURE).outcome is Outcome.WARNED


@given(st.floats(-0.2, 0.2), st.floats(1e-4, 0.3), st.floats(0, 0.3), st.floats(1, 3), st.floats(0, 0.2))
def test_with_as_many_examples_as_the_forecast_says_it_is_settled(
    gain: float, spread: float, floor: float, widening: float, margin: float
) -> None:
    rule = Rule("m", Bound.MAX_DROP, margin)
    now, before = measured(RATIO, 0.5 + gain), measured(RATIO, 0.5)
    delta = Delta(gain, Width(spread, floor), Width(spread * widening, floor * widening))
    found = hold_baseline(rule, now, before, delta)
    forecast = re.search(r"about ([\d,]+) examples", found.why)
    if forecast is None:
        return
    assert found.topic == "inconclusive"
    growth = int(forecast[1].replace(",", "")) / now.n
    alone, family = (Width(w.spread / math.sqrt(growth), w.floor / growth) for w in (delta.alone, delta.family))
    assert hold_baseline(rule, now, before, Delta(gain, alone, family)).topic != "inconclusive"


def test_where_the_floor_decides_the_forecast_falls_as_one_over_n() -> None:
    still = Delta(0.0, Width(0.0, 0.4), Width(0.0, 0.4))
    found = hold_baseline(Rule("m", Bound.MAX_DROP, 0.1), measured(RATIO, 0.5), measured(RATIO, 0.5), still)
    assert "about 410 examples would settle it" in found.why


def test_no_way_out_is_no_forecast() -> None:
    still = Delta(0.0, Width(0.1), Width(0.1))
    found = hold_baseline(Rule("m", Bound.MAX_DROP, 0.0), measured(RATIO, 0.5), measured(RATIO, 0.5), still)
    assert found.topic == "inconclusive"
    assert found.why.endswith("neither within max_drop 0 nor shown worse")


def test_the_forecast_comes_true_with_the_same_examples_so_many_times() -> None:
    rng = random.Random(8)
    old = [rng.random() for _ in range(60)]
    new = [v - 0.03 + rng.gauss(0, 0.2) for v in old]
    found = compared([{"quality": v} for v in old], [{"quality": v} for v in new])
    forecast = re.search(r"about ([\d,]+) examples", found.why)
    assert found.topic == "inconclusive"
    assert forecast is not None
    times = -(-int(forecast[1].replace(",", "")) // 60)
    again = compared([{"quality": v} for v in old * times], [{"quality": v} for v in new * times])
    assert again.topic != "inconclusive"


def compared(old: list[dict[str, float]], new: list[dict[str, float]]) -> Finding:
    """Return what the gate says of recorded numbers under a rule that allows a drop of 0.05."""
    check = recorded(len(old), DROP)
    suite = Suite.of([check])
    before, after = (
        seen(suite, [Observation(check.id, e.id, row) for e, row in zip(check.examples, rows, strict=True)])
        for rows in (old, new)
    )
    (found,) = judge(suite, KINDS, after, Baseline("file b", before)).findings
    return found


def test_one_small_loss_among_equals_says_no_more_than_none_at_all() -> None:
    """20 scores that are equal are too few to say much; that one of them fell by 0.009 cannot make them enough."""
    old = [{"quality": 0.8, "seconds": 1.0}] * 20
    new = [{"quality": 0.8, "seconds": 2.0}] * 20
    still = compared(old, new)
    assert still.topic == "inconclusive"
    assert "(95% interval \N{MINUS SIGN}0.1844 to +0.1844)" in still.why
    moved = compared(old, [*new[:-1], {"quality": 0.791, "seconds": 2.0}])
    assert moved.topic == "inconclusive"


def test_only_rows_that_are_equal_whole_are_identical() -> None:
    same = compared([{"quality": 0.8, "seconds": 1.0}] * 100, [{"quality": 0.8, "seconds": 1.0}] * 100)
    assert same.why == "quality 0.8000: nothing that was observed differs from the baseline's"
    other = compared([{"quality": 0.8, "seconds": 1.0}] * 70, [{"quality": 0.8, "seconds": 2.0}] * 70)
    assert other.topic == "inconclusive"


def test_the_sentence_says_the_rules_confidence_and_no_impossible_difference() -> None:
    rule = replace(SOFT, confidence=0.999)
    wide = Delta(-0.8, Width(0.9), Width(0.95))
    found = hold_baseline(rule, measured(RATIO, 0.1), measured(RATIO, 0.9), wide)
    assert "(99.9% interval \N{MINUS SIGN}1.0000 to +0.1000)" in found.why
    rate = Metric("m", "ratio", Better.LOWER)
    rise = Rule("m", Bound.MAX_RISE, 0.01)
    found = hold_baseline(rise, measured(rate, 1.5), measured(rate, 0.2), Delta(1.3, Width(1.4), Width(1.5)))
    assert "(95% interval \N{MINUS SIGN}0.1000 to +2.7000)" in found.why


@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 7))
def test_shards_cover_the_plan_once(n: int, m: int, shards: int) -> None:
    one, two = recorded(n), replace(recorded(m), id="other")
    suite = Suite.of([one, two])
    parts = [suite.shard(k, shards) for k in range(1, shards + 1)]
    assert sorted(key for part in parts for key in part.planned) == sorted(suite.planned)
    assert {part.digest for part in parts} == {suite.digest}
    sizes = [len(part.planned) for part in parts]
    assert max(sizes) - min(sizes) <= 1
