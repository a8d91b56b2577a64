"""Rollouts whose step lasts a week, many at once in one process: what a look at one takes, and whether memory grows.

Each rollout has its own thread, a cluster in memory and a clock that leaps; the judge is the product's, and asks a
Prometheus in memory over HTTP, which has both models' counters for each 15 s. What is printed is of the process with
the rollouts.

    python benchmarks/week.py [--rollouts 10] [--pods 4]
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.support import fake_serving
from tests.support.fake_prometheus import NOW, Counter, FakePrometheus, prometheus
from tests.support.fake_serving import CANDIDATE, Cluster, FakeStop

from mlgate.adapters.prometheus.client import Prometheus
from mlgate.adapters.prometheus.sources import SOURCES
from mlgate.adapters.prometheus.traffic import PrometheusTraffic
from mlgate.core.check import Bound, Rule
from mlgate.core.deploy.ports import Judgement
from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.deploy.rollout import Phase, Plan
from mlgate.core.deploy.traffic import Traffic
from mlgate.flow.deploy import rollout as flow
from mlgate.flow.deploy.step_judge import RolloutJudge, TrafficRules

DAY_S = 86_400.0
EDGES = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
RULES = (Rule("error_rate", Bound.MAX, 0.01), Rule("p95_ms", Bound.MAX_RISE, 0.1, relative=True))
INTERVAL_S = 15.0
LEAP_S = 12 * 3600.0
"""Between two looks: at the pace of mlgate itself, two seconds, a week would take days."""


def serve(pods: int) -> None:
    """Be the Prometheus, until nobody listens any more."""
    with prometheus() as fake:
        for model in ("candidate", "stable"):
            for pod in range(pods):
                counters(fake, f"summarizer-{model}-{pod}")
        print(fake.url, flush=True)
        sys.stdin.read()


def counters(fake: FakePrometheus, pod: str) -> None:
    """Let one pod answer five requests a second."""

    def grows(rate: float) -> Counter:
        return lambda at: (at - NOW) * rate

    for stage in ("preprocess", "postprocess"):
        fake.counter(f"request_{stage}_seconds_count", grows(5.0), pod=pod, namespace="models")
    for place, edge in enumerate((*EDGES, "+Inf")):
        share = min(1.0, 0.1 + 0.15 * place)
        fake.counter("request_predict_seconds_bucket", grows(5.0 * share), pod=pod, namespace="models", le=str(edge))
    fake.counter("request_predict_seconds_sum", grows(0.2), pod=pod, namespace="models")


@dataclass
class Looks:
    """What the looks of all rollouts took."""

    seconds: list[float] = field(default_factory=list)
    most_windows: int = 0


class Measuring:
    """A judge, and what it takes."""

    def __init__(self, judge: RolloutJudge, looks: Looks) -> None:
        self._judge, self._looks = judge, looks

    def judge(self, record: ServiceRecord) -> Judgement:
        """Judge."""
        begun = time.thread_time()
        found = self._judge.judge(record)
        self._looks.seconds.append(time.thread_time() - begun)
        return found


def roll_out(url: str, days: float, looks: Looks) -> Phase:
    """Carry out one rollout whose steps last so many days; return how it ended."""
    cluster = Cluster(time=NOW + DAY_S)
    reader = PrometheusTraffic(Prometheus(url), SOURCES["kserve"], INTERVAL_S)

    def read(_: ServiceRecord, since: float, until: float) -> Traffic:
        mine, its = ({"namespace": "models", "pods": f"summarizer-{name}-.*"} for name in ("candidate", "stable"))
        ahead = NOW - cluster.time  # the server's clock stands still: it has samples of every time
        found = reader.read(mine, its, since=since, until=until, now=cluster.time + ahead)
        looks.most_windows = max(looks.most_windows, len(found.windows))
        return found

    judge = Measuring(RolloutJudge(traffic=TrafficRules(RULES, read, INTERVAL_S, lambda: cluster.time)), looks)
    tools = replace(fake_serving.tools(cluster, stop=Leaping(cluster)), judge=judge)
    plan = Plan((50, 100), days * DAY_S, DAY_S, cluster.time + 30 * DAY_S)
    record = flow.deploy(tools, CANDIDATE, plan, mode="route", owner="benchmark")
    assert record is not None
    assert record.rollout is not None
    return record.rollout.state.phase


@dataclass
class Leaping(FakeStop):
    """Time passes fast while a step holds."""

    def wait(self, seconds: float) -> None:
        """Leap."""
        super().wait(LEAP_S if seconds > 1 else seconds)


def at_once(url: str, rollouts: int, days: float) -> tuple[Looks, set[str]]:
    """Carry so many out beside each other."""
    looks, ended = Looks(), set()
    threads = [threading.Thread(target=lambda: ended.add(roll_out(url, days, looks).value)) for _ in range(rollouts)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return looks, ended


def peak_mb() -> float:
    """Return the most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rollouts", type=int, default=10)
    parser.add_argument("--pods", type=int, default=4)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.pods)
        return
    command = [sys.executable, __file__, "--serve", "--pods", str(given.pods)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 - this file
        assert server.stdout
        url = server.stdout.readline().strip()
        print(f"{'rollouts':>8}{'step':>10}{'looks':>8}{'windows':>9}{'CPU of a look':>15}{'peak memory':>13}   ended")
        for rollouts, days in ((1, 3.5), (1, 7.0), (given.rollouts, 7.0)):
            looks, ended = at_once(url, rollouts, days)
            each = sum(looks.seconds) / len(looks.seconds)
            print(
                f"{rollouts:>8}{days:>7g} d {len(looks.seconds):>8}{looks.most_windows:>9}{each * 1000:>12.0f} ms"
                f"{peak_mb():>10.0f} MB   {', '.join(sorted(ended))}"
            )
        server.terminate()


if __name__ == "__main__":
    main()
