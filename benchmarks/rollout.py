"""Rollouts that are simulated: how often a healthy candidate is taken back, and how often a bad one is caught in time.

Streams of requests as services have them: a day's rhythm, latency with a long tail that rises and falls for both models
at once (autocorrelated), errors that come in bursts. mlgate's verdict is the product's own (`judge_step`); beside it,
on the same streams, the rules that are usually written for Flagger (each minute, the success rate at least 99 % and the
p95 at most 500 ms; five bad minutes end it) and for Argo Rollouts (one bad measurement fails; four inconclusive or
missing in a row as well), each with its percentile as Prometheus reads it from the buckets.

    python benchmarks/rollout.py [--runs 400] [--rate 20]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlgate.adapters.prometheus.traffic import MOST_WINDOWS
from mlgate.core.check import Bound, Rule
from mlgate.core.deploy.looks import RECENT_SHARE
from mlgate.core.deploy.rollout import Phase, Plan, State
from mlgate.core.deploy.story import coarse
from mlgate.core.deploy.traffic import Traffic, TrafficCounts, TrafficWindow, latencies
from mlgate.core.outcome import Outcome
from mlgate.flow.deploy.step_judge import Beside, StepTraffic, judge_step

EDGES_MS = (5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1000.0, 2500.0, 5000.0, 7500.0, 10000.0)
"""Of KServe's own server."""
WINDOW_S = 15.0
PLAN = Plan((5, 25, 100), 600.0, 300.0, 4 * 3600.0)
"""The defaults."""
RULES = (
    Rule("error_rate", Bound.MAX, 0.02),
    Rule("error_rate", Bound.MAX_RISE, 0.005),
    Rule("p95_ms", Bound.MAX_RISE, 0.1, relative=True),
)
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Service:
    """What the two models are like."""

    rate: float
    """Requests a second, of both."""
    slower: float = 0.0
    """By how much the candidate's times are longer."""
    more_errors: float = 0.0
    """By how much more of the candidate's requests fail."""
    median_ms: float = 60.0
    spread: float = 0.57
    """Of the logarithm of a time: with it the p95 is 2.55 medians."""
    errors: float = 0.002
    own_pace: float = 0.02
    """How much each model's times drift by themselves: the deviation of their logarithm."""


class Stream:
    """One service over time, window by window."""

    def __init__(self, service: Service, rng: np.random.Generator) -> None:
        self.service, self.rng = service, rng
        self.phase = rng.uniform(0, 2 * np.pi)
        self.pace = self.burst = 0.0
        self.own = np.zeros(2)
        self.at = 0.0

    def window(self, weight: int) -> TrafficWindow:
        """Return the next window with the candidate at *weight* percent."""
        own, rng = self.service, self.rng
        self.at += WINDOW_S
        self.pace = 0.9 * self.pace + np.sqrt(1 - 0.9**2) * rng.normal(0, 0.15)
        self.burst = 0.8 * self.burst + np.sqrt(1 - 0.8**2) * rng.normal(0, 0.7)
        day = 1 + 0.5 * np.sin(self.phase + 2 * np.pi * self.at / 86400)
        n = rng.poisson(own.rate * day * WINDOW_S)
        mine = rng.binomial(n, weight / 100)
        failing = own.errors * np.exp(self.burst - 0.7**2 / 2)
        self.own = 0.9 * self.own + np.sqrt(1 - 0.9**2) * rng.normal(0, own.own_pace, 2)
        candidate = self._counts(mine, (1 + own.slower) * np.exp(self.own[0]), failing + own.more_errors)
        return TrafficWindow(self.at, WINDOW_S, candidate, self._counts(n - mine, np.exp(self.own[1]), failing))

    def _counts(self, n: int, factor: float, failing: float) -> TrafficCounts:
        own = self.service
        times = own.median_ms * factor * np.exp(self.pace + own.spread * self.rng.normal(size=n))
        slower = tuple(float(np.count_nonzero(times > edge)) for edge in EDGES_MS)
        failed = float(self.rng.binomial(n, min(1.0, failing)))
        return TrafficCounts(float(n), failed, slower, float(n), float(times.sum()))


@dataclass
class Ended:
    """How a rollout ended."""

    promoted: bool
    at: float
    """Seconds."""


def mlgate(stream: Stream) -> Ended:
    """Roll out by mlgate's verdict."""
    for step, weight in enumerate(PLAN.steps):
        began, windows, measured = stream.at, [], stream.at
        state = State(Phase.HOLDING, began, step)
        while True:
            windows.append(stream.window(weight))
            if stream.at >= PLAN.deadline:
                return Ended(False, stream.at)
            recent = [one for one in windows if one.at > stream.at - RECENT_SHARE * PLAN.hold]
            seen = StepTraffic(
                Traffic(EDGES_MS, coarse(windows, MOST_WINDOWS)), Traffic(EDGES_MS, tuple(recent)), stream.at
            )
            found = judge_step(PLAN, state, RULES, seen, Beside(has_stable=True, is_exact=True))
            measured = stream.at if found.outcome is not None or found.is_measured else measured
            if found.outcome is Outcome.FAILED or stream.at - measured >= PLAN.patience:
                return Ended(False, stream.at)
            if found.outcome is not None and stream.at - began >= PLAN.hold:
                break
    return Ended(True, stream.at)


def fixed(stream: Stream, *, most_bad: int) -> Ended:
    """Roll out by fixed limits: each minute is good or bad by itself, and nobody asks how many requests it had."""
    bad = 0
    for weight in PLAN.steps:
        for _ in range(int(PLAN.hold // 60)):
            side = [stream.window(weight).candidate for _ in range(int(60 // WINDOW_S))]
            known = [one for one in side if one is not None]
            n = sum(one.requests for one in known)
            success = 1 - sum(one.errors for one in known) / n if n else float("nan")
            p95 = latencies(EDGES_MS, known).quantile(0.95)[0]
            bad += not (success >= 0.99 and p95 <= 500)
            if bad >= most_bad:
                return Ended(False, stream.at)
    return Ended(True, stream.at)


WAYS: dict[str, Callable[[Stream], Ended]] = {
    "mlgate": mlgate,
    "Flagger's rule": lambda stream: fixed(stream, most_bad=5),
    "Argo's rule": lambda stream: fixed(stream, most_bad=1),
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--rate", type=float, default=20.0)
    given = parser.parse_args()
    cases = {
        "healthy": Service(given.rate),
        "p95 +20 %": Service(given.rate, slower=0.2),
        "errors +1 point": Service(given.rate, more_errors=0.01),
    }
    print(f"{given.runs} rollouts each, {given.rate:g} requests/s, steps 5, 25, 100, ten minutes each at least")
    print(f"{'candidate':<18}{'judged by':<18}{'promoted':>10}{'taken back':>12}{'after (median)':>16}")
    for name, service in cases.items():
        for way, judged in WAYS.items():
            ended = [judged(Stream(service, np.random.default_rng(seed))) for seed in range(given.runs)]
            promoted = sum(one.promoted for one in ended)
            share, minutes = promoted / given.runs, np.median([one.at for one in ended]) / 60
            print(f"{name:<18}{way:<18}{share:>10.1%}{1 - share:>12.1%}{minutes:>12.1f} min")


if __name__ == "__main__":
    main()
