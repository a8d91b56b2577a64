"""The plan: what a run must observe, written before anything runs, for workers that know nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlgate.adapters.files import safe_file
from mlgate.core.check import Check, Example, Json, Suite
from mlgate.core.errors import EvidenceError

LIFELINE = "MLGATE_LIFELINE"
"""The variable by which `mlgate check` gives the sessions that it starts a pipe: they end when it is closed."""


@dataclass(frozen=True, slots=True)
class WorkerPlan:
    """Checks with their examples, and the model to ask. References stay at home unless the user's tests need them."""

    suite: Suite
    model: Mapping[str, Json]
    """The model as the configuration names it."""
    root: str
    """The folder that its paths are relative to."""
    batch: int
    """Examples an item."""
    workers: int


def write(path: Path, plan: WorkerPlan) -> None:
    """Write *plan* to *path*."""
    checks: list[Json] = [
        {
            "id": check.id,
            "kind": check.kind,
            "params": dict(check.params),
            "examples": [
                [e.id, e.input, list(e.references) if "tests" in check.params else []] for e in check.examples
            ],
        }
        for check in plan.suite.checks
    ]
    value = {
        "checks": checks,
        "model": plan.model,
        "root": plan.root,
        "batch": plan.batch,
        "workers": plan.workers,
        "digest": plan.suite.digest,
    }
    safe_file.write(path, json.dumps(value).encode("ascii"))


def read(path: Path) -> WorkerPlan:
    """Read a plan back."""
    try:
        value = json.loads(path.read_bytes())
        checks = tuple(
            Check(
                one["id"],
                one["kind"],
                tuple(Example(name, asked, tuple(references)) for name, asked, references in one["examples"]),
                params=one["params"],
            )
            for one in value["checks"]
        )
        suite = Suite(checks, digest=value["digest"])
        return WorkerPlan(suite, value["model"], value["root"], value["batch"], value["workers"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise EvidenceError("the plan of this run cannot be read", where=str(path)) from error
