"""Can a 60-second latency gate be believed? False blocks, misses and coverage on machines whose noise is known.

    python benchmarks/duet.py [--runs 1000] [--jobs 2] [--block 0.5] [--quick]

A simulated minute of 20 ms requests, one after the other, on a machine that drifts and has neighbours. Three designs
spend the same 60 s: "stored" compares with an earlier minute on another machine, "A then B" gives each side half of the
minute, "duet" asks both in turn, in rounds of random order, every second one the other way round than the one before.
The duet is judged by mlgate's own functions.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import platform
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from mlgate.core import looks
from mlgate.core.check import Better, Metric
from mlgate.core.resampling import ratio_width
from mlgate.core.series import Rounds, Series, shared
from mlgate.core.statistics import Array

BASE_S = 0.02
"""A request's time on a machine at rest, and the time between requests."""
BUDGET_S = 60.0
SLOTS = round(BUDGET_S / BASE_S)
QUANTILES = (0.5, 0.95)
RATIOS = (1.0, 1.05, 1.10)
DESIGNS = ("stored", "A then B", "duet")
MARGIN = 0.05
CONFIDENCE = 0.95
COVERAGE = 0.90
"""The confidence at which coverage is counted."""
BLOCK_S = 0.5
"""How long one side is asked at a stretch."""
RUNS, QUICK = 1000, 60
SEED = 20264
DRAWS = 4000
"""Draws of the naive interval."""


Task = tuple[int, float, int, float]
"""World, ratio, runs, seconds a block."""


@dataclass(frozen=True)
class World:
    """How the machines are."""

    name: str
    drift: float
    """Standard deviation of the log speed, which forgets itself in 20 s."""
    share: float
    """Of the time, that a neighbour is busy: 5 s at a stretch."""
    slow: float
    """How many times slower the machine is meanwhile."""
    machines: float
    """Standard deviation of the log speed between machines."""

    def minutes(self, rng: np.random.Generator, runs: int) -> Array:
        """Return log slow-downs, shape (runs, SLOTS): a machine, its drift, and its neighbours."""
        keep = math.exp(-BASE_S / 20.0)
        pushes = rng.normal(0, self.drift * math.sqrt(1 - keep**2), (SLOTS, runs))
        speed = np.empty((SLOTS, runs))
        state = rng.normal(0, self.drift, runs)
        for i, push in enumerate(pushes):
            state = keep * state + push
            speed[i] = state
        if self.share:
            speed += math.log(self.slow) * self._busy(rng, runs)
        return (speed + rng.normal(0, self.machines, runs)).T

    def _busy(self, rng: np.random.Generator, runs: int) -> Array:
        ends = BASE_S / 5.0
        begins = ends * self.share / (1 - self.share)
        busy = np.empty((SLOTS, runs))
        now = rng.random(runs) < self.share
        for i, chance in enumerate(rng.random((SLOTS, runs))):
            now = np.where(now, chance >= ends, chance < begins)
            busy[i] = now
        return busy


WORLDS = (
    World("quiet", 0.01, 0.0, 1.0, 0.005),
    World("typical", 0.03, 0.10, 1.2, 0.0266),
    World("bad", 0.06, 0.20, 1.4, 0.10),
)


def requests(rng: np.random.Generator, speed: Array, ratio: float) -> Array:
    """Return the times of requests at that speed: lognormal, and 1.2 % spikes, all times *ratio*."""
    times = BASE_S * np.exp(speed + rng.normal(0, 0.08, speed.shape))
    spikes = (rng.random(speed.shape) < 0.012) * rng.exponential(1.5 * BASE_S, speed.shape)
    return ratio * (times + spikes)


def series(values: Array, rounds: Rounds, first: dict[int, bool], quantile: float) -> Series:
    """Return mlgate's own value of a side of a duet."""
    metric = Metric(f"p{100 * quantile:g}_ms", "ms", Better.LOWER)
    return Series(metric.name, metric, "simulated", quantile, values, rounds, first)


