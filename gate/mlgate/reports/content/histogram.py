"""How requests are spread over times: the same bins for both sides, equally wide on the logarithm, drawn as text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mlgate.core.report import LoadSummary

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_FULL = len(_EIGHTHS) - 1
_STEPS = (1, 2, 5)
_FINER = (1, 1.5, 2, 3, 4, 5, 7)
_FEWEST_TICKS = 3
"""Ticks that a reader needs to know where he is."""
_MOST_BINS = 100_000
"""No histogram that we wrote has so many bins."""
_FASTEST, _SLOWEST = 1e-6, 1e9
"""Milliseconds: beyond them nothing was timed, and a report that was read from a file says it."""
_WIDE = 1e-9
"""Of the axis, in logarithms, at least: else there is no room for a tick."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """Both sides' requests by bins of time; the baseline's are empty when it was not asked in turn."""

    edges: tuple[float, ...]
    """In milliseconds, ascending, above zero; one more than there are bins."""
    candidate: tuple[float, ...]
    """The share of requests in each bin."""
    baseline: tuple[float, ...]

    @property
    def most(self) -> float:
        """Return the largest share: what the longest bar stands for."""
        return max((*self.candidate, *self.baseline))

    def place(self, time: float) -> float:
        """Return where on the axis a time stands, in bins; beyond the ends for what lies there."""
        low, high = math.log(self.edges[0]), math.log(self.edges[-1])
        return (math.log(time) - low) / (high - low) * len(self.candidate)


def histogram(load: LoadSummary, most: int) -> Histogram | None:
    """Return the histogram in at most *most* bins, neighbours joined; None for what cannot be drawn."""
    bins = len(load.counts)
    edges = load.edges_ms
    whole = 0 < bins < _MOST_BINS and len(edges) == bins + 1 and min(load.counts) >= 0 and sum(load.counts) > 0
    if not whole or not all(_FASTEST <= edge <= _SLOWEST for edge in edges):
        return None
    if any(after <= before for before, after in pairwise(edges)) or math.log(edges[-1] / edges[0]) < _WIDE:
        return None
    before = load.before if len(load.before) == bins and min(load.before) >= 0 and sum(load.before) > 0 else ()
    step = -(-bins // most)
    kept = (*edges[:-1:step], edges[-1])
    return Histogram(kept, _shares(load.counts, step), _shares(before, step))


def _shares(counts: Sequence[int], step: int) -> tuple[float, ...]:
    total = sum(counts)
    return tuple(sum(counts[at : at + step]) / total for at in range(0, len(counts), step))


def columns_of(shares: Sequence[float], most: float, rows: int, cell: int) -> list[str]:
    """Draw *shares* as upright bars, *rows* lines high and *cell* columns wide each. What is not zero is seen."""
    levels = [max(1, round(share / most * rows * _FULL)) if share > 0 else 0 for share in shares]
    return [
        "".join(_EIGHTHS[min(_FULL, max(0, level - row * _FULL))] * cell for level in levels).rstrip()
        for row in reversed(range(rows))
    ]


def bar(share: float, most: float, length: int) -> str:
    """Draw *share* as a lying bar of at most *length* characters. What is not zero is seen."""
    halves = round(share / most * length * 2)
    return "█" * (halves // 2) + ("▌" if halves % 2 else "") if halves else "▏" if share > 0 else ""


def ticks(shown: Histogram) -> Iterator[tuple[float, str]]:
    """Yield round times inside the histogram with their names, ascending: 10, 20, 50; of a narrow one equal steps."""
    low, high = shown.edges[0], shown.edges[-1]
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    step = _round_up((high - low) / 5)
    for times in (
        [number * 10.0**power for power in powers for number in _STEPS],
        [number * 10.0**power for power in powers for number in _FINER],
        [step * (math.ceil(low / step) + number) for number in range(6)],
    ):
        inside = [time for time in times if low <= time <= high]
        if len(inside) >= _FEWEST_TICKS:
            break
    yield from ((time, f"{time:,.6g}") for time in inside)


def _round_up(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in _STEPS if step * power >= value), 10 * power)
