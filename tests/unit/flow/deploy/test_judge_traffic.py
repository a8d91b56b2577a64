"""A step is judged by users' requests: what lets it pass, what takes the candidate back, and what does neither."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgate.core.check import Bound, Rule
from mlgate.core.deploy.looks import StepLook
from mlgate.core.deploy.rollout import Opening
from mlgate.core.deploy.traffic import Traffic, TrafficCounts, TrafficWindow
from mlgate.core.outcome import Outcome
from mlgate.core.verdict import Finding
from mlgate.flow.deploy.judge_traffic import judge_traffic
from mlgate.flow.deploy.step_question import StepQuestion

EDGES = (50.0, 100.0, 250.0)
ERRORS = Rule("error_rate", Bound.MAX, 0.01)
MORE_ERRORS = Rule("error_rate", Bound.MAX_RISE, 0.005)
SLOW = Rule("p95_ms", Bound.MAX, 250.0)
SLOWER = Rule("p95_ms", Bound.MAX_RISE, 0.1, relative=True)
LATE, EARLY = StepLook(600.0, 0.01, 0.5), StepLook(100.0, 0.1)
FINE = (0.001, (0.6, 0.15, 0.01))
"""Share of errors, and of requests that are slower than each edge."""


def counts(n: float, errors: float, slower: tuple[float, ...]) -> TrafficCounts:
    return TrafficCounts(n, round(n * errors), tuple(round(n * one) for one in slower), n)


def traffic(
    mine: tuple[float, tuple[float, ...]] = FINE,
    its: tuple[float, tuple[float, ...]] = FINE,
    *,
    n: float = 8_000,
    m: float = 24_000,
    windows: int = 40,
) -> Traffic:
    """Return even traffic: *n* requests of the candidate and *m* of what serves."""
    whole, beside = counts(n, *mine), counts(m, *its)
    return Traffic(EDGES, tuple(_window(index, windows, whole, beside) for index in range(windows)))


def _window(index: int, windows: int, *sides: TrafficCounts) -> TrafficWindow:
    def part(of: float) -> float:
        return float(of * (index + 1) // windows - of * index // windows)

    cut = [
        TrafficCounts(part(one.requests), part(one.errors), tuple(map(part, one.slower)), part(one.timed))
        for one in sides
    ]
    return TrafficWindow(15.0 * (index + 1), 15.0, *cut)


def held(rule: Rule, seen: Traffic, *, look: StepLook = LATE, share: float = 1.0, compares: bool = True) -> Finding:
    (found,) = judge_traffic(StepQuestion("step of 25 %", look, share, compares), [rule], seen)
    return found


@pytest.mark.parametrize("rule", [ERRORS, MORE_ERRORS, SLOW, SLOWER])
def test_a_candidate_like_what_serves_passes_with_enough_requests(rule: Rule) -> None:
    found = held(rule, traffic())
    assert found.outcome is Outcome.PASSED, found.why


@pytest.mark.parametrize("rule", [ERRORS, MORE_ERRORS, SLOW, SLOWER])
def test_few_requests_settle_nothing(rule: Rule) -> None:
    found = held(rule, traffic(n=60, m=180))
    assert (found.outcome, found.topic) == (Outcome.INCONCLUSIVE, "inconclusive"), found.why


@pytest.mark.parametrize(
    ("rule", "bad"),
    [
        (ERRORS, (0.03, FINE[1])),
        (MORE_ERRORS, (0.02, FINE[1])),
        (SLOW, (FINE[0], (0.7, 0.4, 0.1))),
        (SLOWER, (FINE[0], (0.8, 0.4, 0.05))),
    ],
)
@pytest.mark.parametrize("look", [EARLY, LATE])
@pytest.mark.parametrize("share", [0.25, 1.0])
def test_a_worse_candidate_goes_back_at_any_look(
    rule: Rule, bad: tuple[float, tuple[float, ...]], look: StepLook, share: float
) -> None:
    found = held(rule, traffic(bad), look=look, share=share)
    assert (found.outcome, found.topic) == (Outcome.FAILED, rule.bound.value), found.why


@pytest.mark.parametrize("rule", [ERRORS, MORE_ERRORS, SLOW, SLOWER])
def test_nothing_passes_before_the_step_has_lasted(rule: Rule) -> None:
    assert held(rule, traffic(), look=EARLY).topic == "early"


def test_a_small_share_of_the_traffic_needs_fewer_requests() -> None:
    """With 600 requests nobody knows an error rate to half a point, and to two points everybody does."""
    seen = traffic(n=600, m=11_400)
    assert held(MORE_ERRORS, seen).outcome is Outcome.INCONCLUSIVE
    found = held(MORE_ERRORS, seen, share=0.25)
    assert found.outcome is Outcome.PASSED
    assert "for the next step, where it gets 25%" in found.why


def test_what_serves_is_bad_itself_then_the_candidate_is_not_to_blame() -> None:
    bad = (0.05, FINE[1])
    found = held(ERRORS, traffic(bad, bad))
    assert (found.outcome, found.topic) == (Outcome.INCONCLUSIVE, "stable-is-bad")
    assert "5% of 8,000 requests failed, and 5% of those of the model that serves, which breaks max 0.01" in found.why
    assert held(MORE_ERRORS, traffic(bad, bad, n=80_000, m=240_000)).outcome is Outcome.PASSED


def test_a_candidate_that_is_worse_still_is_to_blame() -> None:
    assert held(ERRORS, traffic((0.5, FINE[1]), (0.05, FINE[1]))).outcome is Outcome.FAILED


def test_a_single_error_takes_nothing_back() -> None:
    one = replace(counts(4, 0, FINE[1]), errors=1.0)
    windows = tuple(
        TrafficWindow(15.0 * (i + 1), 15.0, one if not i else counts(0, 0, FINE[1]), counts(80, 0, FINE[1]))
        for i in range(10)
    )
    for rule in (ERRORS, MORE_ERRORS):
        assert held(rule, Traffic(EDGES, windows), look=EARLY).outcome is Outcome.INCONCLUSIVE


def test_a_mean_that_rises_is_not_hidden_by_a_bucket() -> None:
    """94 of 100 requests take 20 ms, and 6 take 240 ms; the candidate's 6 take 249 ms, or 600: the same bucket."""
    windows = []
    for window in traffic((0.001, (0.06, 0.06, 0.0)), (0.001, (0.06, 0.06, 0.0))).windows:
        assert window.candidate is not None
        assert window.stable is not None
        mine = replace(window.candidate, took_ms=window.candidate.timed * 48.0)
        windows.append(
            replace(window, candidate=mine, stable=replace(window.stable, took_ms=window.stable.timed * 34.0))
        )
    found = held(SLOWER, Traffic(EDGES, tuple(windows)))
    assert (found.outcome, found.topic) == (Outcome.INCONCLUSIVE, "mean")
    assert "the mean rose from 34 to 48 ms, more than max_rise 10% allows" in found.why