def duet(rng: np.random.Generator, speed: Array, ratio: float, block_s: float) -> tuple[Series, Series]:
    """Return candidate and baseline of one minute: blocks in turn. Quantile 0.5.

    A coin decides every second round's order; the round after it is asked the other way round, as mlgate does.
    """
    size = max(1, round(block_s / BASE_S))
    count = len(speed) // (2 * size)
    blocks = np.arange(2 * size * count).reshape(count, 2, size)
    heads = np.repeat(rng.random(-(-count // 2)) < 0.5, 2)[:count] ^ (np.arange(count) % 2 == 1)
    places = np.where(heads[:, None], blocks[:, 0], blocks[:, 1]), np.where(heads[:, None], blocks[:, 1], blocks[:, 0])
    rounds = np.repeat(np.arange(count), size)
    sides = []
    for place, factor, own in zip(places, (ratio, 1.0), (heads, ~heads), strict=True):
        values = requests(rng, speed[place.ravel()], factor)
        sides.append(series(values, rounds, dict(enumerate(own.tolist())), 0.5))
    return sides[0], sides[1]


@dataclass(frozen=True)
class Seen:
    """A log ratio and half the widths of its intervals."""

    log: float
    judged: float
    """At CONFIDENCE."""
    counted: float
    """At COVERAGE."""

    @property
    def outcome(self) -> str:
        """Return what a gate with a margin of MARGIN says: NaN never passes and never fails."""
        if self.log + self.judged <= math.log1p(MARGIN):
            return "pass"
        return "fail" if self.log - self.judged > 0 else "open"


def by_rounds(candidate: Series, baseline: Series, quantile: float, share: float = 1.0) -> Seen:
    """Compare as mlgate does."""
    one, other = shared(replace(candidate, quantile=quantile), replace(baseline, quantile=quantile))
    judged = ratio_width(one, other, looks.effective_confidence(CONFIDENCE, share))
    counted = ratio_width(one, other, COVERAGE) if share == 1 else math.nan
    return Seen(math.log(one.corpus() / other.corpus()), judged, counted)


def by_requests(rng: np.random.Generator, candidate: Array, baseline: Array, quantile: float) -> Seen:
    """Compare as if every request were independent: the usual bootstrap of a percentile, by the law of its rank."""
    logs, ends = [], []
    for values in (candidate, baseline):
        ordered = np.log(np.sort(values))
        n, place = len(values), math.ceil(quantile * len(values))
        drawn = (n * rng.beta(place, n - place + 1, DRAWS)).astype(int)
        logs.append(float(ordered[place - 1]))
        ends.append(ordered[np.minimum(n - 1, drawn)])
    spread = ends[0] - ends[1]
    halves = [float(np.quantile(spread, (1 + c) / 2) - np.quantile(spread, (1 - c) / 2)) / 2 for c in (0.95, 0.90)]
    return Seen(logs[0] - logs[1], *halves)


@dataclass(frozen=True)
class Cell:
    """Rates over the runs of one design."""

    passed: float
    failed: float
    covered: float
    spread: float
    """Standard deviation of the ratio."""

    @classmethod
    def of(cls, seen: Sequence[Seen], ratio: float) -> Cell:
        """Count."""
        errors = np.array([one.log - math.log(ratio) for one in seen])
        halves = np.array([one.counted for one in seen])
        outcomes = [one.outcome for one in seen]
        passed, failed = (outcomes.count(word) / len(seen) for word in ("pass", "fail"))
        return cls(passed, failed, float(np.mean(np.abs(errors) <= halves)), float(np.std(errors)))


def simulate(world: World, ratio: float, runs: int, block_s: float = BLOCK_S) -> dict[tuple[str, float], Cell]:
    """Return the rates of every design and percentile."""
    rng = np.random.default_rng([SEED, WORLDS.index(world), round(100 * ratio), round(1000 * block_s)])
    found: dict[tuple[str, float], list[Seen]] = {key: [] for key in product(DESIGNS, QUANTILES)}
    half = SLOTS // 2
    for before, now in zip(world.minutes(rng, runs), world.minutes(rng, runs), strict=True):
        old, new = requests(rng, before, 1.0), requests(rng, now, ratio)
        first, second = requests(rng, now[:half], 1.0), requests(rng, now[half:], ratio)
        sides = duet(rng, now, ratio, block_s)
        for q in QUANTILES:
            found["stored", q].append(by_requests(rng, new, old, q))
            found["A then B", q].append(by_requests(rng, second, first, q))
            found["duet", q].append(by_rounds(*sides, q))
    return {key: Cell.of(seen, ratio) for key, seen in found.items()}


@dataclass(frozen=True)
class Looked:
    """What early looks do, of one percentile."""

    passed: float
    failed: float
    seconds: float
    """Mean until it was decided, or the whole budget."""
    at_end: float
    """Share undecided after the whole budget."""

    @classmethod
    def of(cls, ends: Sequence[tuple[str, int]], block_s: float) -> Looked:
        """Count conclusions and the rounds that they took."""
        words = [word for word, _ in ends]
        passed, failed, undecided = (words.count(word) / len(ends) for word in ("pass", "fail", "open"))
        return cls(passed, failed, 2 * block_s * sum(rounds for _, rounds in ends) / len(ends), undecided)


def look(world: World, ratio: float, runs: int, block_s: float = BLOCK_S) -> dict[float, Looked]:
    """Judge after 20, 40 and 60 s, and stop when it is decided."""
    rng = np.random.default_rng([SEED, WORLDS.index(world), round(100 * ratio), 7])
    at = [round(third * BUDGET_S / 6 / block_s) for third in (1, 2, 3)]
    ends: dict[float, list[tuple[str, int]]] = {q: [] for q in QUANTILES}
    for now in world.minutes(rng, runs):
        sides = duet(rng, now, ratio, block_s)
        for q in QUANTILES:
            ends[q].append(_decided(sides, q, at))
    return {q: Looked.of(seen, block_s) for q, seen in ends.items()}


def _decided(sides: tuple[Series, Series], quantile: float, at: Sequence[int]) -> tuple[str, int]:
    for share, rounds in zip(looks.shares(at), at, strict=True):
        candidate, baseline = (side.of(np.arange(rounds)) for side in sides)
        outcome = by_rounds(candidate, baseline, quantile, share).outcome
        if outcome != "open":
            return outcome, rounds
    return "open", at[-1]


def _cells(task: Task) -> dict[tuple[str, float], Cell]:
    return simulate(WORLDS[task[0]], *task[1:])


def _looked(task: Task) -> dict[float, Looked]:
    return look(WORLDS[task[0]], *task[1:])


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--block", type=float, default=BLOCK_S, help="seconds a block")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} runs a cell: shows that it works, proves little")
    asked = parser.parse_args()
    runs = QUICK if asked.quick else asked.runs
    began = time.monotonic()
    tasks = [(world, ratio, runs, asked.block) for world, ratio in product(range(len(WORLDS)), RATIOS)]
    with multiprocessing.get_context("fork").Pool(asked.jobs) as pool:
        cells = pool.map(_cells, tasks, chunksize=1)
        looked = pool.map(_looked, tasks, chunksize=1)
    print(f"{runs:,} runs a cell, Python {platform.python_version()}, numpy {np.__version__}")
    print(f"margin {MARGIN:.0%}, blocks of {asked.block:g} s, {BUDGET_S:g} s in all")
    for line in (*table(tasks, cells), "", *looks_table(tasks, looked)):
        print(line)
    print(f"{time.monotonic() - began:.0f} s")


def table(tasks: Sequence[Task], cells: Sequence[dict[tuple[str, float], Cell]]) -> Iterator[str]:
    """Yield the rates in percent. A star marks a duet that misses its goal."""
    head = "".join(f"{name:>31}" for name in DESIGNS)
    yield f"{'':20}{head}"
    yield f"{'noise':8} {'true':>5} {'':5}" + f"{'pass':>10}{'FAIL':>6}{'90% CI':>8}{'sd':>7}" * len(DESIGNS)
    missed = 0
    for (world, ratio, runs, _), cell in zip(tasks, cells, strict=True):
        for q in QUANTILES:
            text = ""
            for design in DESIGNS:
                one = cell[design, q]
                goal = design != "duet" or reached(one, ratio, q, runs)
                missed += not goal
                text += (
                    f"{100 * one.passed:10.1f}{100 * one.failed:6.1f}{100 * one.covered:8.1f}{100 * one.spread:6.1f}"
                )
                text += " " if goal else "*"
            yield f"{WORLDS[world].name:8} {ratio:5.2f} {f'p{100 * q:g}':5}{text}"
    yield "Goals of the duet: 87 to 94 % covered; equal models FAIL <= 1 %; +5 % passes <= 2.5 %; +10 % passes never,"
    word = f"missed in {missed} rows (*)" if missed else "reached"
    yield f"and fails by its p50 in 98 % of runs (each give or take three standard errors of so many runs): {word}."


def reached(cell: Cell, ratio: float, quantile: float, runs: int) -> bool:
    """Whether a duet's rates keep the goals, as far as so many runs can tell."""

    def most(rate: float, goal: float) -> bool:
        return rate <= goal + 3 * math.sqrt(goal * (1 - goal) / runs)

    covered = most(1 - cell.covered, 0.13) and most(cell.covered, 0.94)
    if ratio == 1.0:
        return covered and most(cell.failed, 0.01)
    if ratio <= 1 + MARGIN:
        return covered and most(cell.passed, 0.025)
    return covered and most(cell.passed, 0.005) and (quantile > 0.5 or most(1 - cell.failed, 0.02))


def looks_table(tasks: Sequence[Task], cells: Sequence[dict[float, Looked]]) -> Iterator[str]:
    """Yield what looking after 20, 40 and 60 s does to the errors, and what it saves."""
    yield f"{'with looks':14}" + f"{'pass':>13}{'FAIL':>7}{'open':>7}{'mean s':>8}" * len(QUANTILES)
    worst = 0.0
    for (world, ratio, *_), cell in zip(tasks, cells, strict=True):
        text = ""
        for q in QUANTILES:
            one = cell[q]
            wrong = one.failed if ratio == 1.0 else one.passed
            worst = max(worst, wrong)
            rates = "".join(f"{100 * rate:7.1f}" for rate in (one.passed, one.failed, one.at_end))
            text += f"  p{100 * q:<3g}{rates}{one.seconds:8.1f}"
        yield f"{WORLDS[world].name:8} {ratio:5.2f}{text}"
    nominal = (1 - CONFIDENCE) / 2
    slack = 3 * math.sqrt(nominal * (1 - nominal) / tasks[0][2])
    word = "reached" if worst <= nominal + slack else "not reached"
    yield f"Goal: wrong answers with looks at most {nominal:.1%}, as without; the most is {worst:.1%}: {word}."


if __name__ == "__main__":
    main()
