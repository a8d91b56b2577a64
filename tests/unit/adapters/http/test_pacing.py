"""When the next question may be sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from mlgate.adapters.http.pacing import LONGEST_PAUSE, Pacing, pause


class Clock:
    """Moves only when somebody waits."""

    def __init__(self) -> None:
        self.now = 100.0

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def __call__(self) -> float:
        return self.now


def test_a_rate_keeps_its_gap_between_questions() -> None:
    clock = Clock()
    pacing = Pacing(4, clock.wait, clock)
    times = []
    for _ in range(5):
        pacing.take()
        times.append(clock.now)
    assert times == [100.0, 100.25, 100.5, 100.75, 101.0]


def test_without_a_rate_nobody_waits() -> None:
    clock = Clock()
    pacing = Pacing(None, clock.wait, clock)
    for _ in range(5):
        pacing.take()
    assert clock.now == 100.0


def test_what_one_is_told_holds_for_all() -> None:
    clock = Clock()
    pacing = Pacing(None, clock.wait, clock)
    pacing.hold(3)
    pacing.hold(1)
    pacing.take()
    assert clock.now == 103.0


@pytest.mark.parametrize(("said", "seconds"), [("7", 7), (" 0 ", 0), ("120", 120)])
def test_the_server_says_how_long(said: str, seconds: float) -> None:
    assert pause(said, 0, 0.5) == seconds


def test_the_server_may_name_a_time() -> None:
    said = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    assert 3500 < pause(said, 0, 0.5) <= 3600
    assert pause("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0.5) == 0


@pytest.mark.parametrize("said", ["", "soon", "-1", "9" * 99, "1.5", "\u0663"])
def test_what_says_nothing_is_waited_for_twice_as_long_each_time(said: str) -> None:
    assert [pause(said, attempt, 1.0) for attempt in range(4)] == [0.5, 1.0, 2.0, 4.0]
    assert pause(said, 999, 1.0) == LONGEST_PAUSE
    assert pause(said, 0, 0.0) == 0.25
