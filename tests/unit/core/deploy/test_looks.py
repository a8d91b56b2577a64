"""When a step is looked at: often at first, later less often, and never with more error than was agreed."""

from __future__ import annotations

import pytest

from mlgate.core.deploy.looks import EARLY, last_look

HOLD = 600.0
DAY = 86_400


def test_nothing_passes_before_the_step_has_lasted() -> None:
    for second in range(DAY // 10):
        look = last_look(second, HOLD)
        if look is not None:
            assert look.after <= second
            assert (look.passing_part > 0) == (look.after >= HOLD)


def test_a_look_at_the_end_of_the_hold_is_at_the_end_exactly() -> None:
    look = last_look(HOLD, HOLD)
    assert look is not None
    assert (look.after, look.passing_part) == (HOLD, 0.5)
    before = last_look(HOLD - 0.001, HOLD)
    assert before is not None
    assert before.passing_part == 0


def test_all_looks_together_spend_no_more_than_there_is() -> None:
    looks = {look.after: look for second in range(0, 30 * DAY, 10) if (look := last_look(second, HOLD))}
    assert len(looks) > EARLY
    assert sum(look.failing_part for look in looks.values()) < 1
    assert sum(look.passing_part for look in looks.values()) < 1


def test_there_is_no_look_before_the_first() -> None:
    assert last_look(0.0, HOLD) is None
    assert last_look(HOLD / 60, HOLD) is None


@pytest.mark.parametrize("elapsed", [0.0, 5.0])
def test_a_step_without_a_hold_is_over_at_once(elapsed: float) -> None:
    look = last_look(elapsed, 0.0)
    assert look is not None
    assert look.passing_part > 0
