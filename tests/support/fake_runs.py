"""A tracker in memory, that may be down."""

from __future__ import annotations

from dataclasses import dataclass, field

from mlgate.core.errors import AdapterError
from mlgate.core.tracking.record import LoggedRun, TrackingRecord


@dataclass
class FakeRuns:
    """Verdicts by their key."""

    records: dict[str, TrackingRecord] = field(default_factory=dict)
    is_down: bool = False

    @property
    def source(self) -> str:
        return "runs in memory"

    def log(self, record: TrackingRecord) -> LoggedRun:
        self.demand_up()
        self.records[record.key] = record
        return _where(record)

    def logged(self, record: TrackingRecord) -> LoggedRun | None:
        self.demand_up()
        known = self.records.get(record.key)
        return _where(known) if known is not None and known.verdict == record.verdict else None

    def may_be_baseline(self, verdict: str) -> bool | None:
        self.demand_up()
        found = [one for one in self.records.values() if one.verdict == verdict]
        return found[0].tags.get("mlgate.acceptable") == "true" if found else None

    def demand_up(self) -> None:
        if self.is_down:
            raise AdapterError("MLflow could not answer: no answer", hint="is the server up?")


def _where(record: TrackingRecord) -> LoggedRun:
    run = record.key[:8]
    return LoggedRun(run, f"run {run} in memory", f"runs:/{run}/mlgate")
