"""The scale of one number: what must be seen on it, with air, between two ends that can be written."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from mlgate.core.metric import Metric
from mlgate.reports.content.numbers import shown

_AIR = 0.06
_STEPS = 12
"""About so many of the step that both ends are rounded to."""
_WIDER = 10


@dataclass(frozen=True, slots=True)
class Scale:
    """A piece of the line of numbers, low < high."""

    low: float
    high: float

    def place(self, value: float) -> float:
        """Return where *value* stands between 0 and 1; at an end for what lies beyond it."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))

    def holds(self, value: float) -> bool:
        """Whether *value* has a place on it. NaN has none."""
        return self.low <= value <= self.high


def scale_of(metric: Metric, values: Iterable[float]) -> Scale | None:
    """Return a scale that holds all finite *values*; None without any, or where floats end.

    As narrow as its two ends read differently: to two decimals 0.301 ms and 0.302 ms are one number.
    """
    numbers = [value for value in values if math.isfinite(value)]
    if not numbers:
        return None
    least, most = min(numbers), max(numbers)
    air = (most - least) * _AIR or max(abs(most), metric.span or 1.0) * _AIR
    while math.isfinite(air):
        scale = _with_round_ends(metric, least, most, air)
        if scale and shown(metric, scale.low) != shown(metric, scale.high):
            return scale
        air *= _WIDER
    return None


def _with_round_ends(metric: Metric, least: float, most: float, air: float) -> Scale | None:
    low, high = least - air, most + air
    step = _step((high - low) / _STEPS)
    if not step:
        return None
    low, high = math.floor(low / step) * step, math.ceil(high / step) * step
    if least >= 0:
        low = max(0.0, low)
    if metric.span and most <= metric.span:
        high = min(metric.span, high)
    return Scale(low, high) if low <= least and most <= high and 0 < high - low < math.inf else None


def _step(size: float) -> float:
    """Return the largest of 1, 2 and 5 times a power of ten that is at most *size*; 0 for none."""
    if not 0 < size < math.inf:
        return 0.0
    power = 10.0 ** math.floor(math.log10(size))
    return next((number * power for number in (5, 2) if number * power <= size), power)
