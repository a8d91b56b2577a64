"""However movers of an alias interleave and wherever they die: one winner a place, and alias and ledger agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from tests.support.fake_registry import FakeRegistry
from tests.support.movers import (
    PROMOTED,
    Ended,
    Mover,
    Story,
    at,
    candidate,
    deaths,
    lived,
    meeting,
    promoting,
    rolling_back,
    settle,
    stories,
    told,
    turns,
)

from mlgate.core.errors import AdapterError, GateError, Refused
from mlgate.core.identity import FIRST_FORM
from mlgate.core.ports import Registry
from mlgate.core.tracking.ledger import NO_VERSION, Ledger, Move
from mlgate.core.tracking.model_version import Candidate
from mlgate.flow.promotion import CANDIDATE, CHAMPION, Approval, Promotion, promote, rollback

APPROVAL = Approval("approved_by")


def move_of(ended: Ended) -> Move | None:
    """Return the move that a mover says it made."""
    return (
        ended.said.move if isinstance(ended.said, Promotion) else ended.said if isinstance(ended.said, Move) else None
    )


@given(stories, turns, st.booleans())
@settings(max_examples=400)
def test_alias_and_ledger_agree_once_the_next_one_has_looked(story: Story, order: list[int], same: bool) -> None:
    registry = lived(1, 2)
    told(registry, story, order, same_second=same)
    ledger = settle(registry)
    last = ledger.last(CHAMPION)
    assert registry.live(CHAMPION) == ledger.live(CHAMPION)
    assert last is not None
    assert last.done
    assert registry.ledger() == ledger


@given(stories, turns)
@settings(max_examples=400)
def test_where_nobody_dies_the_last_one_leaves_alias_and_ledger_agreed(story: Story, order: list[int]) -> None:
    registry = lived(1, 2)
    told(registry, [(act, None) for act, _ in story], order)
    assert registry.live(CHAMPION) == registry.ledger().live(CHAMPION)
    assert all(move.done for move in registry.ledger().moves)


@given(stories, turns)
@settings(max_examples=400)
def test_a_place_has_one_winner_and_every_winner_has_a_place(story: Story, order: list[int]) -> None:
    registry = lived(1, 2)
    ended = told(registry, story, order)
    moves = registry.ledger().moves
    won = [move for move in map(move_of, ended) if move is not None]
    event(f"{len(won)} won")
    assert len({move.number for move in won}) == len(won)
    assert all(moves[move.number - 1] == move for move in won)
    assert [move.number for move in moves] == list(range(1, len(moves) + 1))
    assert all(after.before == before.version for before, after in pairwise(moves))


@given(stories, turns)
@settings(max_examples=400)
def test_who_lost_says_so_and_left_no_move(story: Story, order: list[int]) -> None:
    registry = lived(1, 2)
    ended = told(registry, story, order)
    for number, one in enumerate(ended):
        if one.error is not None:
            assert not [move for move in registry.ledger().moves[PROMOTED:] if _made_by(move, number)]


def _made_by(move: Move, number: int) -> bool:
    """Return whether a mover made this move of its own; taking down what others did is no move of its own."""
    return move.at == at(number) and move.kind != "moved by hand"


@given(stories, turns, st.booleans())
@settings(max_examples=400)
def test_a_move_by_hand_is_taken_down_only_where_a_mover_came_late(story: Story, order: list[int], same: bool) -> None:
    registry = lived(1, 2)
    told(registry, story, order, same_second=same)
    hands = [move for move in settle(registry).moves if move.kind == "moved by hand"]
    event(f"{len(hands)} by hand")
    assert len(hands) <= len(registry.late)
    were_live = [move.version for move in registry.ledger().moves if move.kind != "moved by hand"]
    assert all(hand.version in were_live[: hand.number] for hand in hands)


@given(stories)
def test_movers_one_after_another_never_take_down_a_move_by_hand_wherever_they_die(story: Story) -> None:
    registry = lived(1, 2)
    told(registry, story, ())
    assert {move.kind for move in settle(registry).moves} <= {"promoted", "rolled back"}
    assert registry.late == []


def test_a_mover_that_stalls_over_two_promotions_and_dies_leaves_what_looks_like_a_move_by_hand() -> None:
    registry = lived(1)
    stalled = Mover(promoting(2), registry)
    while registry.ledger().live(CHAMPION) != 2:
        stalled.step()
    promoting(3, second=1)(registry)  # completes the stalled one's move, and makes the next
    assert (registry.live(CHAMPION), registry.late) == (3, [])
    stalled.step()
    assert (registry.live(CHAMPION), registry.late) == (2, [(CHAMPION, 2)])
    last = settle(registry).last(CHAMPION)
    assert last == Move(4, CHAMPION, "moved by hand", 2, 3, at(59))


def test_a_mover_that_stalls_over_two_promotions_and_lives_puts_the_alias_right() -> None:
    registry = lived(1)
    stalled = Mover(promoting(2), registry)
    while registry.ledger().live(CHAMPION) != 2:
        stalled.step()
    promoting(3, second=1)(registry)
    meeting([stalled])
    assert registry.live(CHAMPION) == 3
    assert [move.kind for move in settle(registry).moves] == ["promoted"] * 3


@given(st.lists(st.booleans(), min_size=3, max_size=3), stories, turns)
@settings(max_examples=400)
def test_what_nobody_approved_is_never_live(approved: list[bool], story: Story, order: list[int]) -> None:
    registry, seen = lived(1, 2), set[int]()
    for number, yes in enumerate(approved, 3):
        version = registry.register(candidate(number)).number
        registry.tag(version, "approved_by", "ada" if yes else " ")
    for number in (1, 2):
        registry.tag(number, "approved_by", "ada")
    movers = [
        Mover(
            promoting(n, second=i, approval=APPROVAL) if what == "promote" else rolling_back(second=i), registry, dies
        )
        for i, ((what, n), dies) in enumerate(story)
    ]
    for turn in order:
        meeting_one(movers, turn)
        seen.add(registry.live(CHAMPION))
    ended = meeting(movers)
    seen |= {move.version for move in settle(registry).moves} | {registry.live(CHAMPION)}
    unapproved = {number for number, yes in enumerate(approved, 3) if not yes}
    assert not seen & unapproved
    for ((what, n), _), one in zip(story, ended, strict=True):
        if what == "promote" and n in unapproved and not one.crashed:
            assert isinstance(one.error, Refused | AdapterError)


def meeting_one(movers: Sequence[Mover], turn: int) -> None:
    alive = [mover for mover in movers if mover.ended is None]
    if alive:
        alive[turn % len(alive)].step()


@given(st.integers(0, 20), st.integers(0, 20))
def test_a_promotion_that_was_cut_off_is_completed_by_its_own_retry(death: int, again: int) -> None:
    registry = lived(1)
    for dies in (death, again, None):
        ended = meeting([Mover(promoting(2), registry, dies)])
    assert ended[0].error is None
    assert (registry.live(CHAMPION), registry.live(CANDIDATE), len(registry.versions())) == (2, 2, 2)
    assert [(move.version, move.done) for move in registry.ledger().moves] == [(1, True), (2, True)]


@given(st.integers(0, 20))
def test_who_completes_anothers_move_says_so(death: int) -> None:
    registry = lived(1)
    meeting([Mover(promoting(2), registry, death)])
    cut_off = [move for move in registry.ledger().moves if not move.done]
    done = promote(registry, candidate(3), alias=CHAMPION, now=at(3))
    assert ([done.completed] if done.completed else []) == cut_off
    assert registry.live(CHAMPION) == done.version.number


# -- held against what is live ------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(3, 5), st.integers(0, 5), deaths), min_size=2, max_size=5), turns)
@settings(max_examples=400)
def test_a_verdict_replaces_only_what_it_was_held_against_however_often_it_is_tried(
    tries: list[tuple[int, int, int | None]], order: list[int]
) -> None:
    registry = lived(1, 2)
    evidence = {number: f"evidence-{number}" for number in range(1, 6)}
    movers = [
        Mover(promoting(number, second=second, against=evidence.get(against, "")), registry, dies)
        for second, (number, against, dies) in enumerate(tries)
    ]
    meeting(movers, order)
    settle(registry)
    known = {version.number: version for version in registry.versions()}
    for move in registry.ledger().moves[PROMOTED:]:
        if move.kind == "promoted":
            _, against, _ = tries[int(move.at[-3:-1])]
            assert known[move.before].evidence == evidence.get(against, "")


def test_who_lost_does_not_win_by_trying_again() -> None:
    registry = lived(1)
    movers = [Mover(promoting(number, second=number, against="evidence-1"), registry) for number in (2, 3)]
    one, other = meeting(movers, [0, 1] * 20)
    assert (one.error is None) != (other.error is None)
    lost = 2 if one.error is not None else 3
    with pytest.raises(GateError, match="was not held against it") as caught:
        promoting(lost, second=9, against="evidence-1")(registry)
    assert "mlgate check" in caught.value.hint
    assert len(registry.ledger().moves) == 2


def of_form_1(number: int) -> Candidate:
    return replace(candidate(number), model=f"old-{number}", form=FIRST_FORM)


def withdrawn_in_form_1() -> FakeRegistry:
    """Return a registry in which an older mlgate promoted 1 and 2, and somebody rolled back from 2."""
    registry = FakeRegistry()
    for number in (1, 2):
        promote(registry, of_form_1(number), alias=CHAMPION, now=at(number))
    rollback(registry, alias=CHAMPION, now=at(3))
    return registry


def pushed(registry: FakeRegistry, number: int, model: int, *, second: int, known: bool, again: bool = False) -> None:
    """Promote a model of today under a verdict of its own; *known*: its digest of form 1 can be told."""
    before = f"old-{model}" if known else ""
    one = replace(candidate(number), model=f"model-{model}", model_before=before)
    promote(registry, one, alias=CHAMPION, now=at(second), again=again)


def test_a_model_that_was_rolled_back_from_in_form_1_waits_for_a_person() -> None:
    registry = withdrawn_in_form_1()
    with pytest.raises(GateError, match="this very model was rolled back from"):
        pushed(registry, 3, 2, second=4, known=True)
    assert registry.live(CHAMPION) == 1
    pushed(registry, 4, 3, second=5, known=True)
    with pytest.raises(GateError, match="this very model was rolled back from"):
        pushed(registry, 5, 2, second=6, known=True)
    pushed(registry, 6, 2, second=7, known=True, again=True)
    pushed(registry, 7, 3, second=8, known=True)
    pushed(registry, 8, 2, second=9, known=True)


def test_where_a_digest_of_form_1_cannot_be_told_every_model_waits_until_one_is_promoted() -> None:
    registry = withdrawn_in_form_1()
    for model in (2, 3):
        with pytest.raises(GateError, match="cannot be told by digests of two forms") as raised:
            pushed(registry, 2 + model, model, second=model, known=False)
        assert "mlgate promote" in raised.value.hint
    assert registry.live(CHAMPION) == 1
    pushed(registry, 6, 3, second=6, known=False, again=True)
    pushed(registry, 7, 4, second=7, known=False)
    rollback(registry, alias=CHAMPION, now=at(8))
    with pytest.raises(GateError, match="this very model was rolled back from"):
        pushed(registry, 8, 4, second=9, known=False)


@given(st.lists(st.integers(3, 6), min_size=1, max_size=4))
def test_a_rollback_that_cannot_be_compared_with_is_not_forgotten_by_pushes_of_other_models(pushes: list[int]) -> None:
    registry = withdrawn_in_form_1()
    for second, model in enumerate(pushes, 4):
        pushed(registry, second, model, second=second, known=True)
    live = registry.live(CHAMPION)
    with pytest.raises(GateError, match="cannot be told by digests of two forms"):
        pushed(registry, 20, 2, second=20, known=False)
    assert registry.live(CHAMPION) == live
    pushed(registry, 21, pushes[-1], second=21, known=False)
    pushed(registry, 22, 7, second=22, known=False, again=True)
    pushed(registry, 23, 8, second=23, known=False)
    assert [move.asked for move in registry.ledger().of(CHAMPION)[-2:]] == [True, False]


@pytest.mark.parametrize("way", ["moved by hand", "rolled back"])
def test_a_rollback_that_cannot_be_compared_with_is_forgotten_by_a_promotion_that_a_person_asks_for_only(
    way: str,
) -> None:
    registry = withdrawn_in_form_1()
    pushed(registry, 3, 3, second=4, known=True)
    pushed(registry, 4, 4, second=5, known=True)
    if way == "moved by hand":
        registry.by_hand(CHAMPION, 3)
    else:
        rollback(registry, alias=CHAMPION, now=at(6))
    with pytest.raises(GateError, match="cannot be told by digests of two forms"):
        pushed(registry, 5, 5, second=7, known=False)
    pushed(registry, 6, 5, second=8, known=True)
    pushed(registry, 7, 6, second=9, known=False, again=True)
    pushed(registry, 8, 9, second=10, known=False)


def test_code_and_answers_have_one_digest_in_both_forms_and_are_compared() -> None:
    registry = withdrawn_in_form_1()
    same = replace(candidate(3), model="old-2", model_before="old-2")
    with pytest.raises(GateError, match="this very model was rolled back from"):
        promote(registry, same, alias=CHAMPION, now=at(4), again=False)


@pytest.mark.parametrize(("against", "passes"), [("", True), (None, True), ("evidence-1", False)])
def test_a_first_version_was_held_against_nothing(against: str | None, passes: bool) -> None:
    registry = FakeRegistry()
    if passes:
        promote(registry, candidate(1), alias=CHAMPION, now=at(1), against=against)
    else:
        with pytest.raises(GateError, match="nothing is champion of summarizer in memory by now"):
            promote(registry, candidate(1), alias=CHAMPION, now=at(1), against=against)
    assert bool(registry.live(CHAMPION)) == passes


@given(st.integers(0, 20))
def test_a_promotion_that_was_cut_off_may_be_completed_though_its_champion_is_gone(death: int) -> None:
    registry = lived(1)
    meeting([Mover(promoting(2, second=1, against="evidence-1"), registry, death)])
    promoting(2, second=2, against="evidence-1")(registry)
    assert [(move.version, move.done) for move in registry.ledger().moves] == [(1, True), (2, True)]


# -- a person, between the movers ---------------------------------------------------------------------------------


@given(stories, turns, st.lists(st.integers(0, 3), max_size=2))
@settings(max_examples=400)
def test_whatever_people_do_to_the_alias_meanwhile_it_ends_agreed(
    story: Story, order: list[int], hands: list[int]
) -> None:
    registry = lived(1, 2, 3)
    movers = [
        Mover(promoting(n, second=i) if what == "promote" else rolling_back(to=n, second=i), registry, dies)
        for i, ((what, n), dies) in enumerate(story)
    ]
    for turn in order:
        if turn == 2 and hands:
            registry.by_hand(CHAMPION, hands.pop())
        meeting_one(movers, turn)
    meeting(movers)
    ledger = settle(registry)
    assert registry.live(CHAMPION) == ledger.live(CHAMPION)


def test_a_move_by_hand_is_taken_down_by_the_next_one_and_counts_as_live() -> None:
    registry = lived(1, 2, 3)
    registry.by_hand(CHAMPION, 1)
    done = promote(registry, candidate(4), alias=CHAMPION, now=at(4))
    assert [(move.kind, move.version, move.before) for move in registry.ledger().moves[3:]] == [
        ("moved by hand", 1, 3),
        ("promoted", 4, 1),
    ]
    assert done.completed is None
    assert rollback(registry, alias=CHAMPION, now=at(5)).version == 1


def test_a_version_that_was_deleted_before_its_promotion_ended_stops_nobody() -> None:
    registry = lived(1)
    cut_off = Mover(promoting(2), registry)
    while registry.ledger().live(CHAMPION) != 2:
        cut_off.step()
    registry.delete(2)
    done = promote(registry, candidate(3), alias=CHAMPION, now=at(3))
    assert (done.completed, registry.live(CHAMPION)) == (None, 3)
    assert [(move.kind, move.version) for move in registry.ledger().moves[1:]] == [
        ("promoted", 2),
        ("moved by hand", 1),
        ("promoted", 3),
    ]


def test_a_live_version_that_was_deleted_is_taken_down_as_nothing_live() -> None:
    registry = lived(1, 2)
    registry.delete(2)
    assert settle(registry).live(CHAMPION) == NO_VERSION
    with pytest.raises(GateError, match="was deleted"):
        rollback(registry, alias=CHAMPION, now=at(4))
    assert rollback(registry, alias=CHAMPION, now=at(5), to=1).version == 1


def test_nobody_goes_back_to_a_version_that_was_deleted() -> None:
    registry = lived(1, 2)
    registry.delete(1)
    with pytest.raises(GateError, match="was deleted") as caught:
        rollback(registry, alias=CHAMPION, now=at(5))
    assert "--to" in caught.value.hint
    assert registry.live(CHAMPION) == 2


def test_a_version_whose_digests_somebody_edited_is_refused_and_nothing_moves() -> None:
    registry = lived(1)
    edited = Candidate("run", "verdict-1", "other evidence", "model-1", "s3://models/m")
    with pytest.raises(Refused, match="other digests"):
        promote(registry, edited, alias=CHAMPION, now=at(5))
    assert len(registry.ledger().moves) == 1


def test_the_candidates_own_alias_has_no_ledger() -> None:
    registry = FakeRegistry()
    done = promote(registry, candidate(1), alias=CANDIDATE, now=at(1), approval=APPROVAL)
    assert (done.move, registry.live(CANDIDATE), registry.ledger()) == (None, 1, Ledger())


def test_aliases_share_the_places_and_not_the_moves() -> None:
    registry = lived(1, 2)
    promote(registry, candidate(1), alias="shadow", now=at(3))
    assert (registry.live(CHAMPION), registry.live("shadow"), registry.ledger().next) == (2, 1, 4)
    with pytest.raises(GateError, match="nothing was live before version 1"):
        rollback(registry, alias="shadow", now=at(4))
    assert rollback(registry, alias=CHAMPION, now=at(5)).version == 1
    assert registry.live("shadow") == 1


# -- the schedule itself ------------------------------------------------------------------------------------------


def counting(registry: Registry) -> list[int]:
    return [registry.live(CHAMPION) for _ in range(3)]


def test_a_mover_makes_each_call_once_and_sees_what_others_did_between() -> None:
    registry = lived(1, 2)
    mover = Mover(counting, registry)
    for version in (1, 2, 1):
        registry.by_hand(CHAMPION, version)
        mover.step()
    assert meeting([mover])[0].said == [1, 2, 1]


@pytest.mark.parametrize("dies", range(3))
def test_a_mover_dies_before_its_nth_call(dies: int) -> None:
    seen: list[str] = []

    class Watched(FakeRegistry):
        def live(self, alias: str) -> int:
            seen.append(alias)
            return super().live(alias)

    ended = meeting([Mover(counting, Watched(), dies)])
    assert ended[0].crashed
    assert len(seen) == dies
