from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgate.core.looks import effective_confidence, shares


@given(st.integers(1, 50))
def test_the_looks_together_spend_what_was_agreed(n: int) -> None:
    assert sum(shares(n)) == pytest.approx(1)


@given(st.integers(1, 50))
def test_every_look_may_spend_more_than_the_one_before(n: int) -> None:
    spent = shares(n)
    assert all(0 < earlier < later for earlier, later in pairwise(spent))


def test_one_look_spends_all() -> None:
    assert shares(1) == (1.0,)


def test_three_looks_leave_most_to_the_last() -> None:
    assert shares(3) == pytest.approx((0.04, 0.26, 0.70), abs=0.01)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=8, unique=True).map(sorted))
def test_looks_at_unequal_steps_spend_what_was_agreed(rounds: list[int]) -> None:
    spent = shares(rounds)
    assert len(spent) == len(rounds)
    assert sum(spent) == pytest.approx(1)
    assert all(share > 0 for share in spent)


@given(st.integers(1, 9), st.integers(1, 9))
def test_only_the_proportion_of_the_rounds_counts(n: int, factor: int) -> None:
    assert shares([factor * (i + 1) for i in range(n)]) == pytest.approx(shares(n))


@pytest.mark.parametrize("looks", [0, -1, [], [0, 5], [5, 5], [9, 3]])
def test_looks_that_cannot_be_taken_are_refused(looks: int | list[int]) -> None:
    with pytest.raises(ValueError, match="looks are taken"):
        shares(looks)


def test_a_whole_share_leaves_the_confidence_as_it_is() -> None:
    assert effective_confidence(0.95, 1.0) == 0.95


def test_a_small_share_asks_for_more_confidence() -> None:
    assert effective_confidence(0.95, 0.05) == pytest.approx(0.9975)


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1, math.nan, math.inf])
def test_a_share_that_is_none_gives_no_confidence(share: float) -> None:
    assert math.isnan(effective_confidence(0.95, share))
