"""The same question as benchmarks/duet.py, asked of real servers on a real core with a real neighbour.

    python -m benchmarks.duet_real [--trials 3] [--budget 60] [--block 0.5] [--quick]        (Linux, two cores)

Two CPU-bound servers share one core with a process that is busy a fifth of the time; mlgate's load generator has the
other core. Each trial is one stream of rounds, in the order in which mlgate asks, and is judged by three designs:
"duet" as it is; "A then B" by the first half's baseline and the second half's candidate; "stored" by the baseline of
the trial before. The candidate does 0, 5 or 10 % more work.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import repeat
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import numpy as np
from benchmarks.duet import BLOCK_S, DESIGNS, QUANTILES, Plan, Seen, by_requests, looked, series

from mlgate.adapters.http.address import Address
from mlgate.adapters.load.channel import ProcessChannel
from mlgate.adapters.load.http_load import HttpLoad
from mlgate.adapters.protocols.plain_json import PlainJson
from mlgate.checks.latency_arrivals import arrivals
from mlgate.core.check import Example
from mlgate.core.latency.block import LoadBlock
from mlgate.core.latency.generator import left_out
from mlgate.core.outcome import Outcome
from mlgate.core.stats.aa_noise import noise
from mlgate.core.stats.series import Series

MORE_WORK = (0.0, 0.05, 0.10)
WORK = 150_000
"""Turns of an empty loop: some milliseconds."""
RATE = 40.0
BUSY_S, IDLE_S = 5.0, 20.0
"""The neighbour's mean stretches."""
MODEL_CORE, GENERATOR_CORE = 0, 1
SEED = 20265


