"""Two containers of one image, side by side: how much slower the one is that started first.

    python -m benchmarks.starts [--pairs 12] [--requests 70]  (needs `make minilm` and cgroup files of the engine)

Starts two containers of examples/minilm's image on one core, one when the other answers or both at one moment, asks
both the same requests in turn, and compares the processor time that each spends on a request. Nothing else differs.
"""

from __future__ import annotations

import argparse
import http.client
import json
import math
import random
import statistics
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

IMAGE = "minilm-summarizer:main"
DATA = Path(__file__).parent.parent / "examples/minilm/data.jsonl"
CGROUPS = ("/sys/fs/cgroup/docker/{}/cpu.stat", "/sys/fs/cgroup/cpuacct/docker/{}/cpuacct.usage")
WARM = 40
"""Requests that each is asked before any is counted."""


def docker(*words: str) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=True)  # noqa: S603, S607 - no shell
    return done.stdout.strip()


class Server:
    """A container that answers."""

    def __init__(self) -> None:
        """Start it, and wait for it."""
        self.id = docker("run", "--detach", "--cpuset-cpus", "1", IMAGE)
        address = docker("inspect", "--format", "{{.NetworkSettings.IPAddress}}", self.id)
        self.began = docker("inspect", "--format", "{{.State.StartedAt}}", self.id)
        while True:
            try:
                self.line = http.client.HTTPConnection(address, 8080, timeout=10)
                self.line.request("GET", "/")
                self.line.getresponse().read()
            except OSError:
                time.sleep(0.02)
            else:
                break

    def ask(self, text: str) -> float:
        """Ask once; return the processor time that it took, in seconds."""
        before = self.cpu_s()
        body = json.dumps({"instances": [text]})
        self.line.request("POST", "/v1/models/summarizer:predict", body, {"content-type": "application/json"})
        self.line.getresponse().read()
        return self.cpu_s() - before

    def cpu_s(self) -> float:
        """Return the processor time since its start, in seconds."""
        two, one = (Path(path.format(self.id)) for path in CGROUPS)
        if two.exists():
            return int(two.read_text().split()[1]) / 1e6
        return int(one.read_text()) / 1e9


def advantage(servers: Sequence[Server], texts: Sequence[str], requests: int, rng: random.Random) -> float:
    """Return how much more of the processor the first one takes than the second: the median of logarithms."""
    for server in servers:
        for text in texts[:WARM]:
            server.ask(text)
    found = []
    for _ in range(requests):
        text, turn = rng.choice(texts), rng.sample((0, 1), 2)
        took = {place: servers[place].ask(text) for place in turn}
        found.append(math.log(took[0] / took[1]))
    return statistics.median(found)


def started(*, together: bool) -> list[Server]:
    """Start two, and return the one that started first in front."""
    if together:
        with ThreadPoolExecutor(2) as pool:
            return sorted(pool.map(lambda _: Server(), range(2)), key=lambda one: one.began)
    return [Server(), Server()]


def main() -> None:
    """Print a line a pair, and what they come to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--pairs", type=int, default=12, help="of each way to start")
    parser.add_argument("--requests", type=int, default=70, help="that both are asked")
    asked = parser.parse_args()
    texts = [json.loads(line)["input"] for line in DATA.read_text().splitlines()[:WARM]]
    rng = random.Random(1)
    found: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(asked.pairs):
        for together, values in found.items():
            servers = started(together=together)
            try:
                values.append(100 * advantage(servers, texts, asked.requests, rng))
            finally:
                docker("rm", "--force", *(server.id for server in servers))
    print(f"{'started':22} {'first takes more':>17} {'+-':>6} {'spread of pairs':>16}")
    for together, values in found.items():
        name, spread = ("at one moment" if together else "one after the other"), statistics.stdev(values)
        mean, error = statistics.mean(values), 2 * spread / math.sqrt(len(values))
        print(f"{name:22} {mean:+15.1f} % {error:4.1f} % {spread:14.1f} %")


if __name__ == "__main__":
    main()
