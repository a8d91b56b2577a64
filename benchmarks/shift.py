"""Users who ask all the time while `mlgate deploy` moves their traffic: how many of their requests are lost.

On the tests' cluster (KServe, Traefik as the gateway, Prometheus; pods are real processes). Round after round one
candidate is promoted, a worse one (three of ten of its answers are errors) is rolled back in mid-step, and
`mlgate rollback` brings back the model before. A request counts as lost when no model answered it: refused, reset,
timed out, or answered by the gateway alone. Of each rollback it says how long it took: from the scrape that had the
first error, over mlgate's decision, to the last request that reached the candidate.

    .ci/cluster up
    .ci/cluster run .venv/bin/python benchmarks/shift.py [--requests 100000] [--modes route,deployment] [--users 12]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median

import yaml

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.support.deploy_project import image
from tests.support.rollout_cluster import Place, place
from tests.support.users import Seen, Way, asking
from tests.support.waiting import until

from mlgate.core.deploy.rollout import Phase

GATEWAY, PROMETHEUS = os.environ.get("MLGATE_TEST_GATEWAY", ""), os.environ.get("MLGATE_TEST_PROMETHEUS", "")
ANALYSIS = {"prometheus": {"url": PROMETHEUS, "interval": "1s"}, "rules": {"error_rate": {"max": 0.1}}}
DIGITS = "123456789abcdef"
LONG = (Way(takes_s=8.0), Way(keeps=False, takes_s=8.0))
"""Users whose requests last longer than mlgate lets a model drain: then the pod has to end what it has begun."""


@dataclass(frozen=True)
class WayBack:
    """One rollback in mid-step. Unix times, seconds."""

    scraped: float
    """Prometheus had the first error of the candidate."""
    decided: float
    over: float
    """The last request that reached the candidate was sent."""


@dataclass
class Mode:
    """All rounds in one mode."""

    place: Place
    seen: Seen = field(default_factory=Seen)
    said: list[tuple[float, str]] = field(default_factory=list)
    """When mlgate printed which line."""
    ways_back: list[WayBack] = field(default_factory=list)
    numbers: count[int] = field(default_factory=count)
    shifts: Counter[str] = field(default_factory=Counter)

    def run(self, *words: str, code: int) -> None:
        """Run mlgate to its end."""
        self.said.append((time.time(), f"$ mlgate {' '.join(words)}"))
        process = self.place.start(*words)
        assert process.stdout
        lines = []
        for line in process.stdout:
            lines.append(line)
            self.said.append((time.time(), line.strip()))
        if process.wait() != code:
            sys.exit(f"mlgate {' '.join(words)} ended with {process.returncode}, not {code}:\n{''.join(lines)}")

    def deploy(self, *, code: int = 0, hold: str = "3s", analysis: object = None, **model: str) -> str:
        """Deploy the next model; return its version."""
        number = next(self.numbers)
        self.place.manifest(MODEL_VERSION=f"m{number}", MODEL_LATENCY="0.005", **model)
        written = yaml.safe_load(self.place.project.config.read_text())
        written["deploy"] |= {"steps": [10, 50, 100], "hold": hold, "analysis": analysis}
        written["deploy"] = {key: value for key, value in written["deploy"].items() if value is not None}
        self.place.project.config.write_text(yaml.safe_dump(written))
        self.place.project.judged(image(DIGITS[number % len(DIGITS)]))
        if analysis:
            until(lambda: self.place.run("deploy", "--dry-run")[0] == 0)  # Prometheus finds new pods after seconds
        self.run("deploy", code=code)
        return f"m{number}"

    def round(self) -> None:
        """Promote one, take a worse one back, and go back to the one before."""
        self.deploy()
        self.shifts["promoted"] += 1
        worse = self.deploy(code=4, hold="20s", analysis=ANALYSIS, MODEL_ERROR_RATE="0.3")
        self.shifts["rolled back in mid-step"] += 1
        self.ways_back.append(self._way_back(worse))
        self.run("rollback", code=0)
        self.shifts["mlgate rollback"] += 1

    def _way_back(self, version: str) -> WayBack:
        record = self.place.record
        assert record.rollout is not None
        assert record.candidate is not None
        decided = next(state.since for state in record.rollout.states if state.phase is Phase.RESTORING)
        space, name = self.place.namespace, record.candidate.name
        return WayBack(first_scrape(space, name, self.seen.first_failed[version]), decided, self.seen.last[version])


def first_scrape(namespace: str, release: str, failed: float) -> float:
    """Return when Prometheus' samples had the first answer that failed; *failed*: when users had it."""
    names = f'namespace="{namespace}",pod=~"{release}.*"'
    asked, fine = (raw(f"request_{stage}_seconds_count{{{names}}}") for stage in ("predict", "postprocess"))
    times = [at for pod, samples in asked.items() for at, n in samples.items() if n > fine.get(pod, {}).get(at, n)]
    return min((at for at in times if at >= failed - 1), default=float("nan"))