def test_a_histogram_without_an_edge_near_the_percentile_says_nothing_of_its_rise() -> None:
    coarse = (0.001, (0.6, 0.5, 0.001))
    soft = replace(SLOWER, on_inconclusive=Outcome.WARNED)
    for rule in (SLOWER, soft):
        found = held(rule, traffic(coarse, coarse))
        assert (found.outcome, found.topic) == (Outcome.INCONCLUSIVE, "coarse")
    assert found.why == "the histogram is too coarse for p95_ms: what serves has it between 100 and 250 ms"


def test_a_limit_above_the_last_edge_breaks_nothing() -> None:
    above = Rule("p95_ms", Bound.MAX, 900.0)
    assert held(above, traffic((0.0, (0.9, 0.8, 0.7)))).outcome is Outcome.INCONCLUSIVE
    assert held(above, traffic((0.0, (0.9, 0.2, 0.01)))).outcome is Outcome.PASSED


BETTER = Rule("error_rate", Bound.SUPERIOR, 0.0)
FASTER = Rule("p95_ms", Bound.SUPERIOR, 0.0)
ONCE = StepLook(600.0, 0.01, 1.0)


@pytest.mark.parametrize(
    ("rule", "its"), [(BETTER, (0.01, FINE[1])), (FASTER, (FINE[0], (0.7, 0.3, 0.06)))], ids=["errors", "times"]
)
def test_a_candidate_that_is_shown_better_passes(rule: Rule, its: tuple[float, tuple[float, ...]]) -> None:
    found = held(rule, traffic(FINE, its), look=ONCE)
    assert (found.outcome, found.topic) == (Outcome.PASSED, "superior"), found.why
    assert found.why.endswith(": it is shown better")


