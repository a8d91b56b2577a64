"""A block's row can be written and read back, whatever a model sent."""

from __future__ import annotations

import pytest

from mlgate.adapters.files.evidence_file import line_of, parse_row
from mlgate.adapters.load.row_limits import MOST_ANSWER_TEXT, MOST_REQUESTS, UNTOLD, bounded
from mlgate.core.evidence import Observation
from mlgate.core.latency.block import LoadBlock, TimedReply, pack


def reply(answer: str = "", failure: str = "", events: tuple[float, ...] = ()) -> TimedReply:
    return TimedReply(99_999, 999.0, 9.0, 99.0, 99.0, answer, failure, events)


def row(replies: tuple[TimedReply, ...]) -> Observation:
    return Observation("check", "0001", pack(LoadBlock(replies)))


@pytest.mark.parametrize("letter", ["a", '"', "ä", "\0", "\N{GRINNING FACE}", "\\", "\ud800"])
@pytest.mark.parametrize("size", [100, 3_000, 200_000])
def test_whatever_the_answers_are_their_row_is_not_too_long(letter: str, size: int) -> None:
    many = [reply(f"{i}{letter * size}") for i in range(min(MOST_REQUESTS, 12_000_000 // size))]
    kept = bounded(many, 60.0)
    line = line_of(row(kept), "evidence")
    assert parse_row(line.rstrip(b"\n"), "evidence") == row(kept)
    assert 0 < sum(not one.failure for one in kept) < len(kept)


@pytest.mark.parametrize("n", [1_000, 25_000, MOST_REQUESTS])
@pytest.mark.parametrize("failed", [True, False])
def test_neither_many_requests_nor_long_failures_make_a_row_too_long(n: int, failed: bool) -> None:
    texts = [f"{i} {'☃' * 190}" for i in range(n)]
    many = [reply(failure=text) if failed else reply(text) for text in texts]
    kept = bounded(many, 60.0)
    line_of(row(kept), "evidence")
    assert [bool(one.failure) for one in kept if failed] == [True] * (n * failed)
    assert kept[0] == many[0]
    assert not failed or n < 25_000 or kept[-1].failure == UNTOLD


def test_an_answer_is_never_cut_and_one_without_room_is_a_failure_that_took_its_time_out() -> None:
    long, short = "x" * (MOST_ANSWER_TEXT - 100), "y" * 200
    one, other, third = bounded([reply(long), reply(short), reply("z")], 120.0)
    assert one == reply(long)
    assert (other.answer, other.failure) == ("", "the block's answers are more than 4 MB")
    assert other.done == 120.0
    assert third == reply("z")


def test_equal_answers_need_room_once() -> None:
    many = [reply("x" * 1_000_000)] * 100
    assert bounded(many, 60.0) == tuple(many)


def test_the_times_of_streamed_pieces_need_room_too() -> None:
    times = tuple(99.0 + i / 1e6 for i in range(100_000))
    kept = bounded([reply("x", events=times)] * 10, 60.0)
    assert [bool(one.failure) for one in kept] == [False] * 3 + [True] * 7
    line_of(row(kept), "evidence")
