"""How a load's spans of time become rounds: how long a block is, how many there are, when it is looked. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from mlgate.config.sections.duration import show

FEWEST_ROUNDS = 8
"""Rounds of each side before the first look, besides the warm-up's: fewer give no interval."""
FEWEST_REQUESTS = 5
"""Requests in a block on average: below, blocks are empty by chance."""
USUAL_BLOCK_S = 0.5
"""Under bad noise, 60 s in blocks of 0.5 s tell +10 % in 99.6 % of runs, of 1 s in 96 %: benchmarks/duet.py."""
SHORTEST_BLOCK_S = 0.05
"""Below, starting and ending a block takes a part of it that shows."""
MOST_ROUNDS = 9_999
"""Rounds in all: their rows are numbered with four digits."""
MOST_LOOKS = 8
STEPS = 12
"""Rates that a search tries: it ends within a few per cent of the greatest that keeps the bounds."""
FEWEST_STEPS = 4

_NEARLY = 1e-9


class Unfit(ValueError):  # noqa: N818 - it names what is wrong with the load, and never leaves this room
    """A load whose rounds could not be judged."""

    def __init__(self, key: str, says: str, hint: str) -> None:
        super().__init__(says)
        self.key = key
        """The load's key to point at; empty: the load as a whole."""
        self.says = says
        self.hint = hint


@dataclass(frozen=True, slots=True)
class LatencySchedule:
    """A round is one block for each side. Rounds count from 1; the first `warm` are the warm-up's."""

    block_s: float
    warm: int
    looks: tuple[int, ...]
    """After how many rounds, the warm-up's included, it is looked whether rules are settled; the last: all rounds."""
    whole: int = 0
    """After how many rounds, the warm-up's included, `duration` is over: a look before may fail a run, not pass it."""
    stages: tuple[tuple[float, float], ...] = ()
    """Rate and seconds of one side, in whole blocks; the first stage has the warm-up in front."""

    @property
    def count(self) -> int:
        """Return the most rounds that there can be."""
        return self.looks[-1]


def steady(
    *, duration_s: float, budget_s: float, warmup_s: float, block_s: float, sides: int, rate: float | None
) -> LatencySchedule:
    """Return the rounds of a load that stays the same. *sides*: 2 when both are asked in turn, and share the time.

    *rate* is None for a closed loop, whose requests nobody can count beforehand. Raises Unfit.
    """
    each = duration_s / sides
    block = _block(block_s, each / FEWEST_ROUNDS, sides)
    if rate is not None:
        _enough(
            rate,
            block,
            block_s,
            each / FEWEST_ROUNDS,
            lambda need: f"duration to {_span(need * FEWEST_ROUNDS * sides)}",
        )
    first = _whole(each / block)
    last = max(first, _whole(budget_s / sides / block))
    warm = math.ceil(warmup_s / block - _NEARLY)
    _refuse_too_many(warm + last)
    return LatencySchedule(block, warm, tuple(warm + look for look in _looks(first, last)), warm + first)


def staged(stages: Sequence[tuple[float, float]], *, warmup_s: float, block_s: float, sides: int) -> LatencySchedule:
    """Return the rounds of a ramp through *stages* of rate and seconds. Raises Unfit."""
    shortest = min(seconds for _, seconds in stages) / sides
    total = sum(seconds for _, seconds in stages) / sides
    if shortest < SHORTEST_BLOCK_S - _NEARLY:
        least = _span(SHORTEST_BLOCK_S * sides)
        raise Unfit("stages", f"has one that is shorter than {least}: it holds no block", "give each a longer duration")
    longest = min(total / FEWEST_ROUNDS, shortest)
    block = _block(block_s, longest, sides)
    share = max(1, FEWEST_ROUNDS / len(stages))
    slowest = min(rate for rate, _ in stages)
    _enough(slowest, block, block_s, longest, lambda need: f"each stage's duration to {_span(need * share * sides)}")
    counts = [math.ceil(seconds / sides / block - _NEARLY) for _, seconds in stages]
    warm = math.ceil(warmup_s / block - _NEARLY)
    _refuse_too_many(warm + sum(counts))
    parts = [(rate, n * block) for (rate, _), n in zip(stages, counts, strict=True)]
    parts[0] = (parts[0][0], (warm + counts[0]) * block)
    return LatencySchedule(block, warm, (warm + sum(counts),), warm + sum(counts), tuple(parts))


