"""Verdicts and candidates that differ by a number, for the stores that keep them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from mlgate.adapters.mlflow.client import Server, StoreAddress
from mlgate.adapters.mlflow.registry import MlflowRegistry
from mlgate.adapters.mlflow.runs import MlflowRuns
from mlgate.core.evidence import Evidence, Observation, Provenance
from mlgate.core.tracking.model_version import Candidate
from mlgate.core.tracking.record import DataUsed, TrackingRecord

BEGAN = 1_790_000_000_000
NOW = "2026-11-23T05:00:00Z"


def digest(text: object) -> str:
    return hashlib.sha256(str(text).encode()).hexdigest()


def evidence(answer: str = "x") -> Evidence:
    return Evidence.of(Provenance("", "s", "m", (("c", "d"),)), [], [Observation("c", "a", {"answer": answer})])


def record(number: int = 0, **changed: Any) -> TrackingRecord:
    """Return a verdict like a small one of a real project."""
    made = TrackingRecord(
        key=digest(f"key {number}"),
        name=f"summarizer passed {number}",
        verdict=digest(f"verdict {number}"),
        evidence=digest(f"evidence {number}"),
        began=BEGAN + number,
        params={"model": "summarizer", "suite": digest("suite"), "rule/c/rougeL min": "0.3"},
        metrics={"c/rougeL": number / 8, "c/rougeL.low": -0.5, "c/examples": 1e15, "c/lang:de/bleu": 0.1 + 0.2},
        tags={
            "mlgate.outcome": "passed",
            "mlgate.verdict": digest(f"verdict {number}"),
            "mlgate.evidence": digest(f"evidence {number}"),
            "mlgate.branch": "main",
        },
        data=(DataUsed("c", digest("data"), "data/test.jsonl", 12, "dvc md5:d41d8"),),
        files={"report.json": b'{"n": %d}' % number + bytes(range(256))},
    )
    return replace(made, **changed)


def candidate(run: str, number: int = 0, **changed: Any) -> Candidate:
    """Return what such a verdict lets through."""
    one = record(number)
    made = Candidate(run, one.verdict, one.evidence, digest(f"model {number}"), f"runs:/{run}/mlgate", "1a2b3c4")
    return replace(made, **changed)


def registry_of(place: StoreAddress, name: str, **more: Any) -> MlflowRegistry:
    """Return a registered model as a process of its own would open it."""
    server = Server(place)
    return MlflowRegistry(MlflowRuns(server, name), server, name, **more)
