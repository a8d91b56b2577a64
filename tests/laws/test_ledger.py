"""What a ledger says was live, and what a rollback goes back to, as one would draw it on paper."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.fake_registry import FakeRegistry
from tests.support.movers import Story, at, candidate, lived, promoting, rolling_back, settle, stories, told, turns

from mlgate.core.errors import GateError, Refused
from mlgate.core.tracking.ledger import NO_VERSION
from mlgate.flow.promotion import CHAMPION, rollback


def modelled(history: Sequence[tuple[str, int]]) -> list[int]:
    """Return the stack of what is live and what a rollback goes to, as one would draw it on paper."""
    stack: list[int] = []
    for what, version in history:
        if what == "promote":
            stack += [version] if stack[-1:] != [version] else []
        elif what == "rollback":
            stack = stack[:-1] if len(stack) > 1 else stack
        elif version in stack:
            stack = stack[: len(stack) - stack[::-1].index(version)]
        else:
            stack = [*stack, version]
    return stack


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, int]]:
    """Draw promotions, rollbacks, and rollbacks to a version that was live once."""
    steps: list[tuple[str, int]] = []
    were_live: list[int] = []
    for _ in range(draw(st.integers(1, 12))):
        what = draw(st.sampled_from(["promote", "promote", "rollback", "to"]) if were_live else st.just("promote"))
        version = draw(st.sampled_from(were_live)) if what == "to" else draw(st.integers(1, 5))
        if what == "promote":
            were_live.append(version)
        steps.append((what, version))
    return steps


def lived_through(history: Sequence[tuple[str, int]]) -> FakeRegistry:
    registry = FakeRegistry()
    for number in range(1, 6):
        registry.register(candidate(number))
    for what, version in history:
        try:
            (promoting(version) if what == "promote" else rolling_back(to=version if what == "to" else NO_VERSION))(
                registry
            )
        except GateError as error:
            assert what != "promote", error  # noqa: PT017 - a rollback may have nowhere to go
    return registry


@given(histories())
def test_a_rollback_goes_where_a_stack_of_promotions_says(history: list[tuple[str, int]]) -> None:
    ledger, stack = lived_through(history).ledger(), modelled(history)
    assert ledger.live(CHAMPION) == stack[-1]
    assert ledger.back(CHAMPION) == (stack[-2] if len(stack) > 1 else NO_VERSION)


@given(histories(), st.integers(1, 5))
def test_a_rollback_undoes_a_promotion(history: list[tuple[str, int]], number: int) -> None:
    registry = lived_through(history)
    before, back = registry.live(CHAMPION), registry.ledger().back(CHAMPION)
    if before == number:
        return
    promoting(number)(registry)
    rolling_back()(registry)
    assert registry.live(CHAMPION) == before
    assert registry.ledger().back(CHAMPION) == back


def test_who_goes_back_twice_goes_back_two_promotions() -> None:
    registry = lived(1, 2, 3)
    assert [rollback(registry, alias=CHAMPION, now=at(i)).version for i in (1, 2)] == [2, 1]
    with pytest.raises(GateError, match="nothing was live before version 1"):
        rollback(registry, alias=CHAMPION, now=at(3))


def test_going_forth_again_keeps_the_way_back() -> None:
    registry = lived(1, 2)
    rollback(registry, alias=CHAMPION, now=at(1))
    rollback(registry, alias=CHAMPION, now=at(2), to=2)
    assert rollback(registry, alias=CHAMPION, now=at(3)).version == 1


def test_a_promotion_that_a_person_took_back_by_hand_is_not_gone_back_to() -> None:
    registry = lived(1, 2)
    registry.by_hand(CHAMPION, 1)
    with pytest.raises(GateError, match="nothing was live before version 1"):
        rollback(registry, alias=CHAMPION, now=at(3))


@pytest.mark.parametrize(
    ("to", "error", "words"),
    [(2, GateError, "is champion already"), (3, Refused, "was never champion"), (9, Refused, "was never champion")],
)
def test_a_rollback_goes_only_to_what_was_live(to: int, error: type[GateError], words: str) -> None:
    registry = lived(1, 2)
    registry.register(candidate(3))
    with pytest.raises(error, match=words) as caught:
        rollback(registry, alias=CHAMPION, now=at(3), to=to)
    assert "mlgate" in caught.value.hint
    assert len(registry.ledger().moves) == 2


def test_a_model_that_nobody_ever_registered_has_nothing_to_go_back_to() -> None:
    with pytest.raises(GateError, match="no version ever was"):
        rollback(FakeRegistry(), alias=CHAMPION, now=at(3))


@given(stories, turns, st.integers(0, 3))
def test_spans_are_all_the_time_since_the_first_move_in_order(story: Story, order: list[int], hand: int) -> None:
    registry = lived(1, 2, 3)
    registry.by_hand(CHAMPION, hand)
    told(registry, story, order)
    ledger = settle(registry)
    spans = ledger.spans(CHAMPION)
    assert [span.since for span in spans] == list(ledger.of(CHAMPION))
    assert all(one.until == after.since for one, after in pairwise(spans))
    assert spans[-1].until is None
    assert [span.version for span in spans if span.until is None] == [registry.live(CHAMPION)]


def test_an_alias_that_never_moved_has_no_span() -> None:
    assert lived(1).ledger().spans("shadow") == ()
