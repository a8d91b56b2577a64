"""What GitHub does between jobs: notes their outputs, and says them as `toJSON(needs)`; see ../dialect.py."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import sys
from pathlib import Path

from tests.act.doubles import step


def note() -> None:
    """Join this leg's outputs with those of other legs; an empty value replaces none."""
    file = _notes(os.environ["ACT_JOB"])
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # legs of a matrix end at once
        held.seek(0)
        known = json.loads(held.read() or "{}")
        held.truncate(0)
        held.write(json.dumps({**known, **{k: v for k, v in _given("ACT_VALUE_").items() if v}}))


def recall() -> None:
    """Write `needs`: each job's result, and outputs unless it was skipped."""
    called = _given("ACT_CALLED_")
    needs = {}
    for job, result in _given("ACT_RESULT_").items():
        noted = _notes(job)
        outputs = json.loads(noted.read_text()) if noted.exists() else json.loads(called.get(job) or "{}")
        needs[job] = {"result": result, "outputs": {} if result == "skipped" else outputs}
    step.output(needs=json.dumps(needs, indent=2))


def _given(prefix: str) -> dict[str, str]:
    return {k.removeprefix(prefix): v for k, v in os.environ.items() if k.startswith(prefix)}


def _notes(job: str) -> Path:
    """The same workflow may be called twice in a run; then its inputs differ."""
    call = hashlib.sha256(os.environ["ACT_CALL"].encode()).hexdigest()[:8]
    return step.state("needs", os.environ["GITHUB_RUN_ID"], f"{os.environ['GITHUB_WORKFLOW']}-{call}-{job}.json")


if __name__ == "__main__":
    {"note": note, "recall": recall}[sys.argv[1]]()
