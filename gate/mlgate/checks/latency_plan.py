"""What a latency check sends in which round: read from its params, the same for both sides of a duet."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mlgate.checks import latency_arrivals
from mlgate.core.check import Check, Json
from mlgate.core.latency.block import Arrival, LoadBlock, clocked
from mlgate.core.latency.metrics import timing
from mlgate.core.latency.rounds import LatencyRounds
from mlgate.core.metric import ERROR_RATE

_ROUNDED_S = 2e-6


@dataclass(frozen=True)
class LatencyPlan:
    """One check's load. Times in seconds, rates in requests a second."""

    mode: str
    """`open`, `stages`, `closed` or `find`."""
    rounds: int
    block_s: float
    rate: float
    poisson: bool
    stages: Sequence[tuple[float, float]]
    """Rate and seconds, of one side's time."""
    concurrency: int
    find: Mapping[str, float]
    least: float
    most: float
    looks: Sequence[int]
    once: int
    """Rounds of a first try, behind which there is a second one if the machine disturbed it; 0: there is one only."""
    seed: int
    mix: Mapping[str, float]
    by: str
    timeout_s: float

    @classmethod
    def of(cls, check: Check) -> LatencyPlan:
        """Read the params that the configuration wrote."""
        given = check.params
        mix = _mapping(given.get("mix"))
        weights = _mapping(mix.get("weights"))
        return cls(
            mode=str(given["mode"]),
            rounds=check.rounds,
            block_s=_number(given.get("step_s") if given["mode"] == "find" else given.get("block_s")),
            rate=_number(given.get("rate")),
            poisson=given.get("arrivals") != "constant",
            stages=[(_number(rate), _number(seconds)) for rate, seconds in _pairs(given.get("stages"))],
            concurrency=int(_number(given.get("concurrency"))),
            find={name: _number(bound) for name, bound in _mapping(given.get("find")).items()},
            least=_number(given.get("least")),
            most=_number(given.get("most")),
            looks=[int(_number(look)) for look in _list(given.get("looks"))],
            once=int(_number(given.get("once"))),
            seed=int(_number(given.get("seed"))),
            mix={value: _number(weight) for value, weight in weights.items()},
            by=str(mix.get("by", "")),
            timeout_s=_number(given.get("timeout_s")) or 30.0,
        )

    def rate_in(self, number: int) -> float:
        """Return the rate of a round; a ramp goes through its stages, and keeps the last."""
        if self.mode != "stages":
            return self.rate
        left = number
        for rate, seconds in self.stages:
            left -= round(seconds / self.block_s)
            if left <= 0:
                return rate
        return self.stages[-1][0]

    def order(self, check: Check) -> Iterator[int]:
        """Yield the examples to ask, without end."""
        each = self.rate_in(1) if self.mode != "find" else self.most
        expected = round(max(each, self.concurrency * 10.0) * self.block_s * (self.once or self.rounds))
        return latency_arrivals.order(check.examples, self.seed, expected, self.mix, self.by)


@dataclass
class Asked:
    """One round's requests: the sides share due times and examples."""

    plan: LatencyPlan
    number: int
    order: Iterator[int]
    _picked: list[int] = field(default_factory=list)

    def picks(self, n: int) -> list[int]:
        """Return the first *n* examples of the round."""
        while len(self._picked) < n:
            self._picked.append(next(self.order))
        return self._picked[:n]

    def arrivals(self, rate: float) -> list[Arrival]:
        """Return the round's requests at *rate*."""
        rng = random.Random(f"due {self.plan.seed}/{self.number}")  # noqa: S311 - a seeded schedule, not a secret
        due = latency_arrivals.due_times(rng, rate, self.plan.block_s, poisson=self.plan.poisson)
        return [Arrival(at, example) for at, example in zip(due, self.picks(len(due)), strict=True)]


@dataclass
class Search:
    """The next rate to try, and the largest that kept the bounds: bisection on the logarithm, one step a round."""

    plan: LatencyPlan
    held: float = 0.0
    """The largest rate that kept every bound; 0 when none did."""
    broken: float = 0.0
    """The least that broke one; 0 when none did."""
    tried: int = 0
    """Rounds so far."""
    failing: int = 0
    """Requests since the last one that was answered."""

    def rate(self, number: int) -> float:
        """Return the rate of the next round."""
        if self.plan.mode != "find":
            return self.plan.rate_in(number)
        if not self.held:
            return self.plan.least if not self.broken else (self.plan.least * self.broken) ** 0.5
        if not self.broken:
            return self.plan.most
        return float((self.held * self.broken) ** 0.5)

    def learn(self, rate: float, block: LoadBlock) -> None:
        """Take in what a round at *rate* showed."""
        self.tried += 1
        for reply in block.replies:
            self.failing = self.failing + 1 if reply.failure else 0
        if keeps(self.plan.find, block):
            self.held = max(self.held, rate)
        else:
            self.broken = min(self.broken or rate, rate)


def strangers(check: Check, seen: LatencyRounds) -> Iterator[tuple[str, str]]:
    """Yield the rounds that do not hold the requests that were planned: some are lost, or it was another load.

    A search's examples depend on what both sides found: of its rounds only the due times are held against the plan.
    """
    plan = LatencyPlan.of(check)
    order = plan.order(check)
    for number in range(1, max(seen.done, default=0) + 1):
        asked = Asked(plan, number, order)
        block = seen.done.get(number)
        if plan.mode == "closed":
            picks = asked.picks(len(check.examples))
            same = block is None or all(reply.example == picks[i % len(picks)] for i, reply in enumerate(block.replies))
        else:
            rate = seen.rates.get(number, 0.0) if plan.mode == "find" else plan.rate_in(number)
            same = block is None or _as_planned(
                asked.arrivals(rate) if rate > 0 else [], block, find=plan.mode == "find"
            )
        if not same or (block is not None and not block.replies):
            yield f"{number:04}", "it does not hold the requests that this check plans"


def _as_planned(planned: Sequence[Arrival], block: LoadBlock, *, find: bool) -> bool:
    """Whether a block has each planned request once. A row holds whole microseconds."""
    if len(planned) != len(block.replies):
        return False
    return all(
        abs(one.due - reply.due) < _ROUNDED_S and (find or one.example == reply.example)
        for one, reply in zip(planned, block.replies, strict=True)
    )


def keeps(bounds: Mapping[str, float], block: LoadBlock) -> bool:
    """Whether one block keeps every bound: percentiles of its latencies in milliseconds, and its error rate."""
    if not block.replies:
        return False
    for name, bound in bounds.items():
        if name == ERROR_RATE.name:
            value = sum(1 for reply in block.replies if reply.failure) / len(block.replies)
        else:
            asked = timing(name)
            if asked is None:
                return False
            times = [value * 1000 for values in clocked(block.replies, asked.clock) for value in values]
            if not times:
                return False
            value = float(
                np.quantile(times, asked.quantile, method="inverted_cdf") if asked.quantile else np.mean(times)
            )
        if not value <= bound:
            return False
    return True


def _number(value: Json) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Json) -> Sequence[Json]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def _pairs(value: Json) -> Iterator[tuple[Json, Json]]:
    for pair in _list(value):
        rate, seconds = _list(pair)
        yield rate, seconds
