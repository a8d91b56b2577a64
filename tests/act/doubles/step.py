"""What every double of an action shares: its inputs, its outputs, and the faults that a test asks for.

A double is an action.yml of our own with the inputs of the real one, over one Python file here. It keeps what it is
given in $ACT_STATE, so that the next job, or the next run of the same consumer, finds it.
"""

from __future__ import annotations

import fnmatch
import json
import os
import signal
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn


def inputs() -> dict[str, str]:
    """All inputs, as text: a composite passes them as one JSON object, a JavaScript action as INPUT_…."""
    if "ACT_INPUTS" in os.environ:
        return {name: str(value) for name, value in json.loads(os.environ["ACT_INPUTS"]).items()}
    return {k.removeprefix("INPUT_").lower(): v for k, v in os.environ.items() if k.startswith("INPUT_")}


def is_true(value: str) -> bool:
    return value.strip().lower() == "true"


def lines(value: str) -> list[str]:
    return [line.strip() for line in value.splitlines() if line.strip()]


def output(**values: str) -> None:
    """Write outputs; `_` in a name stands for `-`."""
    with Path(os.environ["GITHUB_OUTPUT"]).open("a") as file:
        for name, value in values.items():
            end = uuid.uuid4().hex
            file.write(f"{name.replace('_', '-')}<<{end}\n{value}\n{end}\n")


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


def warn(text: str) -> None:
    say(f"::warning::{text}")


def fail(text: str) -> NoReturn:
    say(f"::error::{text}")
    raise SystemExit(1)


def state(*parts: str) -> Path:
    return Path(os.environ["ACT_STATE"], *parts)


def workspace() -> Path:
    return Path(os.environ["GITHUB_WORKSPACE"])


def place(path: str) -> Path:
    """A path as an action reads it: `~` is the home, relative is below the workspace."""
    return Path(os.path.normpath(workspace() / Path(path).expanduser()))


def fault(what: str) -> str:
    """Which fault a test ordered for *what* (`upload:NAME`, `download:NAME`, `checkout:JOB`), if any.

    lose: an upload says that it worked, and keeps nothing. cut: an upload keeps half of each file. Here happen
    kill: the step dies as by the kernel's OOM killer, and fail: the step fails.
    """
    ordered: Mapping[str, str] = json.loads(os.environ.get("ACT_FAULTS", "{}"))
    found = next((kind for pattern, kind in ordered.items() if fnmatch.fnmatchcase(what, pattern)), "")
    if found == "kill":
        os.killpg(0, signal.SIGKILL)
    if found == "fail":
        fail(f"ordered by the test: {what} fails")
    return found