@pytest.mark.parametrize("rule", [BETTER, FASTER])
@pytest.mark.parametrize("n", [8_000, 800_000])
def test_a_candidate_that_is_as_good_is_not_shown_better_however_many_requests_there_are(rule: Rule, n: int) -> None:
    found = held(rule, traffic(n=n, m=3 * n), look=ONCE)
    assert (found.outcome, found.topic) == (Outcome.FAILED, "superior")
    assert found.why.startswith("the candidate is not shown better: ")
    warns = held(replace(rule, on_breach=Outcome.WARNED), traffic(n=n, m=3 * n), look=ONCE)
    assert warns.outcome is Outcome.WARNED


@pytest.mark.parametrize("rule", [BETTER, FASTER])
def test_better_is_not_asked_for_before_the_last_step_that_has_something_beside(rule: Rule) -> None:
    assert held(rule, traffic(), look=ONCE, share=0.25).outcome is Outcome.PASSED
    assert held(rule, traffic(n=0), look=ONCE, share=0.25).outcome is Outcome.ERRORED
    worse = traffic((0.02, (0.8, 0.4, 0.05)))
    assert held(rule, worse, look=EARLY, share=0.25).outcome is Outcome.FAILED
    assert held(rule, worse, look=EARLY).outcome is Outcome.FAILED


def test_no_error_on_either_side_is_not_better() -> None:
    assert held(BETTER, traffic((0.0, FINE[1]), (0.0, FINE[1])), look=ONCE).outcome is Outcome.FAILED


def test_a_tail_that_is_shorter_with_a_mean_that_is_longer_is_not_better() -> None:
    windows = []
    for window in traffic(FINE, (FINE[0], (0.7, 0.3, 0.06))).windows:
        assert window.candidate is not None
        assert window.stable is not None
        mine = replace(window.candidate, took_ms=window.candidate.timed * 60.0)
        windows.append(
            replace(window, candidate=mine, stable=replace(window.stable, took_ms=window.stable.timed * 55.0))
        )
    found = held(FASTER, Traffic(EDGES, tuple(windows)), look=ONCE)
    assert found.outcome is Outcome.FAILED
    assert found.why.startswith("the candidate is not shown better: ")
    assert "the mean rose from 55 to 60 ms" in found.why


def test_a_histogram_that_is_too_coarse_to_show_better_decides_at_the_only_look() -> None:
    coarse = (0.001, (0.6, 0.5, 0.001))
    found = held(FASTER, traffic(coarse, coarse), look=ONCE)
    assert (found.outcome, found.topic) == (Outcome.FAILED, "coarse")


def test_requests_that_are_not_counted_are_missed() -> None:
    question = StepQuestion("step of 25 %", LATE, 1.0, compares=True, share=0.25)
    (found,) = judge_traffic(question, [ERRORS], traffic(n=5_000, m=24_000))
    assert found.outcome is Outcome.ERRORED
    assert "5,000 requests of the candidate were counted, and 25% of the traffic would be 8,000" in found.why
    assert judge_traffic(question, [ERRORS], traffic(n=7_500, m=24_000))[0].outcome is Outcome.PASSED


def test_copies_are_as_many_as_the_requests_that_were_copied() -> None:
    shadow = StepQuestion("step of 0 %", LATE, 0.25, compares=True, opening=Opening.MIRRORED)
    assert judge_traffic(shadow, [ERRORS], traffic(n=24_000, m=24_000))[0].outcome is Outcome.PASSED
    (found,) = judge_traffic(shadow, [ERRORS], traffic(n=8_000, m=24_000))
    assert found.outcome is Outcome.ERRORED
    assert "8,000 requests of the candidate were counted, and 24,000 of the model that serves were to be" in found.why
    (found,) = judge_traffic(shadow, [ERRORS], traffic(n=0, m=24_000))
    assert (found.outcome, found.why) == (
        Outcome.ERRORED,
        "the candidate had no requests: does the gateway mirror them?",
    )


def test_an_audience_has_some_number_of_requests_whatever_that_is_of_all() -> None:
    question = StepQuestion("step of 0 %", ONCE, 1.0, compares=True, opening=Opening.AUDIENCE)
    few = traffic(n=99, m=24_000)
    (found,) = judge_traffic(question, [ERRORS], few)
    assert found.outcome is Outcome.ERRORED
    assert found.why == "the candidate had 99 requests: at least 100 of its audience are asked for"
    (found,) = judge_traffic(question, [ERRORS], traffic(n=2_000, m=24_000))
    assert found.outcome is Outcome.PASSED
    (found,) = judge_traffic(replace(question, look=EARLY), [ERRORS], traffic((0.9, FINE[1]), n=99))
    assert found.outcome is Outcome.FAILED


