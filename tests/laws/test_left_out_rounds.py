"""Rounds are left out for what a model can bring about: leaving them out never makes a pass of a block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.laws.test_latency import ABSENT, KINDS, changed, observed, old, provenance, speed
from tests.support.law_load import LawLoad

from mlgate.core.check import Bound, Check, Rule, Suite
from mlgate.core.evidence import Evidence
from mlgate.core.latency.block import LoadBlock, TimedReply
from mlgate.core.latency.generator import left_out
from mlgate.core.outcome import Outcome
from mlgate.core.ports import Standing
from mlgate.flow.check import settles
from mlgate.flow.judge import judge

LATE_S = 0.008
ROUNDS = 42
_SEEN: list[tuple[Suite, Evidence]] = []


def rule(name: str, bound: Bound, limit: float, **more: object) -> Rule:
    return Rule(name, bound, limit, relative=bound.compares, **more)  # type: ignore[arg-type]


LIMITS = (
    rule("p95_ms", Bound.MAX, 60.0),
    rule("p50_ms", Bound.MAX, 60.0),
    rule("mean_ms", Bound.MAX, 60.0),
    rule("service_p95_ms", Bound.MAX, 60.0),
    rule("ttft_p95_ms", Bound.MAX, 30.0),
    rule("itl_p95_ms", Bound.MAX, 20.0),
    rule("tokens_per_s", Bound.MIN, 310.0),
    rule("throughput_rps", Bound.MIN, 38.0),
)
RISES = (
    rule("p95_ms", Bound.MAX_RISE, 0.3),
    rule("p50_ms", Bound.MAX_RISE, 0.3),
    rule("mean_ms", Bound.MAX_RISE, 0.3),
    rule("ttft_p95_ms", Bound.MAX_RISE, 0.3),
    rule("itl_p95_ms", Bound.MAX_RISE, 0.3),
    rule("tokens_per_s", Bound.MAX_DROP, 0.1),
    rule("throughput_rps", Bound.MAX_DROP, 0.1),
)


def check_of(*rules: Rule) -> Check:
    return speed(*(rules or (*LIMITS, *RISES)), rounds=ROUNDS)


def run() -> tuple[Suite, Evidence]:
    if not _SEEN:
        _SEEN.append(observed(check_of(), LawLoad(events=8), old(events=8)))
    return _SEEN[0]


def slowed(block: LoadBlock, factor: float, late: float | None = None) -> LoadBlock:
    """Return a block that took *factor* times as long; its requests left *late*."""
    replies = tuple(
        TimedReply(
            one.example,
            one.due,
            one.late if late is None else late,
            one.first * factor,
            one.done * factor,
            one.answer,
            one.failure,
            tuple(time * factor for time in one.events),
        )
        for one in block.replies
    )
    wall = block.facts["wall_s"] * (1 if factor == 1 else max(1.0, factor / 2))
    return LoadBlock(replies, {**block.facts, "wall_s": wall})


def outcomes(suite: Suite, evidence: Evidence) -> dict[str, Outcome]:
    return {one.id: one.outcome for one in judge(suite, KINDS, evidence, ABSENT).findings}


def with_lateness(block: LoadBlock, late: Sequence[float]) -> LoadBlock:
    """Return a block whose requests left so much later than due, in turn."""
    replies = tuple(replace(one, late=late[place % len(late)]) for place, one in enumerate(block.replies))
    return replace(block, replies=replies)


def test_a_neighbour_that_holds_up_a_request_here_and_there_leaves_no_round_out() -> None:
    suite, evidence = run()
    held_up = changed(evidence, lambda n, block: with_lateness(block, [0.0] * 9 + [0.003 * (n % 2)]))
    calm, late = (judge(suite, KINDS, one, ABSENT) for one in (evidence, held_up))
    assert late.loads[0].late == 0
    assert [(one.id, one.outcome) for one in late.findings] == [(one.id, one.outcome) for one in calm.findings]


@settings(max_examples=200)
@given(st.lists(st.lists(st.floats(0, 0.01), min_size=1, max_size=6), min_size=1, max_size=30))
def test_rounds_are_left_out_from_the_latest_on_until_the_others_are_in_time(lateness: list[list[float]]) -> None:
    answered = TimedReply(0, 0.0, 0.0, 0.02, 0.02, "a", "")
    facts = {"wall_s": 1.0, "cpu_s": 0.0}
    blocks = {
        number: with_lateness(LoadBlock(tuple(answered for _ in late), facts), late)
        for number, late in enumerate(lateness, start=1)
    }
    out = left_out(blocks)
    mean = {number: fmean(reply.late for reply in block.replies) for number, block in blocks.items()}
    kept = [number for number in blocks if number not in out]
    assert fmean([reply.late for number in kept for reply in blocks[number].replies] or [0.0]) <= 0.0004 + 1e-9
    assert all(mean[number] <= 0.002 + 1e-9 for number in kept)
    assert all(mean[one] <= mean[other] + 1e-9 for one in kept for other in out)


@settings(max_examples=12)
@given(
    slow=st.sets(st.integers(3, ROUNDS), min_size=0, max_size=8),
    late=st.sets(st.integers(3, ROUNDS), min_size=0, max_size=8),
    side=st.sampled_from(["speed", "baseline/speed"]),
    factor=st.sampled_from([0.2, 3.0, 15.0]),
)
def test_leaving_rounds_out_never_turns_a_block_into_a_pass(
    slow: set[int], late: set[int], side: str, factor: float
) -> None:
    suite, evidence = run()
    worse = changed(evidence, lambda n, block: slowed(block, factor if n in slow else 1.0))
    in_time = outcomes(suite, worse)
    without = outcomes(suite, changed(worse, lambda n, block: slowed(block, 1.0, LATE_S if n in late else None), side))
    for name, outcome in in_time.items():
        if outcome.blocks and "service" not in name:  # what left late was served sooner than it was answered
            assert without[name].blocks, (name, outcome, without[name])


@pytest.mark.parametrize("asked", [*LIMITS, *RISES], ids=lambda one: f"{one.metric}-{one.bound.value}")
def test_slow_rounds_that_left_late_do_not_vanish(asked: Rule) -> None:
    suite, evidence = run()
    hidden = changed(evidence, lambda n, block: slowed(block, 15.0, LATE_S) if n % 6 == 5 else block)
    (found,) = [one for one in judge(suite, KINDS, hidden, ABSENT).findings if one.rule == asked]
    if asked.metric == "p50_ms":  # one round in six moves no median
        assert found.outcome is Outcome.PASSED
        return
    assert found.outcome.blocks
    assert (found.topic, found.outcome) == ("left-out", Outcome.INCONCLUSIVE)
    assert "7 of 42 rounds (7 sent late)" in found.why
    assert "without them" in found.why
    assert "with them" in found.why


def test_no_setting_softens_a_verdict_that_depends_on_what_was_left_out() -> None:
    soft = rule("p95_ms", Bound.MAX, 60.0, on_inconclusive=Outcome.WARNED)
    suite, evidence = observed(check_of(soft), LawLoad())
    hidden = changed(evidence, lambda n, block: slowed(block, 15.0, LATE_S) if n % 6 == 5 else block)
    report = judge(suite, KINDS, hidden, None)
    assert (report.outcome, report.findings[0].topic) == (Outcome.INCONCLUSIVE, "left-out")


def test_where_both_agree_the_number_is_the_one_without_and_the_report_says_how_many_were_left_out() -> None:
    asked = rule("p95_ms", Bound.MAX, 60.0)
    suite, evidence = observed(check_of(asked), LawLoad())
    late = changed(evidence, lambda n, block: slowed(block, 1.2, LATE_S) if n % 6 == 5 else block)
    report, quiet = (judge(suite, KINDS, one, None) for one in (late, evidence))
    assert report.outcome is Outcome.PASSED
    assert report.loads[0].late == 7
    assert abs(report.measurements[0].value / quiet.measurements[0].value - 1) < 0.05


def test_a_model_that_is_slow_where_the_warm_up_is_cut_does_not_pass() -> None:
    asked = rule("p99_ms", Bound.MAX, 60.0)
    suite, evidence = observed(check_of(asked), LawLoad())
    slow = changed(evidence, lambda n, block: slowed(block, 5.0) if n in {3, 4, 5} else block)
    report = judge(suite, KINDS, slow, None)
    assert (report.outcome, report.findings[0].topic) == (Outcome.INCONCLUSIVE, "left-out")
    assert "cut as warm-up" in report.reason
    planned = changed(evidence, lambda n, block: slowed(block, 5.0) if n in {1, 2} else block)
    assert judge(suite, KINDS, planned, None).outcome is Outcome.PASSED


def test_a_look_at_which_the_two_disagree_settles_nothing() -> None:
    check = speed(rule("p95_ms", Bound.MAX, 60.0), rounds=ROUNDS, looks=[24, ROUNDS])
    suite, evidence = observed(speed(rule("p95_ms", Bound.MAX, 60.0), rounds=ROUNDS), LawLoad())
    suite = Suite.of([check])
    decided = settles(suite, KINDS, provenance(suite), None)
    hidden = changed(evidence, lambda n, block: slowed(block, 15.0, LATE_S) if n % 6 == 5 else block)
    first = [row for row in hidden.rows.values() if row.example <= "0024" or row.example == "start"]
    assert decided(check, first) is Standing.OPEN
    calm = [row for row in evidence.rows.values() if row.example <= "0024" or row.example == "start"]
    assert decided(check, calm) is Standing.SETTLED


def test_a_search_counts_the_rates_that_were_held_late() -> None:
    asked = Rule("max_rps", Bound.MAX, 60.0)  # whatever it is asked for: the two must agree
    check = speed(
        asked,
        rounds=12,
        mode="find",
        find={"p95_ms": 100.0},
        least=10,
        most=500,
        step_s=2.0,
        arrivals="constant",
        looks=[],
    )
    suite, evidence = observed(check, LawLoad(capacity=100))
    late = changed(evidence, lambda n, block: slowed(block, 1.0, LATE_S) if n >= 11 else block)
    found = judge(suite, KINDS, late, None).findings[0]
    assert found.outcome.blocks
