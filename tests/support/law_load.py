"""A model whose times follow a law that the test knows: what judging must make of it can be said beforehand."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from mlgate.core.check import Example
from mlgate.core.latency.block import Arrival, LoadBlock, TimedReply

Answer = Callable[[Example, int], str]
"""What is answered to an example, given how often it was asked before."""


@dataclass
class LawLoad:
    """Both loops, without a clock. Times are 20 ms times a lognormal factor, and what the test makes of them."""

    seed: int = 1
    slower: float = 1.0
    tail: float = 0.0
    """Share of requests that take ten times as long."""
    fails: float = 0.0
    late: float = 0.00002
    cpu: float = 0.1
    cached: float = 1.0
    """Factor on the time of an example that was asked before."""
    capacity: float = 1e9
    """Requests a second above which times grow tenfold."""
    dies_after: int = 10**9
    warming: int = 0
    """Requests at the start that take three times as long."""
    answer: Answer = field(default=lambda example, _: example.references[0] if example.references else "")
    run: str = "one run"
    events: int = 0
    closed: bool = False
    asked: dict[str, int] = field(default_factory=dict)
    count: int = 0

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)

    @property
    def facts(self) -> Mapping[str, str | float]:
        return {"run": self.run, "sandbox": "none", "start_s": 1.5}

    def fire(self, examples: Sequence[Example], arrivals: Sequence[Arrival]) -> LoadBlock:
        span = max(arrivals[-1].due, 0.001)
        crowded = len(arrivals) / span > self.capacity
        replies = tuple(self._reply(examples, one.example, one.due, 10.0 if crowded else 1.0) for one in arrivals)
        return LoadBlock(replies, {"wall_s": 1.0, "cpu_s": self.cpu, "steal_s": 0.0, "server_memory_mb": 100.0})

    def press(self, examples: Sequence[Example], order: Sequence[int], concurrency: int, seconds: float) -> LoadBlock:
        n = 25 * concurrency
        replies = tuple(self._reply(examples, order[i % len(order)], seconds * i / n, 1.0) for i in range(n))
        return LoadBlock(replies, {"wall_s": seconds, "cpu_s": self.cpu, "steal_s": 0.0})

    def _reply(self, examples: Sequence[Example], place: int, due: float, crowded: float) -> TimedReply:
        example = examples[place]
        before = self.asked.get(example.id, 0)
        self.asked[example.id] = before + 1
        self.count += 1
        time = 0.02 * self.slower * crowded * self._rng.lognormvariate(0, 0.15)
        time *= 10 if self._rng.random() < self.tail else 1
        time *= self.cached if before else 1
        time *= 3 if self.count <= self.warming else 1
        if self.gone() or self._rng.random() < self.fails:
            return TimedReply(place, due, self.late, float("nan"), 30.0, failure="reset")
        first = time / 2
        events = tuple(first + i * time / 2 / self.events for i in range(self.events))
        return TimedReply(place, due, self.late, first, time, self.answer(example, before), events=events)

    def gone(self) -> str:
        return "exit code 137, out of memory" if self.count >= self.dies_after else ""

    def close(self) -> None:
        self.closed = True
