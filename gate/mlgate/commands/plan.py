"""What a run will do, before it does it: the matrix of CI's jobs, from mlgate.yaml."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

from mlgate.adapters.github import step_files
from mlgate.commands.run_options import RunOptions
from mlgate.core.check import Check, Suite
from mlgate.core.latency import rounds as latency_rounds
from mlgate.wiring.kinds import PARTS
from mlgate.wiring.project import Project

_TITLES = {
    "accuracy": "accuracy",
    "image-accuracy": "accuracy, of the image",
    "latency": "latency, alone on its machine",
}


def plan(choice: RunOptions, shards: int, name: str) -> Iterator[str]:
    """Yield what will be asked, line by line. In GitHub Actions, set the step's outputs: one matrix a part."""
    project = choice.project()
    matrices = {part: matrix(project, part, shards) for part in PARTS}
    build = project.builds is not None
    yield f"gate {name}, model {project.config.model.name}" + (": its image is built" if build else "")
    if whose := project.binding.policy:
        yield f"rules of {whose.source}"
        yield from (f"  {change.direction.value}: {change.what}" for change in whose.changes)
    for part, found in matrices.items():
        if found:
            suite, jobs = project.part(part), f"{len(found)} {'jobs' if len(found) > 1 else 'job'}"
            yield f"{_TITLES[part]}: {len(suite.planned):,} rows in {jobs}{_lasting(suite)}"
    accuracy = {part: found for part, found in matrices.items() if part != "latency"}
    step_files.write_outputs(
        {
            **{part: json.dumps(found) for part, found in accuracy.items()},
            **{f"{part}-of": str(len(found)) for part, found in accuracy.items()},
            "latency": _flag(bool(matrices["latency"])),
            "build": _flag(build),
        }
    )


def _lasting(suite: Suite) -> str:
    """Return how long load is put on models, warm-up included, of both sides; empty where none is timed."""
    spans = [_span(check) for check in suite.checks if check.rounds]
    if not spans:
        return ""
    least, most = (math.ceil(sum(ends)) for ends in zip(*spans, strict=True))
    return f", about {most:,} s of load" if least == most else f", about {least:,} to {most:,} s of load"


def _span(check: Check) -> tuple[float, float]:
    """Return the seconds of one side's load: until it is first looked whether all is settled, and at most."""
    block, looks = check.params.get("block_s"), latency_rounds.places(check)
    each = float(block) if isinstance(block, int | float) else 0.0
    once = latency_rounds.a_try(check)
    first = once - (looks[-1] - looks[0]) if looks else once
    return first * each, check.rounds * each


def _flag(is_so: bool) -> str:
    return "true" if is_so else "false"


def matrix(project: Project, part: str, shards: int) -> list[int]:
    """Return the numbers of a part's shards: `[1, 2]`; none when it asks nothing. No shard is without examples."""
    rows = len(project.part(part).planned)
    return list(range(1, min(rows, 1 if part == "latency" else shards) + 1))
