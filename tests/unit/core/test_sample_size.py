"""What is said of how much more data would settle a comparison."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from mlgate.core.metric import Better, Metric
from mlgate.core.sample_size import round_up, to_miss_less, to_settle
from mlgate.core.stats.jackknife import Width
from mlgate.core.verdict import Delta, Measurement

MEASURED = Measurement("summaries", "rougeL", Metric("rougeL", "ratio", Better.HIGHER), 0.5, 100, 0.4, 0.6, "s")
OPEN = Delta(-0.005, Width(0.02), Width(0.03))


@pytest.mark.parametrize(("n", "shown"), [(7, 7), (99, 99), (101, 110), (1_234, 1_300), (120_000, 120_000)])
def test_a_forecast_has_two_digits_and_is_never_too_small(n: int, shown: int) -> None:
    assert round_up(n) == shown


def test_a_difference_within_the_margin_is_settled_by_more_examples() -> None:
    assert to_settle(MEASURED, OPEN, 0.01) == "about 1,700 examples would settle it"


def test_groups_are_counted_where_examples_depend_on_each_other() -> None:
    assert to_settle(replace(MEASURED, groups=50), OPEN, 0.01) == "about 810 groups would settle it"


def test_a_difference_on_the_margin_is_settled_by_no_number_of_examples() -> None:
    assert not to_settle(MEASURED, replace(OPEN, value=-0.01), 0.01)


def test_of_more_than_twenty_times_the_rounds_nobody_is_told_the_number() -> None:
    timed = replace(OPEN, value=4.9, base=100.0, rounds=30)
    faster = replace(MEASURED, metric=Metric("p50_ms", "ms", Better.LOWER))
    assert "widen the margin" in to_settle(faster, timed, 5.0)


def test_what_examples_can_miss_is_foretold_only_where_there_is_room() -> None:
    unseen = replace(OPEN, unseen=0.04)
    assert to_miss_less(MEASURED, unseen, 0.01) == "about 400 examples"
    assert not to_miss_less(MEASURED, unseen, 0.0)
    assert not to_miss_less(MEASURED, replace(unseen, unseen=math.inf), 0.01)
