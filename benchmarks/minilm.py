"""What the gate says of a harmless and of a harmful image, run after run: examples/minilm on this machine.

    python -m benchmarks.minilm [--runs 10] [--neighbour] [--budget 60] [--keep DIR]  (needs `make minilm`)

Runs `mlgate check` on the refactored image and on the one with 10 % more work, in turn, and counts what comes out of it
and how long it takes. A harmless image that does not pass is blocked, whatever the verdict is called. `--neighbour`
keeps one other process busy all the while. `--keep` keeps what `mlgate replay` needs of each run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.duet_real import running

EXAMPLE = Path(__file__).parent.parent / "examples/minilm"
IMAGES = {"harmless": "mlgate.yaml", "+10 %": "mlgate-slow.yaml"}
MLGATE = Path(sys.executable).with_name("mlgate")


@dataclass(frozen=True)
class Run:
    """One run of the gate."""

    image: str
    outcome: str
    seconds: float
    """From the command to the verdict: starting both images and the accuracy check included."""
    said: str
    """Each compared time: its change with the interval, and what became of it."""


def run(image: str, budget_s: float, keep: Path | None) -> Run:
    """Gate one image, and keep its evidence."""
    text = (EXAMPLE / IMAGES[image]).read_text().replace("budget: 60s", f"budget: {budget_s:g}s")
    with tempfile.TemporaryDirectory() as folder:
        config = EXAMPLE / f".benchmark-{IMAGES[image]}"
        config.write_text(text)
        began = time.monotonic()
        try:
            command: list[str | Path] = [MLGATE, "check", "-c", config, "-o", folder]
            subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - mlgate itself, without a shell
        finally:
            config.unlink()
        seconds = time.monotonic() - began
        report = json.loads(Path(folder, "report.json").read_text())
        if keep:
            keep.mkdir(parents=True, exist_ok=True)
            name = f"{Path(IMAGES[image]).stem}-{report['outcome']}-{time.time():.0f}.jsonl.gz"
            shutil.copy(Path(folder, "evidence.jsonl.gz"), keep / name)
    return Run(image, report["outcome"], seconds, "; ".join(_said(report)))


def _said(report: dict[str, Any]) -> Iterator[str]:
    for finding in report["findings"]:
        delta = finding["delta"]
        if delta and delta["base"]:
            change, low, high = (100 * float(delta[name]) / delta["base"] for name in ("value", "low", "high"))
            kind = "" if delta.get("by_request") else " (percentiles)"
            yield f"{finding['metric']} {change:+.1f} ({low:+.1f} to {high:+.1f}){kind} {finding['topic']}"
    for load in report["loads"]:
        yield f"{load['rounds']} rounds, noise {100 * float(load['noise']):.1f} %"


def busy() -> None:
    """Be a neighbour."""
    while True:
        pass


def main() -> None:
    """Print a line a run, and what they come to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--runs", type=int, default=10, help="of each image")
    parser.add_argument("--neighbour", action="store_true", help="keep one other process busy")
    parser.add_argument("--budget", type=float, default=60.0, help="seconds that a run may take that is not settled")
    parser.add_argument("--keep", type=Path, help="keep the evidence of each run in this folder")
    asked = parser.parse_args()
    runs: list[Run] = []
    beside = multiprocessing.get_context("fork").Process(target=busy, daemon=True)
    with running(beside) if asked.neighbour else contextlib.nullcontext():
        for number in range(asked.runs):
            for image in IMAGES:
                runs.append(run(image, asked.budget, asked.keep))
                one = runs[-1]
                print(f"{number + 1:3} {image:9} {one.outcome:12} {one.seconds:5.1f} s  {one.said}", flush=True)
    print(f"{'image':9} {'runs':>5} {'passed':>7} {'FAILED':>7} {'blocked':>8} {'median s':>9} {'most s':>7}")
    for image in IMAGES:
        of = [one for one in runs if one.image == image]
        passed, failed = (sum(one.outcome == word for one in of) for word in ("passed", "failed"))
        seconds = [one.seconds for one in of]
        print(
            f"{image:9} {len(of):5} {passed:7} {failed:7} {len(of) - passed:8} "
            f"{statistics.median(seconds):9.1f} {max(seconds):7.1f}"
        )


if __name__ == "__main__":
    main()