def search(*, step_s: float, duration_s: float | None, least: float, sides: int) -> int:
    """Return how many rates a search tries, one a round. Raises Unfit."""
    if step_s < SHORTEST_BLOCK_S:
        raise Unfit("step", f"is shorter than {SHORTEST_BLOCK_S * 1000:g}ms", "e.g. step: 5s")
    if least * step_s < FEWEST_REQUESTS - _NEARLY:
        says = f"asks {least * step_s:.3g} times at the least rate: fewer than {FEWEST_REQUESTS} requests tell nothing"
        hint = f"raise least to {_up(FEWEST_REQUESTS / step_s)} or more, or step to {_span(FEWEST_REQUESTS / least)}"
        raise Unfit("step", says, hint)
    if duration_s is None:
        return STEPS
    steps = min(STEPS, _whole(duration_s / sides / step_s))
    if steps < FEWEST_STEPS:
        says = f"holds {steps} steps for each side: a search needs {FEWEST_STEPS}"
        raise Unfit("duration", says, f"write {_span(FEWEST_STEPS * sides * step_s)} or more, or a shorter step")
    return steps


def _block(wanted_s: float, longest_s: float, sides: int) -> float:
    """Return how long a block is: *wanted_s*, or *longest_s* where otherwise too few would fit."""
    shortest = f"{SHORTEST_BLOCK_S * 1000:g}ms"
    if wanted_s < SHORTEST_BLOCK_S:
        raise Unfit("block", f"is shorter than {shortest}", "e.g. block: 1s")
    if longest_s < SHORTEST_BLOCK_S - _NEARLY:
        says = f"is too short: {FEWEST_ROUNDS} blocks of {shortest} for each side do not fit in"
        raise Unfit("", says, f"let it take {_span(FEWEST_ROUNDS * SHORTEST_BLOCK_S * sides)} or more")
    return min(wanted_s, longest_s)


def _enough(rate: float, block: float, wanted_s: float, longest_s: float, longer: Callable[[float], str]) -> None:
    """Refuse blocks with too few requests; *longer* says which span must grow for blocks of so many seconds to fit."""
    if rate * block >= FEWEST_REQUESTS - _NEARLY:
        return
    need = FEWEST_REQUESTS / rate
    spans = [f"block to {_span(need)}"] if wanted_s < need - _NEARLY else []
    spans += [longer(need)] if longest_s < need - _NEARLY else []
    says = (
        f"asks {rate * block:.3g} times a block of {_span(block)}: fewer than {FEWEST_REQUESTS} requests tell nothing"
    )
    raise Unfit("", says, f"raise rate to {_up(FEWEST_REQUESTS / block)} or more, or {' and '.join(spans)}")


def _looks(first: int, last: int) -> list[int]:
    """Return the looks: one at the end; where there is a budget, at half of *first*, there, and in thirds of it on."""
    if last <= first:
        return [first]
    early = [half] if (half := max(FEWEST_ROUNDS, first // 2)) < first else []
    steps = min(MOST_LOOKS - 1 - len(early), max(1, 3 * (last - first) // first))
    return early + [first + round((last - first) * step / steps) for step in range(steps + 1)]


def _refuse_too_many(rounds: int) -> None:
    if rounds > MOST_ROUNDS:
        raise Unfit("", f"has {rounds:,} rounds: more than {MOST_ROUNDS:,}", "write a longer block, or less time")


def _whole(number: float) -> int:
    return math.floor(number + _NEARLY)


def _up(rate: float) -> str:
    """Return a rate that is not below *rate*, in few digits."""
    return f"{math.ceil(rate - _NEARLY) if rate >= 1 else math.ceil(rate * 1000 - _NEARLY) / 1000:g}"


def _span(seconds: float) -> str:
    """Return a span of time that is not below *seconds*, as the file writes it."""
    return show(timedelta(milliseconds=math.ceil(seconds * 1000 - 1e-6)))
