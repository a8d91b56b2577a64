"""When a process leaves a rollout to the next one, and what it tells that one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mlgate.core.deploy.release import Handover, ServiceRecord
from mlgate.core.deploy.rollout import Phase, Reading

Span = tuple[float, float]
"""Unix times, seconds."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """For how long a process carries a rollout out."""

    now: Callable[[], float]
    """Unix time, seconds."""
    until: float
    """Unix time, seconds: from then on it leaves a step that holds. Before the beginning of time: the first one."""
    asked: Callable[[], Sequence[Span]] = tuple
    """When its online checks asked, or those of the processes before it."""
    wants: Callable[[], object] = lambda: False
    """Whether somebody wants the process to end at once. The rollout goes on without it."""

    def is_time(self, record: ServiceRecord, reading: Reading) -> bool:
        """Whether to leave after this turn.

        Only a step that holds is left: what is about to happen is seen to its end. One in which something is lacking
        is stayed with for as long as `patience`, so that no call after it begins to be patient anew.
        """
        if not record.is_under_way:
            return False
        assert record.rollout is not None
        if self.wants():
            return True
        if record.rollout.state.phase is not Phase.HOLDING or self.now() < self.until:
            return False
        is_calm = reading.waits is None and (reading.judged is not None or reading.is_measured)
        return is_calm or self.is_late(record)

    def is_late(self, record: ServiceRecord) -> bool:
        """Whether it has stayed for as long as it may."""
        assert record.rollout is not None
        return self.now() >= self.until + record.rollout.plan.patience

    def gives_up(self, record: ServiceRecord) -> bool:
        """Whether a cluster that does not answer is left to the next one."""
        return bool(self.wants()) or (math.isfinite(self.until) and self.is_late(record))

    def left(self, record: ServiceRecord, reading: Reading) -> ServiceRecord:
        """Return the record as the next process shall find it."""
        assert record.rollout is not None
        began, now = record.rollout.began, self.now()
        asked = tuple((max(begin, began), min(end, now)) for begin, end in self.asked() if end > began)
        known = record.handover.restarts if record.handover is not None else {}
        return replace(record, handover=Handover(asked, {**known, **dict(reading.restarts)}))


NEVER = Leaving(now=lambda: 0.0, until=math.inf)
"""Of a process that carries a rollout to its end."""
