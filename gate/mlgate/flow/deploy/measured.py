"""What a run measured of the image that a manifest is held against: its memory at the most, and how long it loads."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from mlgate.core.check import START
from mlgate.core.deploy.advice import Measured
from mlgate.core.evidence import Evidence, Observation

_MEMORY = "fact.server_memory_mb"
_LOAD = "load_s"


def measured(evidence: Evidence, checks: Collection[str], *, ready_path: str, port: int) -> Measured:
    """Return what the rows of *checks* say; 0 for what none of them says.

    *checks*: the file's own. The rows of a baseline that ran beside the candidate are under names that no file has.
    """
    rows = [row for row in evidence.rows.values() if isinstance(row, Observation) and row.check in checks]
    memory = max(_numbers(rows, _MEMORY), default=0.0)
    loads = max(_numbers([row for row in rows if row.example == START], _LOAD), default=0.0)
    return Measured(memory, loads, ready_path, port)


def _numbers(rows: list[Observation], name: str) -> Iterator[float]:
    for row in rows:
        value = row.seen.get(name)
        if isinstance(value, int | float):
            yield float(value)
