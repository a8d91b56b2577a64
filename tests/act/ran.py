"""What a run of a workflow did, as a test asks for it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOG_SHOWN = 6000
"""Characters of the log in a failure's message."""


@dataclass(frozen=True)
class Taken:
    """One step that ran."""

    job: str
    name: str
    result: str
    """success, failure or skipped: the outcome, before `continue-on-error`."""
    seconds: float
    depth: int
    """1 for the job's own steps; 2 and more inside composite actions."""


@dataclass(frozen=True)
class Ran:
    """A run that ended. Jobs are named as act does: `PR/test`, `mlgate/gate/shard-2` (leg 2), `mlgate/gate/verdict`."""

    code: int
    run_id: int
    jobs: Mapping[str, str]
    """Job to success or failure. A job that was skipped has no entry, as it has no log."""
    outputs: Mapping[str, Mapping[str, str]]
    """Job to all that its steps wrote into GITHUB_OUTPUT."""
    summary: tuple[str, ...]
    annotations: tuple[Mapping[str, str], ...]
    """level (error, warning, notice), message, job, and what of file, line, col, title was given."""
    steps: tuple[Taken, ...]
    artifacts: Path
    """One folder per artifact of this run."""
    log: str
    """What the steps printed, one line each: `job | text`."""
    seconds: float

    def __str__(self) -> str:
        """Show enough to see why an assertion about this run failed."""
        return f"exit {self.code}, jobs {dict(self.jobs)}, {self.seconds:.1f} s\n{self.log[-LOG_SHOWN:]}"

    def job(self, ending: str) -> str:
        """The result of the one job whose name ends so: `verdict`, `shard-2`; "skipped" when none has run."""
        found = {name: result for name, result in self.jobs.items() if name == ending or name.endswith(f"/{ending}")}
        assert len(found) <= 1, f"{ending} may be any of {', '.join(found)}"
        return next(iter(found.values()), "skipped")

    def output(self, ending: str, name: str) -> str | None:
        """What that job's steps wrote last under *name*."""
        found = [
            o[name] for job, o in self.outputs.items() if (job == ending or job.endswith(f"/{ending}")) and name in o
        ]
        return found[-1] if found else None

    def step(self, ending: str, name: str) -> str:
        """The result of a step of the job itself; "skipped" when it did not run."""
        for step in self.steps:
            if step.depth == 1 and step.name == name and (step.job == ending or step.job.endswith(f"/{ending}")):
                return step.result
        return "skipped"

    def artifact(self, name: str) -> Path:
        """The folder of an artifact's files."""
        assert (self.artifacts / name).is_dir(), f"no artifact {name} in {[p.name for p in self.artifacts.glob('*')]}"
        return self.artifacts / name


def read_log(log: str, *, code: int, run_id: int, artifacts: Path, seconds: float) -> Ran:
    """Read act's lines of JSON; what is no JSON (an error of act itself) is kept as text."""
    lines = list(_lines(log))
    outputs: dict[str, dict[str, str]] = {}
    summary: list[str] = []
    annotations: list[dict[str, str]] = []
    for line in lines:
        match line.get("command"):
            case "set-output":
                outputs.setdefault(_job(line), {})[line["name"]] = line["arg"]
            case "summary" if line["content"] not in summary:  # repeated by every enclosing composite action
                summary.append(line["content"])
            case "error" | "warning" | "notice" as level:
                found = {"level": level, "message": line["arg"], "job": _job(line), **(line.get("kvPairs") or {})}
                if found not in annotations:
                    annotations.append(found)
    text = "".join(f"{_job(line)} | {str(line.get('msg', '')).rstrip()}\n" for line in lines)
    steps = tuple(_steps(lines))
    return Ran(code, run_id, _jobs(lines), outputs, tuple(summary), tuple(annotations), steps, artifacts, text, seconds)


def _lines(log: str) -> Iterator[dict[str, Any]]:
    for line in log.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        yield value if isinstance(value, dict) else {"msg": line}


def _job(line: Mapping[str, Any]) -> str:
    return str(line.get("job", "")).strip()  # padded with blanks to one width


def _steps(lines: list[dict[str, Any]]) -> Iterator[Taken]:
    for line in lines:
        if "stepResult" in line and line.get("stage") == "Main":
            seconds = line.get("executionTime", 0) / 1e9
            yield Taken(_job(line), line["step"], line["stepResult"], seconds, len(line.get("stepID") or [""]))


def _jobs(lines: list[dict[str, Any]]) -> dict[str, str]:
    """Each job's result. act gives every leg of a matrix the result of all: a leg failed when a step of its own did."""
    results: dict[str, str] = {}
    broken: set[str] = set()
    for line in lines:
        job = _job(line)
        if line.get("level") == "error" and "command" not in line and job:  # a step under continue-on-error logs none
            broken.add(job)
        if "jobResult" in line:
            leg_of_others = bool(line.get("matrix")) and line["jobResult"] == "failure" and job not in broken
            results[job] = "success" if leg_of_others else line["jobResult"]
    return results
