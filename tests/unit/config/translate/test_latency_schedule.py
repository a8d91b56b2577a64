"""From spans of time to rounds: enough of them, no empty blocks, and advice that helps when it is followed."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mlgate.config.translate import latency_schedule
from mlgate.config.translate.latency_schedule import LatencySchedule, Unfit

spans = st.floats(0.001, 600).map(lambda seconds: round(seconds, 3))
rates = st.floats(0.01, 5000).map(lambda rate: round(rate, 2))
sides = st.sampled_from([1, 2])


def steady(  # the configuration's defaults
    duration_s: float = 20,
    budget_s: float = 0,
    warmup_s: float = 2,
    block_s: float = 1,
    sides: int = 1,
    rate: float | None = 50,
) -> LatencySchedule:
    return latency_schedule.steady(
        duration_s=duration_s,
        budget_s=budget_s or duration_s,
        warmup_s=warmup_s,
        block_s=block_s,
        sides=sides,
        rate=rate,
    )


def test_a_round_is_a_block_of_each_side_so_both_share_the_duration() -> None:
    assert steady() == LatencySchedule(1, 2, (22,), 22)
    assert steady(sides=2) == LatencySchedule(1, 2, (12,), 12)


def test_a_budget_gives_looks_at_half_of_the_duration_at_its_end_and_at_equal_steps_eight_in_all_at_most() -> None:
    assert steady(budget_s=60, sides=2).looks == (10, 12, 15, 19, 22, 25, 29, 32)
    assert steady(budget_s=40, sides=2).looks == (10, 12, 15, 19, 22)
    assert steady(budget_s=24, sides=2).looks == (10, 12, 14)
    assert steady(budget_s=24, sides=2).whole == 12
    assert steady(budget_s=20, sides=2).looks == (12,)
    assert steady(budget_s=600).looks == (12, 22, 119, 215, 312, 409, 505, 602)


def test_a_short_duration_has_shorter_blocks_and_as_long_a_warm_up() -> None:
    assert steady(duration_s=4) == LatencySchedule(0.5, 4, (12,), 12)
    assert steady(duration_s=4, sides=2, rate=None) == LatencySchedule(0.25, 8, (16,), 16)


def test_a_ramp_has_whole_blocks_and_the_warm_up_before_its_first_stage() -> None:
    ramp = [(10.0, 10.0), (50.0, 10.0)]
    assert latency_schedule.staged(ramp, warmup_s=2, block_s=1, sides=1) == LatencySchedule(
        1, 2, (22,), 22, ((10, 12), (50, 10))
    )
    assert latency_schedule.staged(ramp, warmup_s=2, block_s=1, sides=2) == LatencySchedule(
        1, 2, (12,), 12, ((10, 7), (50, 5))
    )


def test_a_search_takes_twelve_steps_or_as_many_as_fit() -> None:
    assert latency_schedule.search(step_s=5, duration_s=None, least=1, sides=2) == 12
    assert latency_schedule.search(step_s=5, duration_s=30, least=1, sides=1) == 6
    assert latency_schedule.search(step_s=5, duration_s=3600, least=1, sides=1) == 12


@pytest.mark.parametrize(
    ("given", "key", "says", "hint"),
    [
        (
            {"rate": 1},
            "",
            "asks 1 times a block of 1s: fewer than 5 requests tell nothing",
            "raise rate to 5 or more, or block to 5s and duration to 40s",
        ),
        (
            {"rate": 4},
            "",
            "asks 4 times a block of 1s: fewer than 5 requests tell nothing",
            "raise rate to 5 or more, or block to 1250ms",
        ),
        (
            {"rate": 10, "duration_s": 2, "sides": 2},
            "",
            "asks 1.25 times a block of 125ms: fewer than 5 requests tell nothing",
            "raise rate to 40 or more, or duration to 8s",
        ),
        ({"block_s": 0.01}, "block", "is shorter than 50ms", "e.g. block: 1s"),
        (
            {"duration_s": 0.5, "sides": 2, "rate": None},
            "",
            "is too short: 8 blocks of 50ms for each side do not fit in",
            "let it take 800ms or more",
        ),
        ({"duration_s": 24_000}, "", "has 24,002 rounds: more than 9,999", "write a longer block, or less time"),
    ],
)
def test_a_load_that_tells_nothing_is_refused_with_advice(
    given: dict[str, float], key: str, says: str, hint: str
) -> None:
    with pytest.raises(Unfit) as caught:
        steady(**given)  # type: ignore[arg-type]  # the keys of the table
    assert (caught.value.key, caught.value.says, caught.value.hint) == (key, says, hint)


def test_a_stage_without_a_whole_block_is_refused() -> None:
    with pytest.raises(Unfit, match="has one that is shorter than 100ms: it holds no block") as caught:
        latency_schedule.staged([(100, 10), (100, 0.09)], warmup_s=2, block_s=1, sides=2)
    assert caught.value.key == "stages"


@pytest.mark.parametrize(
    ("step_s", "duration_s", "least", "key", "hint"),
    [
        (0.01, None, 1, "step", "e.g. step: 5s"),
        (1, None, 1, "step", "raise least to 5 or more, or step to 5s"),
        (5, 30, 1, "duration", "write 40s or more, or a shorter step"),
    ],
)
def test_a_search_that_tells_nothing_is_refused_with_advice(
    step_s: float, duration_s: float | None, least: float, key: str, hint: str
) -> None:
    with pytest.raises(Unfit) as caught:
        latency_schedule.search(step_s=step_s, duration_s=duration_s, least=least, sides=2)
    assert (caught.value.key, caught.value.hint) == (key, hint)


@given(spans, spans, spans, spans, sides, rates | st.none())
def test_what_is_accepted_can_be_judged(
    duration: float, more: float, warmup: float, block: float, sides: int, rate: float | None
) -> None:
    try:
        planned = steady(duration, duration + more, warmup, block, sides, rate)
    except Unfit:
        assume(False)
    first = planned.looks[0] - planned.warm
    assert first >= 8
    assert 0.05 - 1e-9 <= planned.block_s <= block
    assert rate is None or rate * planned.block_s >= 5 - 1e-6
    assert planned.warm * planned.block_s >= warmup - 1e-6
    assert first * planned.block_s * sides <= duration + 1e-6
    assert (planned.count - planned.warm) * planned.block_s * sides <= duration + more + 1e-6
    assert len(planned.looks) <= 8
    assert all(a < b for a, b in pairwise(planned.looks))
    assert planned.count <= 9_999


@given(st.lists(st.tuples(rates, spans), min_size=1, max_size=5), spans, spans, sides)
def test_an_accepted_ramp_goes_through_every_stage_in_whole_blocks(
    stages: list[tuple[float, float]], warmup: float, block: float, sides: int
) -> None:
    try:
        planned = latency_schedule.staged(stages, warmup_s=warmup, block_s=block, sides=sides)
    except Unfit:
        assume(False)
    blocks = [round(seconds / planned.block_s, 6) for _, seconds in planned.stages]
    assert all(n == int(n) and n >= 1 for n in blocks)
    assert sum(blocks) == planned.count >= planned.warm + 8
    assert [rate for rate, _ in planned.stages] == [rate for rate, _ in stages]
    assert min(rate for rate, _ in stages) * planned.block_s >= 5 - 1e-6


@given(spans, spans, sides, rates)
def test_who_follows_the_advice_is_not_refused_again(duration: float, block: float, sides: int, rate: float) -> None:
    assume(block >= 0.05)
    assume(
        duration / block < latency_schedule.MOST_ROUNDS / 2
    )  # more rounds than can be numbered are refused for their own reason
    try:
        steady(duration, block_s=block, sides=sides, rate=rate)
    except Unfit as error:
        assume("raise rate" in error.hint)
        hint = error.hint
    else:
        return
    raised = re.search(r"rate to ([0-9.e+]+)", hint)
    assert raised
    steady(duration, block_s=block, sides=sides, rate=float(raised[1]))
    longer = {key: _seconds(text) for key, text in re.findall(r"(block|duration) to ([0-9]+m?s?)", hint)}
    assert longer
    steady(max(duration, longer.get("duration", 0)), block_s=longer.get("block", block), sides=sides, rate=rate)


def _seconds(text: str) -> float:
    number, unit = re.fullmatch(r"([0-9]+)(ms|s|m)", text).groups()  # type: ignore[union-attr]  # it was found so
    return float(number) * {"ms": 0.001, "s": 1, "m": 60}[unit]
