"""What is sent when: arrivals computed up front, payloads in seeded random order. Pure: same plan, same requests."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence

from mlgate.core.check import Example
from mlgate.core.latency.block import Arrival

REPEATED = 0.5
"""The share of requests that ask what was asked before, while there is something that was not: shows caches (T55)."""


def due_times(rng: random.Random, rate: float, seconds: float, *, poisson: bool) -> list[float]:
    """Return when requests are due in a block of *seconds*: independent of each other (Poisson), or evenly spaced."""
    if not poisson:
        return [i / rate for i in range(max(1, round(rate * seconds)))]
    times, at = [], rng.expovariate(rate)
    while at < seconds:
        times.append(at)
        at += rng.expovariate(rate)
    return times or [0.0]


def arrivals(rng: random.Random, rate: float, seconds: float, order: Iterator[int], *, poisson: bool) -> list[Arrival]:
    """Return one block's requests."""
    return [Arrival(due, next(order)) for due in due_times(rng, rate, seconds, poisson=poisson)]


def order(examples: Sequence[Example], seed: int, expected: int, mix: Mapping[str, float], by: str) -> Iterator[int]:
    """Yield positions of examples without end: shuffled, each asked for the first time as late as the run allows.

    *expected* requests are planned in all. First requests are spread over them, and between them what was asked before
    is asked again, so that every part of the run has both. *mix* weighs the values of the field *by*; empty: all alike.
    """
    rng = random.Random(f"order {seed}")  # noqa: S311 - a seeded order, not a secret
    groups = _groups(examples, mix, by)
    weights = [weight for weight, _ in groups]
    fresh = [rng.sample(places, len(places)) for _, places in groups]
    asked: list[list[int]] = [[] for _ in groups]
    share = max(min(1 - REPEATED, len(examples) / max(1, expected)), 1 / max(1, expected))
    while True:
        which = rng.choices(range(len(groups)), weights)[0] if len(groups) > 1 else 0
        if fresh[which] and (not asked[which] or rng.random() < share):
            asked[which].append(fresh[which].pop())
            yield asked[which][-1]
        else:
            yield rng.choice(asked[which])


def _groups(examples: Sequence[Example], mix: Mapping[str, float], by: str) -> list[tuple[float, list[int]]]:
    if not mix:
        return [(1.0, list(range(len(examples))))]
    values = [dict(example.slices).get(by, "") for example in examples]
    found = [(weight, [i for i, value in enumerate(values) if value == name]) for name, weight in mix.items()]
    return [(weight, places) for weight, places in found if places]
