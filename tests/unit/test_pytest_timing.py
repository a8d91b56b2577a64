"""The fixture for the user's own functions: rounds, random order, intervals; here with a clock of the test's."""

from __future__ import annotations

import math

import pytest

from mlgate.pytest_timing import ROUNDS, Stopwatch, Times


class Clock:
    """Moves only when a function under test says how long it took."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls = 0

    def __call__(self) -> float:
        return self.now

    def takes(self, seconds: float) -> None:
        self.calls += 1
        wave = 1 + 0.1 * math.sin(self.calls * 1.7)
        drift = 1 + 0.3 * math.sin(self.now / 3)
        self.now += seconds * wave * drift


def test_times_are_shown_on_one_line() -> None:
    assert repr(Times(tuple((0, float(ms)) for ms in range(100_000)))) == "Times(n=100000, median=5e+04 ms)"
    assert repr(Times(())) == "Times(n=0)"


def test_a_duet_sees_five_percent_through_a_drift_of_sixty() -> None:
    clock = Clock()
    new, old = Stopwatch(clock).duet(lambda _: clock.takes(0.00105), lambda _: clock.takes(0.001), ["a", "b"])
    ratio = new.ratio(old)
    assert ratio.low < 1.05 < ratio.high
    assert ratio.low > 1.02
    assert ratio.high < 1.08


def test_two_equal_functions_are_within_a_small_margin() -> None:
    clock = Clock()
    new, old = Stopwatch(clock).duet(lambda _: clock.takes(0.001), lambda _: clock.takes(0.001), ["a"])
    assert new.ratio(old, 95).high < 1.05


def test_percentiles_come_with_an_interval_and_their_count() -> None:
    clock = Clock()
    times = Stopwatch(clock)(lambda _: clock.takes(0.002), range(5), seconds=3)
    assert times.p50_ms.low < times.p50_ms.value < times.p50_ms.high
    assert times.p50_ms.value < times.p95_ms.value
    assert times.n > 300
    assert len({number for number, _ in times.calls}) == ROUNDS


def test_too_few_calls_hold_no_comparison() -> None:
    clock = Clock()
    times = Stopwatch(clock)(lambda _: clock.takes(10.0), [1], seconds=1)
    assert not times.p99_ms.high < 1e9
    assert "too few" in str(times.p99_ms)


def test_nothing_to_time_is_an_error() -> None:
    with pytest.raises(ValueError, match="inputs"):
        Stopwatch()(print, [])
