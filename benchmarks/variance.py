"""What varies in a duet's times, and what each step of judging takes away: on the evidence that a run kept.

python -m benchmarks.variance path/to/mlgate.yaml [path/to/evidence.jsonl.gz]
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from mlgate.adapters.files import evidence_file
from mlgate.commands.run_options import RunOptions
from mlgate.core.check import Check
from mlgate.core.evidence import Evidence
from mlgate.core.latency import rounds as latency_rounds
from mlgate.core.latency.metrics import timing
from mlgate.core.stats.aa_noise import noise
from mlgate.core.stats.example_effects import explained, without_examples
from mlgate.core.stats.ratio import ratio
from mlgate.core.stats.series import Series, shared

NAMES = ("p50_ms", "p95_ms", "mean_ms")
CONFIDENCE = 0.95


def sides(check: Check, evidence: Evidence, name: str) -> tuple[Series, Series]:
    """Return candidate and baseline of one metric, in the rounds that both have."""
    asked = timing(name)
    assert asked is not None
    one, other = (
        latency_rounds.read(check, evidence.under(side)).times(asked) for side in (check.id, f"baseline/{check.id}")
    )
    return shared(one, other)


def steps(check: Check, evidence: Evidence) -> Iterator[str]:
    """Yield the table of one check."""
    one, other = sides(check, evidence, "p50_ms")
    logs = np.concatenate([np.log(side.values) for side in (one, other)])
    alike = without_examples(one, other)
    yield f"{check.id}: {len(one.values):,} requests a side in {len(one.first)} rounds of {check.params['block_s']} s"
    yield f"standard deviation of the log of a time: {np.std(logs):.3f}; examples explain {explained(one, other):.0%}"
    spread = np.std(np.concatenate([np.log(side.values) for side in alike]))
    yield f"... without what examples take longer: {spread:.3f}"
    mine, theirs = (side.values for side in (one, other))
    if len(mine) == len(theirs):
        pair = np.std(np.log(mine / theirs)) / math.sqrt(2)
        yield f"... of a reply beside the other side's to the same request: {pair:.3f} (a single reply's share)"
    yield ""
    yield f"{'half the width of the 95 % interval, %':40}" + "".join(f"{name:>10}" for name in NAMES)
    table: dict[str, list[float]] = {}
    for name in NAMES:
        both = sides(check, evidence, name)
        found = {
            "ratio of the values (as before)": _apart(both),
            "... of values without example effects": _apart(without_examples(*both)),
            "what is judged": ratio(*both).half(CONFIDENCE),
            "noise floor of unlike examples (as before)": math.log1p(noise(*(replace(s, examples=None) for s in both))),
            "noise floor without example effects": math.log1p(noise(*both)),
        }
        for words, half in found.items():
            table.setdefault(words, []).append(half)
    for words, halves in table.items():
        yield f"{words:44}" + "".join(f"{100 * math.expm1(half):10.1f}" for half in halves)


def _apart(both: tuple[Series, Series]) -> float:
    """Return half the width of the interval of the ratio of the two values: as if they were of no request."""
    return ratio(*(replace(side, requests=None) for side in both)).half(CONFIDENCE)


def main() -> None:
    """Print a table for each timed check that has a baseline beside it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("config", type=Path)
    parser.add_argument("evidence", type=Path, nargs="?")
    asked = parser.parse_args()
    choice = RunOptions(asked.config)
    project = choice.project()
    place = asked.evidence or asked.config.parent / ".mlgate/evidence.jsonl.gz"
    evidence = evidence_file.read(place, project.most_rows_of_older)
    for check in project.suite.checks:
        if check.rounds and not check.baseline_of:
            print("\n".join(steps(check, evidence)))


if __name__ == "__main__":
    main()
