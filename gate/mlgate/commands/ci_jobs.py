"""What the jobs of one CI run came to: their results, and the digests of the evidence that they say they sent.

GitHub hands both to a job that needs them as JSON (`toJSON(needs)`). A job that was cancelled, skipped or killed left
no evidence, which blocks by itself; here it gets its name. And evidence that no job vouches for is refused: every job
of a run may replace the run's artifacts (threats T29-T31), but not another job's outputs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlgate.core import strict_json
from mlgate.core.errors import ConfigError, EvidenceError, Refused
from mlgate.wiring.kinds import PARTS
from mlgate.wiring.project import Project

LARGEST_NEEDS = 1 << 20

_DIGEST = re.compile(r"[0-9a-f]{64}")
_RESULTS = ("success", "failure", "cancelled", "skipped")
_OUTPUT = "evidence-"
"""Outputs with this beginning carry a digest; empty for shards that there are not."""


@dataclass(frozen=True, slots=True)
class CiJobs:
    """The jobs that a verdict needs."""

    results: Mapping[str, str]
    digests: frozenset[str]

    @classmethod
    def read(cls, text: str) -> CiJobs:
        """Read `toJSON(needs)`. Raises ConfigError for what GitHub would not have written."""
        try:
            jobs = strict_json.loads(text) if len(text) <= LARGEST_NEEDS else None
        except (ValueError, RecursionError):
            jobs = None
        if not isinstance(jobs, dict) or not jobs:
            raise _unlike()
        results: dict[str, str] = {}
        digests: set[str] = set()
        for name, job in jobs.items():
            result = job.get("result") if isinstance(job, dict) else None
            outputs = job.get("outputs", {}) if isinstance(job, dict) else None
            if not isinstance(result, str) or result not in _RESULTS or not isinstance(outputs, dict):
                raise _unlike()
            results[name] = result
            sent = [value for key, value in outputs.items() if key.startswith(_OUTPUT) and value != ""]
            if not all(isinstance(value, str) and _DIGEST.fullmatch(value) for value in sent):
                raise _unlike()
            digests.update(sent)
        return cls(results, frozenset(digests))

    def vouch(self, digests: Mapping[Path, str]) -> None:
        """Refuse evidence that no job says it sent; *digests* are those of the files that are here."""
        for path, digest in digests.items():
            if digest not in self.digests:
                raise Refused(
                    "no job of this run says that it sent this evidence: it was replaced, or is of another attempt",
                    where=str(path),
                    hint="run all jobs again; look at who can upload artifacts in this run",
                )

    def troubles(self, project: Project, here: Collection[str]) -> tuple[str, ...]:
        """Return one sentence for each job that did not do what was planned; *here* are the digests that came."""
        return tuple(self._troubles(project, here))

    def _troubles(self, project: Project, here: Collection[str]) -> Iterator[str]:
        idle = {part for part in PARTS if not project.part(part).planned}
        if project.builds is None:
            idle.add("build")
        for name, result in self.results.items():
            if result == "failure":
                yield f"the job {name} failed"
            elif result == "cancelled":
                yield f"the job {name} was cancelled, or ran out of time"
            elif result == "skipped" and name not in idle:
                yield f"the job {name} was skipped"
        if lost := len(self.digests.difference(here)):
            yield f"{lost} of {len(self.digests)} evidence files that jobs sent are not here"


def _unlike() -> ConfigError:
    return ConfigError(
        "--needs is not what GitHub says of a job's needs", hint="env: {MLGATE_NEEDS: ${{ toJSON(needs) }}}"
    )


def because(said: str, troubles: Sequence[str]) -> str:
    """Return a sentence with what went wrong in the jobs behind it."""
    return f"{said}: {'; '.join(troubles)}" if troubles else said


def evidence_in(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Return the evidence files that *paths* name; of a folder the ones in it, and one level below.

    Raises EvidenceError when there is none at all.
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found += [path] if path.exists() or path.suffix else []  # a file that is missing is told; a folder may be
            continue
        inside = sorted([*path.glob("evidence-*.jsonl.gz"), *path.glob("*/evidence-*.jsonl.gz")])
        found += [file for file in inside if ".previous." not in file.name]
    if not found:
        raise EvidenceError("there is no evidence here", where=str(paths[0]) if paths else "", hint=_NO_EVIDENCE_HINT)
    return tuple(found)


_NO_EVIDENCE_HINT = "no part of the run has sent any: look at its jobs' logs"
