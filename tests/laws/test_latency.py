"""A gate on times: what was not measured never passes, noise does not block, and a slower model does."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.law_load import LawLoad

from mlgate.adapters.executors.timed import TimedExecutor
from mlgate.checks.accuracy import AccuracyKind
from mlgate.checks.latency import LatencyKind
from mlgate.core.check import Bound, Check, Example, Json, MetricChoice, Rule, Suite, data_digest
from mlgate.core.errors import ModelError
from mlgate.core.evidence import Evidence, Gap, Observation, Provenance, Row
from mlgate.core.latency import rounds as latency_rounds
from mlgate.core.latency.block import Arrival, LoadBlock, TimedReply, pack, unpack
from mlgate.core.outcome import Outcome
from mlgate.core.ports import Decided, Kinds, Load, Standing
from mlgate.core.report import Report
from mlgate.core.stats.jackknife import Statistics
from mlgate.flow import paired_baseline
from mlgate.flow.check import settled, settles
from mlgate.flow.judge import Baseline, judge
from mlgate.flow.merge import merge

KINDS: Kinds = {"accuracy": AccuracyKind(), "latency": LatencyKind()}
EXAMPLES = tuple(Example(f"{i:03}", f"input {i}", (f"the answer to {i} is as long as this",)) for i in range(60))
ABSENT = Baseline("image old", None, "it was not observed")
RISE = Rule("p50_ms", Bound.MAX_RISE, 0.05, relative=True)
LIMIT = Rule("p95_ms", Bound.MAX, 40.0)


def speed(*rules: Rule, rounds: int = 30, **params: Json) -> Check:
    names = dict.fromkeys(rule.metric for rule in rules)
    plan: dict[str, Json] = {"mode": "open", "rate": 40, "arrivals": "poisson", "block_s": 1.0, "warm": 2}
    plan |= {"looks": [rounds], "seed": 1, "stored": "warn", **params}
    return Check(
        "speed",
        "latency",
        EXAMPLES,
        tuple(MetricChoice(name, name) for name in names),
        rules,
        (),
        data_digest(EXAMPLES),
        plan,
        rounds=rounds,
        exclusive=True,
    )


def suite_of(check: Check, *, duet: bool) -> Suite:
    return Suite.of(paired_baseline.with_baseline([check], "image old") if duet else [check])


def provenance(suite: Suite) -> Provenance:
    return Provenance("abc", suite.digest, "m", tuple(sorted((c.id, c.data_digest) for c in suite.checks)), "old")


def observed(
    check: Check, candidate: LawLoad, baseline: LawLoad | None = None, decided: Decided | None = None
) -> tuple[Suite, Evidence]:
    suite = suite_of(check, duet=baseline is not None)
    sides: Mapping[str, Load | None] = {"speed": candidate, "baseline/speed": baseline}

    def load(side: Check) -> Load:
        found = sides[side.id]
        assert found is not None
        return found

    decided = decided or settles(suite, KINDS, provenance(suite), ABSENT)
    rows = TimedExecutor({"latency": LatencyKind()}, load, decided).observe(suite)
    return suite, Evidence.of(provenance(suite), [], rows)


def report_of(check: Check, candidate: LawLoad, baseline: LawLoad | None = None) -> Report:
    suite, evidence = observed(check, candidate, baseline)
    return judge(suite, KINDS, evidence, ABSENT if baseline else None)


def old(**law: Any) -> LawLoad:
    return LawLoad(seed=2, **law)


def test_a_model_that_did_not_change_passes() -> None:
    assert report_of(speed(RISE), LawLoad(), old()).outcome is Outcome.PASSED


def test_a_slower_model_is_blocked_with_the_interval_of_the_ratio() -> None:
    report = report_of(speed(RISE), LawLoad(slower=1.1), old())
    assert report.outcome is Outcome.FAILED
    assert "%" in report.reason
    assert "interval" in report.reason


def test_a_faster_model_passes() -> None:
    assert report_of(speed(RISE), LawLoad(slower=0.8), old()).outcome is Outcome.PASSED


def test_a_limit_passes_only_when_the_bound_keeps_it_and_fails_only_when_the_bound_breaks_it() -> None:
    check = speed(LIMIT)
    assert report_of(check, LawLoad()).outcome is Outcome.PASSED
    assert report_of(check, LawLoad(slower=2)).outcome is Outcome.FAILED
    on_the_limit = replace(LIMIT, limit=report_of(check, LawLoad()).measurements[0].value)
    assert report_of(speed(on_the_limit), LawLoad()).outcome is Outcome.INCONCLUSIVE


def test_a_p99_of_200_requests_is_inconclusive() -> None:
    rule = Rule("p99_ms", Bound.MAX, 400.0)
    report = report_of(speed(rule, rounds=10, rate=20), LawLoad())
    assert report.outcome is Outcome.INCONCLUSIVE
    assert "299" in report.reason


def test_a_tail_that_is_known_worse_than_the_margin_is_not_judged() -> None:
    rule = Rule("p99_ms", Bound.MAX_RISE, 0.05, relative=True)
    report = report_of(speed(rule), LawLoad(tail=0.012), old(tail=0.012))
    assert (report.outcome, report.findings[0].topic) == (Outcome.INCONCLUSIVE, "tail")


def test_a_margin_below_the_machines_own_noise_is_refused() -> None:
    rule = Rule("p50_ms", Bound.MAX_RISE, 0.0001, relative=True)
    report = report_of(speed(rule), LawLoad(), old())
    assert (report.outcome, report.findings[0].topic) == (Outcome.INCONCLUSIVE, "noise")


def test_one_failed_request_breaks_an_error_rate_of_zero() -> None:
    rule = Rule("error_rate", Bound.MAX, 0.0)
    assert report_of(speed(rule), LawLoad()).outcome is Outcome.PASSED
    report = report_of(speed(rule), LawLoad(fails=0.01))
    assert report.outcome is Outcome.FAILED


def test_failed_requests_are_slow_not_absent() -> None:
    fine, failing = (report_of(speed(LIMIT), LawLoad(fails=share)).measurements[0].value for share in (0.0, 0.1))
    assert failing > 100 * fine


def test_fast_junk_under_load_does_not_pass() -> None:
    rule = Rule("rougeL", Bound.MIN, 0.8)
    assert report_of(speed(rule, LIMIT), LawLoad()).outcome is Outcome.PASSED
    junk = LawLoad(slower=0.5, answer=lambda example, before: "ok" if before else example.references[0])
    assert report_of(speed(rule, LIMIT), junk).outcome is Outcome.FAILED


def test_answers_under_load_are_held_against_the_baselines_answers() -> None:
    rule = Rule("rougeL", Bound.MAX_DROP, 0.1)
    assert report_of(speed(rule), LawLoad(), old()).findings[0].topic == "identical"
    narrow = replace(rule, limit=0.01)
    assert report_of(speed(narrow), LawLoad(), old()).findings[0].topic == "unseen", "60 examples can miss that much"
    worse = LawLoad(answer=lambda example, _: " ".join(example.references[0].split()[:4]))
    assert report_of(speed(rule), worse, old()).outcome is Outcome.FAILED


def test_a_server_that_caches_what_was_asked_before_is_found_out() -> None:
    rule = Rule("cache_speedup", Bound.MAX, 1.2)
    assert report_of(speed(rule), LawLoad()).outcome is Outcome.PASSED
    assert report_of(speed(rule), LawLoad(cached=0.2)).outcome is Outcome.FAILED


def test_a_late_generator_is_an_error_and_never_a_failure_of_the_model() -> None:
    report = report_of(speed(LIMIT), LawLoad(late=0.005, slower=5))
    assert report.outcome is Outcome.ERRORED
    assert "the generator, not the model" in report.reason


def test_a_busy_generator_is_an_error() -> None:
    assert report_of(speed(LIMIT), LawLoad(cpu=0.9)).outcome is Outcome.ERRORED


def test_a_model_that_dies_under_load_has_failed() -> None:
    report = report_of(speed(Rule("error_rate", Bound.MAX, 0.0), LIMIT), LawLoad(dies_after=300))
    assert report.outcome is Outcome.FAILED
    assert any("out of memory" in finding.why for finding in report.findings)


def test_a_model_that_warms_up_is_cut_and_not_blamed() -> None:
    report = report_of(speed(LIMIT), LawLoad(warming=100))
    assert report.outcome is Outcome.PASSED
    assert report.loads[0].warm >= 3


def test_a_run_that_was_decided_ends_at_a_look_and_is_judged_by_that_looks_share() -> None:
    check = speed(RISE, rounds=60, looks=[20, 40, 60])
    suite, evidence = observed(check, LawLoad(slower=1.3), old())
    report = judge(suite, KINDS, evidence, ABSENT)
    assert report.outcome is Outcome.FAILED
    assert report.loads[0].rounds == 20
    assert report.loads[0].look == 1


def test_before_the_time_is_over_that_the_file_asks_for_a_run_may_fail_and_never_pass() -> None:
    check = speed(RISE, rounds=60, looks=[10, 20, 40, 60], whole=20)
    for slower, early in ((1.0, False), (1.5, True)):
        suite, evidence = observed(check, LawLoad(slower=slower), old())
        report = judge(suite, KINDS, evidence, ABSENT)
        assert report.outcome is (Outcome.FAILED if early else Outcome.PASSED)
        assert (report.loads[0].look == 1) is early


def test_evidence_that_ends_before_that_time_does_not_pass_either() -> None:
    check = speed(replace(RISE, on_inconclusive=Outcome.WARNED), rounds=60, looks=[22, 40, 60], whole=40)
    suite, evidence = observed(check, LawLoad(), old(), lambda *_: Standing.SETTLED)
    report = judge(suite, KINDS, evidence, ABSENT)
    assert report.loads[0].rounds == 22
    assert report.outcome is Outcome.INCONCLUSIVE
    assert {finding.topic for finding in report.findings} == {"early"}


@dataclass
class Disturbed(LawLoad):
    """The machine keeps the generator from sending in time for so many requests."""

    until: int = 0

    def _reply(self, examples: Sequence[Example], place: int, due: float, crowded: float) -> TimedReply:
        late = 0.02 if self.count < self.until else 0.00002
        return replace(super()._reply(examples, place, due, crowded), late=late)


ONCE = 20


@pytest.mark.parametrize(("slower", "outcome"), [(1.0, Outcome.PASSED), (1.3, Outcome.FAILED)])
def test_what_the_machine_disturbed_is_started_over_once_and_judged_anew(slower: float, outcome: Outcome) -> None:
    check = speed(RISE, rounds=2 * ONCE, looks=[ONCE], once=ONCE)
    suite, evidence = observed(check, Disturbed(slower=slower, until=12 * 25), old())
    report = judge(suite, KINDS, evidence, ABSENT)
    assert report.outcome is outcome, report.reason
    (load,) = report.loads
    assert (load.begun, load.rounds, load.planned, load.warm) == (ONCE, ONCE, ONCE, 2)
    assert load.requests == sum(
        len(block.replies) for block in latency_rounds.read(check, evidence.under("speed")).counted.values()
    )


def test_a_second_try_that_is_disturbed_too_is_the_last() -> None:
    check = speed(RISE, rounds=2 * ONCE, looks=[ONCE], once=ONCE)
    suite, evidence = observed(check, Disturbed(until=10**9), old())
    report = judge(suite, KINDS, evidence, ABSENT)
    assert report.outcome is Outcome.ERRORED
    assert "the generator, not the model" in report.reason


@pytest.mark.parametrize("slower", [1.0, 1.3])
def test_what_was_settled_or_not_disturbed_is_not_started_over(slower: float) -> None:
    check = speed(RISE, rounds=2 * ONCE, looks=[ONCE], once=ONCE)
    suite, evidence = observed(check, LawLoad(slower=slower), old())
    assert judge(suite, KINDS, evidence, ABSENT).loads[0].begun == 0
    assert len(latency_rounds.read(check, evidence.under("speed")).done) == ONCE


@dataclass
class Restless(LawLoad):
    """Each block takes another while: by half more or less, by chance."""

    def fire(self, examples: Sequence[Example], arrivals: Sequence[Arrival]) -> LoadBlock:
        block, times = super().fire(examples, arrivals), math.exp(self._rng.gauss(0, 0.5))
        return replace(block, replies=tuple(replace(one, done=times * one.done) for one in block.replies))


@pytest.mark.parametrize(("candidate", "baseline", "again"), [(Restless, LawLoad, False), (LawLoad, Restless, True)])
def test_a_run_is_started_over_for_the_baselines_noise_and_never_for_the_candidates(
    candidate: type[LawLoad], baseline: type[LawLoad], again: bool
) -> None:
    alone = report_of(speed(RISE, rounds=40), candidate(), baseline(seed=4))
    assert [finding.topic for finding in alone.findings] == ["noise"], "it could be either's"
    twice = report_of(speed(RISE, rounds=80, looks=[40], once=40), candidate(), baseline(seed=4))
    assert (twice.loads[0].begun == 40) is again


def test_a_second_try_is_looked_at_as_the_first_was() -> None:
    check = speed(RISE, rounds=80, looks=[20, 40], once=40)
    suite, evidence = observed(check, Disturbed(slower=1.5, until=20 * 25), old())
    load = judge(suite, KINDS, evidence, ABSENT).loads[0]
    assert (load.begun, load.rounds, load.look, load.looks) == (40, 20, 1, 2)


def test_errors_of_a_first_try_count() -> None:
    limit = Rule("error_rate", Bound.MAX, 0.0)
    check = speed(limit, rounds=2 * ONCE, looks=[ONCE], once=ONCE)

    @dataclass
    class Failing(Disturbed):
        def _reply(self, examples: Sequence[Example], place: int, due: float, crowded: float) -> TimedReply:
            found = super()._reply(examples, place, due, crowded)
            return replace(found, failure="reset") if self.count == 3 else found

    suite, evidence = observed(check, Failing(until=12 * 25), old())
    assert judge(suite, KINDS, evidence, ABSENT).outcome is Outcome.FAILED


def test_a_run_that_ends_between_looks_is_not_judged() -> None:
    check = speed(LIMIT, rounds=60, looks=[20, 40, 60])
    suite, evidence = observed(check, LawLoad())
    skipped = [
        Observation("speed", row.example, {"skipped": "decided"})
        if row.example >= "0012" and row.example != "start"
        else row
        for row in evidence.rows.values()
    ]
    report = judge(suite, KINDS, Evidence.of(evidence.provenance, [], skipped), None)
    assert report.outcome is Outcome.ERRORED


@settings(max_examples=10)
@given(st.sets(st.integers(0, 61), min_size=1, max_size=62))
def test_losing_rounds_never_opens_the_gate(lost: set[int]) -> None:
    suite, evidence = _slow()
    kept = [row for i, row in enumerate(evidence.rows.values()) if i not in lost]
    report = judge(suite, KINDS, Evidence.of(evidence.provenance, [], kept), ABSENT)
    assert report.outcome.blocks


_CACHE: list[tuple[Suite, Evidence]] = []


def _slow() -> tuple[Suite, Evidence]:
    if not _CACHE:
        _CACHE.append(observed(speed(RISE), LawLoad(slower=1.1), old()))
    return _CACHE[0]


def test_a_gap_in_the_baselines_rounds_never_passes() -> None:
    suite, evidence = observed(speed(RISE), LawLoad(), old())
    rows: list[Row] = [
        Gap(row.check, row.example, "lost") if row.key == ("baseline/speed", "0007") else row
        for row in evidence.rows.values()
    ]
    assert judge(suite, KINDS, Evidence.of(evidence.provenance, [], rows), ABSENT).outcome.blocks


def test_times_of_another_run_tell_and_do_not_block_unless_asked_for() -> None:
    check = speed(RISE)
    _, past = observed(check, old())
    suite, evidence = observed(check, LawLoad(slower=1.5, run="another run"))
    report = judge(suite, KINDS, evidence, Baseline("file", past))
    assert (report.outcome, report.findings[0].topic) == (Outcome.WARNED, "stored-baseline")
    asked = speed(RISE, stored="block")
    _, past = observed(asked, old())
    suite, evidence = observed(asked, LawLoad(slower=1.5, run="another run"))
    assert judge(suite, KINDS, evidence, Baseline("file", past)).outcome is Outcome.FAILED


def test_a_shard_is_never_half_a_load() -> None:
    suite = suite_of(speed(RISE), duet=True)
    first, second = suite.shard(1, 2), suite.shard(2, 2)
    assert first.planned == suite.planned
    assert not second.planned
    _, evidence = _slow()
    merged, _ = merge([("a", evidence), ("b", Evidence.of(evidence.provenance, [], []))])
    assert merged == evidence


def test_a_check_that_is_not_whole_is_asked_whole_again() -> None:
    suite, evidence = _slow()
    assert set(settled(suite, KINDS, evidence)) == suite.planned
    rows = [row for row in evidence.rows.values() if row.key != ("speed", "0003")]
    known = set(settled(suite, KINDS, Evidence.of(evidence.provenance, [], rows)))
    assert not any(check == "speed" for check, _ in known)


def test_a_model_that_does_not_start_is_a_gap_of_every_round() -> None:
    suite = suite_of(speed(LIMIT), duet=False)

    def load(_: Check) -> Load:
        raise ModelError("the port never opened")

    rows = list(TimedExecutor({"latency": LatencyKind()}, load, lambda *_: Standing.OPEN).observe(suite))
    assert {row.key for row in rows} == suite.planned
    report = judge(suite, KINDS, Evidence.of(provenance(suite), [], rows), None)
    assert report.outcome is Outcome.ERRORED
    assert "the port never opened" in report.reason


def test_both_sides_are_asked_the_same_at_the_same_moments_in_random_order() -> None:
    _, evidence = observed(speed(RISE), LawLoad(), old())
    firsts = []
    for number in range(1, 31):
        one, other = (evidence.rows[side, f"{number:04}"] for side in ("speed", "baseline/speed"))
        assert isinstance(one, Observation)
        assert isinstance(other, Observation)
        assert (one.seen["example"], one.seen["due_us"]) == (other.seen["example"], other.seen["due_us"])
        assert one.seen["first"] != other.seen["first"]
        firsts.append(one.seen["first"])
    assert 5 < sum(map(float, firsts)) < 25


def test_the_largest_rate_that_keeps_its_bound_is_found() -> None:
    rule = Rule("max_rps", Bound.MIN, 80.0)
    check = speed(
        rule,
        rounds=12,
        mode="find",
        find={"p95_ms": 100.0},
        least=10,
        most=500,
        step_s=2.0,
        arrivals="constant",
        looks=[],
    )
    report = report_of(check, LawLoad(capacity=100))
    assert report.outcome is Outcome.PASSED
    assert 85 < report.measurements[0].value <= 101
    assert report_of(check, LawLoad(capacity=50)).outcome is Outcome.FAILED


def test_a_stream_gives_times_to_the_first_token_and_between_tokens() -> None:
    rules = (
        Rule("ttft_p95_ms", Bound.MAX, 30.0),
        Rule("itl_p95_ms", Bound.MAX, 5.0),
        Rule("tokens_per_s", Bound.MIN, 10),
    )
    report = report_of(speed(*rules), LawLoad(events=5))
    assert report.outcome is Outcome.PASSED
    unstreamed = report_of(speed(*rules), LawLoad())
    assert unstreamed.outcome is Outcome.ERRORED


def test_a_closed_loop_is_judged_by_the_same_rules() -> None:
    check = speed(RISE, mode="closed", concurrency=4)
    assert report_of(check, LawLoad(slower=1.1), old()).outcome is Outcome.FAILED
    assert report_of(check, LawLoad(), old()).outcome is Outcome.PASSED


def test_facts_are_compared_without_an_interval() -> None:
    rule = Rule("start_s", Bound.MAX_RISE, 0.1, relative=True)
    assert report_of(speed(rule), LawLoad(), old()).outcome is Outcome.PASSED
    assert report_of(speed(Rule("image_mb", Bound.MAX, 100)), LawLoad()).outcome is Outcome.ERRORED


def test_unlike_loads_are_not_compared() -> None:
    suite, evidence = observed(speed(RISE), LawLoad(), old())
    rows = dict(evidence.rows)
    twin = next(check for check in suite.checks if check.baseline_of)
    other = Suite.of(
        [replace(check, params={**check.params, "rate": 80}) if check is twin else check for check in suite.checks]
    )
    again = Evidence.of(provenance(other), [], rows.values())
    assert judge(other, KINDS, again, ABSENT).outcome is not Outcome.FAILED


times = st.floats(0, 100).map(lambda t: round(t, 6))


@given(
    st.lists(
        st.builds(
            TimedReply,
            example=st.integers(0, 5),
            due=times,
            late=times,
            first=st.one_of(times, st.just(float("nan"))),
            done=times,
            answer=st.text(max_size=20),
            failure=st.sampled_from(["", "reset", 'a "quote"\n']),
            events=st.lists(times, max_size=4).map(tuple),
        ),
        max_size=8,
    )
)
def test_a_block_survives_its_row(replies: list[TimedReply]) -> None:
    block = LoadBlock(tuple(replies), {"wall_s": 1.0})
    again = unpack(pack(block))
    assert repr(again) == repr(block)


@pytest.mark.parametrize("broken", ["example", "due_us", "done_us", "answer", "answers"])
def test_a_row_that_was_tampered_with_is_a_hole_and_never_a_crash(broken: str) -> None:
    suite, evidence = observed(speed(LIMIT), LawLoad())
    rows: list[Row] = [
        replace(row, seen={**row.seen, broken: "x"}) if isinstance(row, Observation) and row.example == "0005" else row
        for row in evidence.rows.values()
    ]
    assert judge(suite, KINDS, Evidence.of(evidence.provenance, [], rows), None).outcome is Outcome.ERRORED


# --- what a hostile model, or a damaged file, may try ----------------------------------------------------


def changed(evidence: Evidence, change: Callable[[int, LoadBlock], LoadBlock], side: str = "speed") -> Evidence:
    """Return evidence with each block of one side changed, by its round."""
    rows: list[Row] = []
    for row in evidence.rows.values():
        if isinstance(row, Observation) and row.check == side and "due_us" in row.seen:
            kept = {name: row.seen[name] for name in ("first", "rate", "duet")}
            rows.append(replace(row, seen={**pack(change(int(row.example), unpack(row.seen))), **kept}))
        else:
            rows.append(row)
    return Evidence.of(evidence.provenance, evidence.environments, rows)


def slower(block: LoadBlock, factor: float, **facts: float) -> LoadBlock:
    replies = tuple(replace(r, done=r.done * factor, first=r.first * factor) for r in block.replies)
    return LoadBlock(replies, {**block.facts, **facts})


def test_requests_that_are_lost_inside_a_row_are_a_hole() -> None:
    suite, evidence = observed(speed(LIMIT), LawLoad(tail=0.2))
    fast = changed(evidence, lambda _, block: LoadBlock(tuple(r for r in block.replies if r.done < 0.04), block.facts))
    assert judge(suite, KINDS, evidence, None).outcome is Outcome.FAILED
    assert judge(suite, KINDS, fast, None).outcome is Outcome.ERRORED
    empty = changed(evidence, lambda _, block: LoadBlock((), block.facts))
    assert judge(suite, KINDS, empty, None).outcome is Outcome.ERRORED


@pytest.mark.parametrize("rounds_of_100", [20, 45, 49])
def test_a_slow_start_is_not_cut_away_when_it_is_longer_than_a_warm_up(rounds_of_100: int) -> None:
    suite, evidence = observed(speed(LIMIT, rounds=102), LawLoad())
    slow = changed(evidence, lambda n, block: slower(block, 10) if n <= 2 + rounds_of_100 else block)
    assert judge(suite, KINDS, slow, None).outcome is Outcome.FAILED


def test_a_model_cannot_hide_slow_rounds_behind_a_busy_generator() -> None:
    suite, evidence = observed(speed(LIMIT, rounds=102), LawLoad())
    flooded = changed(evidence, lambda n, block: slower(block, 10, cpu_s=0.75) if n % 6 == 0 else block)
    assert judge(suite, KINDS, flooded, None).outcome.blocks


def test_a_model_that_answers_now_so_now_so_is_not_identical_to_one_that_seldom_does() -> None:
    def mostly(wrong: int) -> LawLoad:
        return LawLoad(answer=lambda example, before: "no" if before % 10 < wrong else example.references[0])

    rule = Rule("rougeL", Bound.MAX_DROP, 0.01)
    check = speed(rule, rounds=60)
    report = report_of(check, mostly(9), mostly(1))
    assert report.findings[0].topic != "identical"
    assert report.outcome is Outcome.FAILED


@pytest.mark.parametrize("name", ["service_p50_ms", "ttft_p50_ms", "itl_p95_ms", "p50_ms"])
def test_a_failed_request_is_slow_by_every_clock(name: str) -> None:
    rules = (Rule(name, Bound.MAX, 100.0), Rule("error_rate", Bound.MAX, 1.0))
    assert report_of(speed(*rules), LawLoad(events=5)).outcome is Outcome.PASSED
    assert report_of(speed(*rules), LawLoad(events=5, fails=0.6)).outcome is Outcome.FAILED


def test_failures_bring_no_tokens_and_no_cheap_requests() -> None:
    rules = (Rule("tokens_per_s", Bound.MIN, 100.0), Rule("error_rate", Bound.MAX, 1.0))
    assert report_of(speed(*rules), LawLoad(events=5)).outcome is Outcome.PASSED
    assert report_of(speed(*rules), LawLoad(events=5, fails=0.4)).outcome is Outcome.FAILED


def test_evidence_of_another_rate_is_not_judged() -> None:
    _, evidence = observed(speed(LIMIT, rate=10), LawLoad())
    other = suite_of(speed(LIMIT, rate=80), duet=False)
    again = Evidence.of(provenance(other), [], evidence.rows.values())
    report = judge(other, KINDS, again, None)
    assert report.outcome is Outcome.ERRORED
    assert "does not hold the requests that this check plans" in report.reason


def test_a_gap_of_one_side_asks_both_sides_again() -> None:
    suite, evidence = _slow()
    rows: list[Row] = [
        Gap(row.check, row.example, "lost") if row.key == ("baseline/speed", "0030") else row
        for row in evidence.rows.values()
    ]
    assert not set(settled(suite, KINDS, Evidence.of(evidence.provenance, [], rows)))


def test_errors_are_told_by_example_and_compared_beside_answers() -> None:
    rules = (Rule("error_rate", Bound.MAX_RISE, 0.01), Rule("rougeL", Bound.MAX_DROP, 0.01))
    report = report_of(speed(*rules), LawLoad(fails=0.2), old())
    assert report.outcome is Outcome.FAILED
    assert {segment.example for segment in report.segments} <= {example.id for example in EXAMPLES}


def test_a_noise_that_is_not_known_is_no_noise_of_zero() -> None:
    suite, evidence = observed(speed(RISE), LawLoad(), old())
    rows: list[Row] = [  # always the same side first: no two blocks of one side are neighbours
        replace(row, seen={**row.seen, "first": float(row.check == "speed")})
        if isinstance(row, Observation) and "first" in row.seen
        else row
        for row in evidence.rows.values()
    ]
    report = judge(suite, KINDS, Evidence.of(evidence.provenance, [], rows), ABSENT)
    assert (report.outcome, report.findings[0].topic) == (Outcome.INCONCLUSIVE, "noise")


def test_each_look_at_answers_asks_for_more_confidence() -> None:
    check = speed(Rule("rougeL", Bound.MAX_DROP, 0.01), rounds=40, looks=[20, 30, 40])
    kind, (_, evidence) = LatencyKind(), observed(check, LawLoad())
    part = kind.score(check, kind.read(check, evidence.under("speed")))[0]
    assert isinstance(part, Statistics)
    assert part.look.places == (18, 28, 38)
    assert 0.95 < part.look.confidence(0.95) < 1


def test_an_example_that_the_check_does_not_have_is_a_hole() -> None:
    suite, evidence = observed(speed(LIMIT), LawLoad())

    def strange(place: int) -> Callable[[int, LoadBlock], LoadBlock]:
        return lambda _, block: LoadBlock(tuple(replace(r, example=place) for r in block.replies), block.facts)

    for place in (999, -1):
        assert judge(suite, KINDS, changed(evidence, strange(place)), None).outcome is Outcome.ERRORED
