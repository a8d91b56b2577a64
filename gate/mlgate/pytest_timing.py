"""Timing the user's own functions inside a test: in rounds, two functions in turn, with intervals."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from mlgate.core.metric import Better, Metric
from mlgate.core.stats.block_bootstrap import log_width, too_few
from mlgate.core.stats.ratio import ratio as compared
from mlgate.core.stats.series import Series

Input = TypeVar("Input")

ROUNDS = 30
"""Of each function: enough for an interval, and short enough that a drifting machine drifts for both alike."""

_MS = 1000.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and its 95 % interval; NaN ends where there were too few calls for one, so that no comparison holds."""

    value: float
    low: float
    high: float
    why: str = ""
    """Why there is no interval."""

    def __str__(self) -> str:
        return (
            f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]" if not self.why else f"{self.value:.3g} ({self.why})"
        )


@dataclass(frozen=True)
class Times:
    """How long calls took, in milliseconds."""

    calls: tuple[tuple[int, float], ...]
    """Round and milliseconds, in order."""

    def __repr__(self) -> str:
        """Return how many calls there are and how long the median took: there may be a million."""
        if not self.calls:
            return "Times(n=0)"
        return f"Times(n={self.n}, median={sorted(ms for _, ms in self.calls)[self.n // 2]:.4g} ms)"

    @property
    def n(self) -> int:
        """Return how many calls were timed."""
        return len(self.calls)

    @property
    def p50_ms(self) -> Estimate:
        """Return the median."""
        return self.percentile(50)

    @property
    def p95_ms(self) -> Estimate:
        """Return the 95th percentile; it needs 59 calls."""
        return self.percentile(95)

    @property
    def p99_ms(self) -> Estimate:
        """Return the 99th percentile; it needs 299 calls."""
        return self.percentile(99)

    def percentile(self, percent: float) -> Estimate:
        """Return a percentile with its interval, by resampling rounds."""
        series = self._series(percent)
        return _estimate(series.corpus(), log_width(series, 0.95), too_few(series))

    def ratio(self, other: Times, percent: float = 50) -> Estimate:
        """Return this percentile over *other*'s, of two functions that were timed in turn: 1.05 is 5 % slower.

        Call by call, where both were given the same (core/stats/paired_requests.py).
        """
        one, past = self._series(percent), other._series(percent)
        why = too_few(one) or too_few(past)
        found = compared(one, past)
        return _estimate(one.corpus() / past.corpus() if why else found.value, found.half(0.95), why)

    def _series(self, percent: float) -> Series:
        if not 0 < percent < 100:  # noqa: PLR2004 - percent
            raise ValueError(f"a percentile is between 0 and 100, not {percent}")
        metric = Metric(f"p{percent:g}_ms", "ms", Better.LOWER)
        values = np.asarray([ms for _, ms in self.calls], float)
        rounds = np.asarray([r for r, _ in self.calls], np.intp)
        places = np.arange(len(rounds)) - np.searchsorted(rounds, rounds)  # rounds are ascending
        return Series(metric.name, metric, "", percent / 100, values, rounds, {}, requests=places)


class Stopwatch:
    """What the `mlgate_latency` fixture gives: a call that times one function, and `duet` for two."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock

    def __call__(
        self, call: Callable[[Input], object], inputs: Sequence[Input], *, seconds: float = 5.0, seed: int = 1
    ) -> Times:
        """Time *call* on *inputs*, shuffled, one call after the other; the first tenth of the time is not counted."""
        (times,) = self._rounds([call], inputs, seconds, seed)
        return times

    def duet(
        self,
        candidate: Callable[[Input], object],
        baseline: Callable[[Input], object],
        inputs: Sequence[Input],
        *,
        seconds: float = 10.0,
        seed: int = 1,
    ) -> tuple[Times, Times]:
        """Time two functions in turn, in random order within each round, on the same inputs.

        Then `candidate.ratio(baseline).high < 1.05` says that the candidate is at most 5 % slower, on any machine.
        """
        one, other = self._rounds([candidate, baseline], inputs, seconds, seed)
        return one, other

    def _rounds(
        self, calls: Sequence[Callable[[Input], object]], inputs: Sequence[Input], seconds: float, seed: int
    ) -> list[Times]:
        if not inputs or not (seconds > 0 and math.isfinite(seconds)):
            raise ValueError("timing needs inputs, and a span of seconds")
        rng = random.Random(seed)  # noqa: S311 - a seeded order, not a secret
        order = rng.sample(range(len(inputs)), len(inputs))
        block, place = seconds / ROUNDS / len(calls), 0
        found: list[list[tuple[int, float]]] = [[] for _ in calls]
        for number in range(ROUNDS + ROUNDS // 10):
            taken = 0
            for which in rng.sample(range(len(calls)), len(calls)):
                taken = max(taken, self._block(calls[which], inputs, order, place, block, number, found[which]))
            place += taken
        return [Times(tuple((r, ms) for r, ms in times if r >= ROUNDS // 10)) for times in found]

    def _block(  # noqa: PLR0917 - the parts of one block, in their order
        self,
        call: Callable[[Input], object],
        inputs: Sequence[Input],
        order: Sequence[int],
        place: int,
        seconds: float,
        number: int,
        into: list[tuple[int, float]],
    ) -> int:
        end, n = self._clock() + seconds, 0
        while n == 0 or self._clock() < end:
            given = inputs[order[(place + n) % len(order)]]
            began = self._clock()
            call(given)
            into.append((number, (self._clock() - began) * _MS))
            n += 1
        return n


def _estimate(value: float, half: float, why: str) -> Estimate:
    return Estimate(value, value * math.exp(-half), value * math.exp(half), why)