def serve(turns: int, tell: Connection) -> None:
    """Be a model: a fixed amount of work a request."""
    os.sched_setaffinity(0, {MODEL_CORE})

    class Model(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            for _ in range(turns):
                pass
            body = json.dumps({"answer": "done"}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: a terminal takes time too."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    tell.send(server.server_address[1])
    server.serve_forever()


def disturb(seed: int) -> None:
    """Be a neighbour: busy and idle for random stretches."""
    os.sched_setaffinity(0, {MODEL_CORE})
    rng = random.Random(seed)
    while True:
        time.sleep(rng.expovariate(1 / IDLE_S))
        end = time.monotonic() + rng.expovariate(1 / BUSY_S)
        while time.monotonic() < end:
            pass


@contextlib.contextmanager
def running(process: BaseProcess) -> Iterator[None]:
    """Start a process of ours, and end it."""
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


@contextlib.contextmanager
def model(more: float) -> Iterator[HttpLoad]:
    """Run a server that does *more* work, and a generator for it."""
    fork = multiprocessing.get_context("fork")
    hear, tell = fork.Pipe(duplex=False)
    with running(fork.Process(target=serve, args=(round(WORK * (1 + more)), tell), daemon=True)):
        url = f"http://127.0.0.1:{hear.recv()}/"
        protocol = PlainJson({"text": "{input}"}, "answer")
        load = HttpLoad(ProcessChannel(), Address.of(url), protocol, timeout_s=10.0, cpus=[GENERATOR_CORE])
        try:
            yield load
        finally:
            load.close()


@dataclass(frozen=True)
class Trial:
    """One stream of rounds."""

    candidate: Series
    baseline: Series
    disturbed: float
    """The share of blocks in which the generator was late or robbed."""


def trial(more: float, budget_s: float, block_s: float, seed: int) -> Trial:
    """Ask both sides in turn for *budget_s*. Both sides of a round get the same arrivals."""
    rng = random.Random(seed)
    examples = [Example("one", "the quick brown fox")]
    rounds = round(budget_s / block_s / 2)
    seen: dict[bool, list[tuple[int, int, float]]] = {True: [], False: []}
    first: dict[int, bool] = {}
    blocks: list[LoadBlock] = []
    neighbour = multiprocessing.get_context("fork").Process(target=disturb, args=(seed,), daemon=True)
    with running(neighbour), model(more) as candidate, model(0.0) as baseline:
        sides = {True: candidate, False: baseline}
        for number in range(-2, rounds):  # two to warm up
            plan = arrivals(rng, RATE, block_s, repeat(0), poisson=True)
            first[number] = not first[number - 1] if number % 2 else rng.random() < 0.5
            for side in (first[number], not first[number]):
                block = sides[side].fire(examples, plan)
                if number < 0:
                    continue
                blocks.append(block)
                seen[side] += [(number, place, 1000 * reply.done) for place, reply in enumerate(block.replies)]
    one, other = (_series(seen[side], {i: own == side for i, own in first.items() if i >= 0}) for side in (True, False))
    return Trial(one, other, len(left_out(dict(enumerate(blocks)))) / (2 * rounds))


def _series(seen: Sequence[tuple[int, int, float]], first: dict[int, bool]) -> Series:
    numbers, places, times = (np.array(column) for column in zip(*seen, strict=True))
    return series(times, numbers, first, requests=places, examples=np.zeros(len(times), np.intp))


def judged(now: Trial, before: Trial, quantile: float, rng: np.random.Generator, plan: Plan) -> dict[str, Seen]:
    """Return what each design makes of a trial."""
    middle = int(now.baseline.rounds.max()) / 2 + 0.5
    first_half = now.baseline.values[now.baseline.rounds < middle]
    second_half = now.candidate.values[now.candidate.rounds > middle]
    return {
        "stored": by_requests(rng, now.candidate.values, before.baseline.values, quantile),
        "A then B": by_requests(rng, second_half, first_half, quantile),
        "duet": looked((now.candidate, now.baseline), quantile, plan),
    }


def main() -> None:
    """Print a line a trial, and the rates."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--trials", type=int, default=3, help="of each amount of work")
    parser.add_argument("--budget", type=float, default=60.0, help="seconds a trial, both sides together")
    parser.add_argument("--block", type=float, default=BLOCK_S, help="seconds a block")
    parser.add_argument("--quick", action="store_true", help="one trial each of 16 s: shows that it works")
    asked = parser.parse_args()
    count, budget = (1, 16.0) if asked.quick else (asked.trials, asked.budget)
    rng, plan = np.random.default_rng(SEED), Plan(budget, asked.block)
    before = trial(0.0, budget, asked.block, SEED)
    found: dict[tuple[str, float, float], list[Seen]] = {}
    for number in range(count):
        for i, more in enumerate(MORE_WORK):
            now = trial(more, budget, asked.block, SEED + 10 * number + i + 1)
            for q in QUANTILES:
                seen = judged(now, before, q, rng, plan)
                print(line(more, q, now, seen), flush=True)
                for design, one in seen.items():
                    found.setdefault((design, more, q), []).append(one)
            before = now
    for text in table(found):
        print(text)


def line(more: float, quantile: float, now: Trial, seen: dict[str, Seen]) -> str:
    """Return one trial as text: ratios with the ends of their intervals."""
    text = " | ".join(
        f"{design} {np.exp(one.log):.3f} ({np.exp(one.log - one.half):.3f} to {np.exp(one.log + one.half):.3f}) "
        f"{one.outcome.name.lower()} after {one.seconds:.0f} s"
        for design, one in seen.items()
    )
    own = noise(*(replace(side, quantile=quantile) for side in (now.candidate, now.baseline)))
    return f"+{more:.0%} p{100 * quantile:g}: {text} | noise {own:.1%}, disturbed {now.disturbed:.0%}"


def table(found: Mapping[tuple[str, float, float], Sequence[Seen]]) -> Iterator[str]:
    """Yield how often each design blocked, with n: of equal models whatever it is called, and how soon it said so."""
    yield "Of n trials: passed, FAILED, blocked; mean seconds to the verdict; the 95 % interval holds the truth"
    for design in DESIGNS:
        for q in QUANTILES:
            rates = []
            for more in MORE_WORK:
                seen = found[design, more, q]
                passed, failed = (sum(one.outcome is word for one in seen) for word in (Outcome.PASSED, Outcome.FAILED))
                seconds = sum(one.seconds for one in seen) / len(seen)
                rates.append(f"+{more:.0%}: {passed} {failed} {len(seen) - passed} of {len(seen)}, {seconds:.0f} s")
            equal = found[design, 0.0, q]
            held = sum(abs(one.log) <= one.half for one in equal)
            yield f"{design:9} p{100 * q:<3g} {'   '.join(rates)}   holds {held}/{len(equal)}"


if __name__ == "__main__":
    main()
