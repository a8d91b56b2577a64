"""What it costs to remember a verdict: 10,000 segments and 40 metrics, against a local MLflow server.

Beside it, what a script would do: one `mlflow.log_metric` a number, one `log_param` a parameter, one `log_artifact` a
file. Both write the same, in turn, into runs of their own on the same server. The server is real, with a sqlite store.

    python benchmarks/track.py [--rounds 7]
"""

from __future__ import annotations

import argparse
import math
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.support import mlflow_server

from mlgate.adapters.files import evidence_file
from mlgate.adapters.mlflow.client import Server, StoreAddress
from mlgate.adapters.mlflow.runs import MlflowRuns
from mlgate.core.check import Bound, Rule
from mlgate.core.evidence import Environment, Evidence, Observation, Provenance
from mlgate.core.metric import Better, Metric
from mlgate.core.outcome import Outcome
from mlgate.core.report import CheckSummary, Report
from mlgate.core.tracking.record import DataUsed, TrackingRecord
from mlgate.core.verdict import Finding, Measurement
from mlgate.flow.tracking_record import record
from mlgate.reports.json_v1 import document as json_v1
from mlgate.reports.markdown import report as markdown
from mlgate.reports.svg import charts

SEGMENTS, METRICS = 10_000, 40
GOAL_S = 2.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name, mlflow_server.server(Path(name, "server")) as server:
        ours = MlflowRuns(Server(StoreAddress(server.uri, Path(name))), "ours")
        taken: dict[str, list[float]] = {"mlgate": [], "mlgate again": [], "loop": []}
        for number in range(-1, rounds):  # the first warms both up
            one = verdict(number, Path(name))
            found = {
                "mlgate": clocked(partial(ours.log, one)),
                "mlgate again": clocked(partial(ours.log, one)),
                "loop": clocked(partial(loop, server.uri, one, Path(name))),
            }
            for way, seconds in found.items():
                if number >= 0:
                    taken[way].append(seconds)
    show(one, taken)


def verdict(number: int, folder: Path) -> TrackingRecord:
    """Return the record of one verdict, with everything in it that a real one has."""
    provenance = Provenance(f"{number + 1:040x}", "5" * 64, "6" * 64, (("notes", "7" * 64),))
    dice = random.Random(number)
    words = ["".join(dice.choices("etaoinshrdlu", k=dice.randint(2, 9))) for _ in range(5_000)]
    rows = [Observation("notes", f"n{i:05}", {"answer": " ".join(dice.choices(words, k=25))}) for i in range(SEGMENTS)]
    evidence = Evidence.of(provenance, [Environment("3.11.7", "Linux", "cpu")], rows)
    path = folder / "evidence.jsonl.gz"
    evidence_file.write(path, evidence)
    points = Metric("points", "points", Better.HIGHER)
    measured = [
        Measurement("notes", f"metric{i}", points, 30 + i, SEGMENTS, 29.0 + i, 31.0 + i, "sig") for i in range(METRICS)
    ]
    found = [
        Finding("notes", Rule(one.name, Bound.MIN, 10), Outcome.PASSED, "it holds", "min", "", one) for one in measured
    ]
    report = Report(
        model="summarizer",
        suite=provenance.suite,
        evidence=evidence.digest,
        provenance=provenance,
        environments=tuple(evidence.environments),
        checks=(CheckSummary("notes", "accuracy", SEGMENTS, SEGMENTS, 0),),
        findings=tuple(found),
        measurements=tuple(measured),
    )
    files = {
        "evidence.jsonl.gz": path.read_bytes(),
        "report.json": json_v1.render(report).encode(),
        "summary.md": markdown.render(report).encode(),
        "measurements.svg": charts.measurements(report).encode(),
    }
    data = (DataUsed("notes", "7" * 64, "data/test.jsonl", SEGMENTS),)
    return record(report, verdict=f"{number + 1:064x}", began=1_790_000_000_000, data=data, tags={}, files=files)


def loop(uri: str, one: TrackingRecord, folder: Path) -> None:
    """Log it as the fluent API's tutorial does."""
    import mlflow

    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment("loop")
    with mlflow.start_run(run_name=one.name):
        for name, value in one.metrics.items():
            mlflow.log_metric(name, value)
        for name, text in one.params.items():
            mlflow.log_param(name, text)
        for name, text in one.tags.items():
            mlflow.set_tag(name, text)
        for name, content in one.files.items():
            (folder / name).write_bytes(content)
            mlflow.log_artifact(str(folder / name), "mlgate")


def clocked(act: Callable[[], Any]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def show(one: TrackingRecord, taken: dict[str, list[float]]) -> None:
    size = sum(map(len, one.files.values()))
    print(f"{SEGMENTS:,} segments, {METRICS} metrics: {len(one.metrics)} numbers, {len(one.params)} parameters,")
    print(
        f"{len(one.tags)} tags, {len(one.files)} files of {size / 1e6:.1f} MB; medians of {len(taken['loop'])}, in turn"
    )
    print()
    middle = {way: statistics.median(seconds) for way, seconds in taken.items()}
    print(f"{'':14} {'median s':>9} {'min':>7} {'max':>7} {'loop / it':>10}")
    for way, seconds in taken.items():
        ratio = middle["loop"] / middle[way] if middle[way] else math.inf
        print(f"{way:14} {middle[way]:9.2f} {min(seconds):7.2f} {max(seconds):7.2f} {ratio:9.1f}x")
    reached = "reached" if middle["mlgate"] <= GOAL_S else "NOT reached"
    print(f"\ngoal: a verdict in at most {GOAL_S:g} s: {reached}")


if __name__ == "__main__":
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    main()