def raw(selector: str) -> dict[str, dict[float, float]]:
    """Return the samples of the last minutes as they were scraped, by pod."""
    body = urllib.parse.urlencode({"query": f"{selector}[5m]"}).encode()
    with urllib.request.urlopen(f"{PROMETHEUS}/api/v1/query", body, timeout=10) as reply:  # noqa: S310 - the tests' own
        found = json.loads(reply.read())["data"]["result"]
    return {one["metric"]["pod"]: {float(at): float(n) for at, n in one["values"]} for one in found}


def show(name: str, mode: Mode, seconds: float) -> None:
    """Print one mode's part of the table, and each lost request."""
    seen, shifts = mode.seen, mode.shifts
    told = ", ".join(f"{n} {what}" for what, n in shifts.items())
    print(f"{name:<12}{seen.asked:>9,}{len(seen.lost):>7}{seen.asked / seconds:>10.0f}/s   {told}")
    times = [at for at, _ in mode.said]
    for one in seen.lost:
        at = bisect_right(times, one.at) - 1
        after = f"{one.at - times[at]:.2f} s after: {mode.said[at][1]}" if at >= 0 else "before the first rollout"
        kind = "kept connection" if one.is_kept else "new connection"
        print(f"    lost after {one.took * 1000:.0f} ms, {kind}: {one.why}; {after}")


def run_mode(name: str, requests: int, users: int) -> Mode:
    """Go round until so many requests were asked."""
    with tempfile.TemporaryDirectory() as folder, place(name, Path(folder)) as found:
        mode = Mode(found)
        mode.deploy()
        until(lambda: found.asked()[0] == 200)
        begun = time.monotonic()
        ways = [Way(keeps=bool(number % 3)) for number in range(users)]
        with asking(GATEWAY, found.host, *ways, *LONG, pause_s=0.03, timeout_s=30.0) as mode.seen:
            while mode.seen.asked < requests:
                mode.round()
        show(name, mode, time.monotonic() - begun)
        return mode


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--modes", default="route,deployment")
    parser.add_argument("--users", type=int, default=12)
    given = parser.parse_args()
    names = given.modes.split(",")
    print(f"{'mode':<12}{'requests':>9}{'lost':>7}{'rate':>12}   while")
    modes = [run_mode(name, -(-given.requests // len(names)), given.users) for name in names]
    asked, lost = sum(mode.seen.asked for mode in modes), sum(len(mode.seen.lost) for mode in modes)
    print(f"of {asked:,} requests {lost} were lost")
    ways = [one for mode in modes for one in mode.ways_back]
    for what, spans in {
        "from the first scraped error to the decision": [one.decided - one.scraped for one in ways],
        "from the decision to 0 %": [one.over - one.decided for one in ways],
    }.items():
        print(f"{what}: {median(spans):.2f} s (median of {len(ways)}), {max(spans):.2f} s at most")
    print(f"mlgate's process had at most {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