def test_without_anything_beside_limits_hold_and_comparisons_are_left_out() -> None:
    alone = Traffic(EDGES, tuple(TrafficWindow(one.at, one.seconds, one.candidate, None) for one in traffic().windows))
    question = StepQuestion("step of 100 %", LATE, 1.0, compares=False)
    rules = [ERRORS, MORE_ERRORS, SLOW, SLOWER, BETTER]
    assert [one.rule for one in judge_traffic(question, rules, alone)] == [ERRORS, SLOW]


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (Traffic(why="Prometheus does not answer"), "Prometheus does not answer"),
        (Traffic(EDGES), "the candidate had no requests"),
        (traffic(n=0), "the candidate had no requests"),
        (traffic(m=0), "the model that serves had no requests"),
        (traffic(windows=4), "was read 4 times since the step began: 5 times are needed"),
    ],
)
@pytest.mark.parametrize("rule", [ERRORS, MORE_ERRORS, SLOW, SLOWER])
def test_what_was_not_measured_never_passes(seen: Traffic, why: str, rule: Rule) -> None:
    soft = Rule(
        rule.metric, rule.bound, rule.limit, rule.relative, on_breach=Outcome.WARNED, on_inconclusive=Outcome.WARNED
    )
    for one in (rule, soft):
        found = held(one, seen)
        assert found.outcome is Outcome.ERRORED
        assert why in found.why


def test_times_are_not_judged_without_a_histogram_or_below_its_first_bucket() -> None:
    windows = tuple(TrafficWindow(15.0 * i, 15.0, TrafficCounts(100, 0), TrafficCounts(100, 0)) for i in range(40))
    assert held(SLOW, Traffic((), windows)).outcome is Outcome.ERRORED
    found = held(Rule("p95_ms", Bound.MAX, 20.0), traffic())
    assert found.outcome is Outcome.ERRORED
    assert "first bucket ends at 50 ms" in found.why


def test_a_limit_between_two_edges_passes_by_the_lower_and_breaks_by_the_upper_one() -> None:
    between = Rule("p95_ms", Bound.MAX, 180.0)
    for slower, outcome in (
        ((0.6, 0.02, 0.0), Outcome.PASSED),
        ((0.6, 0.2, 0.01), Outcome.INCONCLUSIVE),
        ((0.9, 0.6, 0.2), Outcome.FAILED),
    ):
        assert held(between, traffic((0.0, slower), (0.0, (0.6, 0.02, 0.0)))).outcome is outcome


def test_enough_requests_can_be_asked_for() -> None:
    rule = Rule("requests", Bound.MIN, 500.0)
    assert held(rule, traffic(n=400)).outcome is Outcome.INCONCLUSIVE
    assert held(rule, traffic(n=500)).outcome is Outcome.PASSED
    assert held(rule, traffic(n=500), look=EARLY).outcome is Outcome.INCONCLUSIVE


shares = st.floats(0, 1)


@st.composite
def any_traffic(draw: st.DrawFn) -> Traffic:
    rng = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    level = draw(st.tuples(shares, shares, st.integers(0, 300), st.integers(0, 300)))

    def window(index: int) -> TrafficWindow:
        def one(n: int, p: float) -> TrafficCounts:
            slower = sorted((float(rng.binomial(n, p)) for _ in EDGES), reverse=True)
            return TrafficCounts(float(n), float(rng.binomial(n, p)), tuple(slower), float(n))

        return TrafficWindow(15.0 * (index + 1), 15.0, one(level[2], level[0]), one(level[3], level[1]))

    return Traffic(EDGES, tuple(window(index) for index in range(draw(st.integers(0, 20)))))


@given(
    any_traffic(),
    st.floats(0.0001, 0.5),
    st.floats(0.0001, 0.5),
    st.sampled_from([LATE, EARLY]),
    st.sampled_from([0.25, 1.0]),
)
def test_a_tighter_rule_is_never_milder(seen: Traffic, one: float, other: float, look: StepLook, share: float) -> None:
    for metric, bound, scale, relative in (
        ("error_rate", Bound.MAX, 1.0, False),
        ("error_rate", Bound.MAX_RISE, 1.0, False),
        ("p95_ms", Bound.MAX_RISE, 1.0, True),
    ):
        tight, loose = (
            held(Rule(metric, bound, scale * limit, relative), seen, look=look, share=share)
            for limit in sorted((one, other))
        )
        assert tight.outcome >= loose.outcome, (tight.why, loose.why)
