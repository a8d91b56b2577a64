"""What was live when, as people read it in a terminal."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import Golden
from tests.support.samples import EVIL
from tests.support.strategies import hostile
from tests.unit.reports import runner

from mlgate.core.tracking.ledger import NO_VERSION, Kind, Ledger, Move
from mlgate.reports.terminal.history import render

SOURCE = "summarizer in http://mlflow:5000"
NOW = "2026-11-23T05:00:00Z"
COMMIT, VERDICT = "3f9c2d1b7a6e5f4c3b2a190817263544f0e1d2c3", "e1" * 32


def ledger(*moves: tuple[Kind, int, str], done: bool = True) -> Ledger:
    found: list[Move] = []
    for number, (kind, version, at) in enumerate(moves, 1):
        before = found[-1].version if found else NO_VERSION
        by_mlgate = kind != "moved by hand"
        commit = COMMIT if kind == "promoted" else ""
        verdict = VERDICT if by_mlgate else ""
        found.append(Move(number, "champion", kind, version, before, at, verdict, commit, done=True))
    if found:
        found[-1] = replace(found[-1], done=done)
    return Ledger(tuple(found))


YEAR = ledger(
    ("promoted", 1, "2024-02-29T23:59:59Z"),
    ("promoted", 2, "2026-11-01T08:30:00Z"),
    ("rolled back", 1, "2026-11-01T08:30:42Z"),
    ("promoted", 12, "2026-11-01T09:15:42Z"),
    ("moved by hand", NO_VERSION, "2026-11-20T17:00:00Z"),
    ("promoted", 131, "2026-11-20T18:30:00Z"),
    ("moved by hand", 12, "2026-11-23T01:00:00Z"),
)
HISTORIES = {
    "year": YEAR,
    "never": Ledger(),
    "first": ledger(("promoted", 1, "2026-11-23T04:59:30Z")),
    "cut-off": ledger(("promoted", 1, "2026-11-22T05:00:00Z"), ("promoted", 2, "2026-11-23T04:50:00Z"), done=False),
    "gone": ledger(("promoted", 1, "2026-11-22T05:00:00Z"), ("moved by hand", NO_VERSION, "2026-11-23T04:50:00Z")),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_a_history_shows(name: str, golden: Golden) -> None:
    golden(f"reports/history.{name}.txt", render(SOURCE, HISTORIES[name], "champion", NOW))


kinds: st.SearchStrategy[Kind] = st.sampled_from(("promoted", "rolled back", "moved by hand"))
moves = st.tuples(kinds, st.integers(0, 99_999), st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)))  # noqa: DTZ001 - made UTC below


@given(st.lists(moves, min_size=1, max_size=5), st.booleans())
def test_every_line_fits_into_80_columns_and_every_move_has_one(
    some: list[tuple[Kind, int, datetime]], done: bool
) -> None:
    told = ledger(*((kind, version, at.replace(tzinfo=UTC).isoformat()) for kind, version, at in some), done=done)
    lines = render(SOURCE, told, "champion", NOW).splitlines()
    assert max(map(len, lines)) <= 80
    versions = [line.split()[0] for line in lines[3 : 3 + len(some)]]
    assert versions == [str(version or "none") for _, version, _ in reversed(some)]


@given(hostile, hostile, hostile, hostile)
def test_nothing_from_a_server_moves_the_cursor_or_commands_a_runner(
    source: str, at: str, commit: str, verdict: str
) -> None:
    move = Move(1, "champion", "promoted", 1, NO_VERSION, at, verdict, commit, done=True)
    text = render(source, Ledger((move, replace(move, number=2))), "champion", NOW)
    assert not any(unicodedata.category(one).startswith("C") for one in text.replace("\n", "")), "blanks may be wide"
    assert not any(map(runner.command, runner.lines(text)))
    assert not any(map(runner.legacy, runner.lines(text)))
    assert len(text.splitlines()) == 5


@pytest.mark.parametrize("at", ["", "yesterday", "2026-11-23", "2026-11-23T05:00:00", "2026-13-01T00:00:00Z", EVIL])
def test_a_time_that_says_none_is_a_question_mark(at: str) -> None:
    (*_, line) = render(SOURCE, ledger(("promoted", 1, at)), "champion", NOW).splitlines()
    assert line.split()[:3] == ["1", "?", "?"]


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_outside_of_all_calendars_is_a_question_mark(at: str) -> None:
    assert " ? " in render(SOURCE, ledger(("promoted", 1, at)), "champion", NOW)


def test_a_time_of_elsewhere_is_shown_in_utc() -> None:
    assert "2026-11-23 03:00  2 h " in render(
        SOURCE, ledger(("promoted", 1, "2026-11-23T05:00:00+02:00")), "champion", NOW
    )


def test_a_mover_whose_clock_was_ahead_lasted_nobody_knows_how_long() -> None:
    assert " ? " in render(SOURCE, ledger(("promoted", 1, "2026-11-23T05:00:01Z")), "champion", NOW)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (90, "1.5 min"),
        (3_599, "60 min"),
        (3_600, "1 h"),
        (86_400, "1 d"),
        (86_400 * 99.9, "99.9 d"),
        (86_400 * 1_234, "1,234 d"),
    ],
)
def test_how_long_it_lasted_is_said_in_one_unit(seconds: float, shown: str) -> None:
    since = (datetime.fromisoformat(NOW) - timedelta(seconds=seconds)).isoformat()
    assert f"  {shown}  " in render(SOURCE, ledger(("promoted", 1, since)), "champion", NOW).replace("   ", "  ")


def test_another_alias_has_a_history_of_its_own() -> None:
    assert "nothing was ever shadow" in render(SOURCE, YEAR, "shadow", NOW)
