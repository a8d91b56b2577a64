"""A model that was loaded and whose container is restarted, or that has no pod left, has crashed."""

from __future__ import annotations

from dataclasses import replace

from mlgate.adapters.kubernetes.health import Condition
from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.deploy.rollout import Health, Phase


class Crashes:
    """Remembers how often each of the candidate's pods had been restarted when it was loaded, or was seen first.

    *record*: of the rollout; where that was handed over, it says how often they had been until then.
    """

    def __init__(self, record: ServiceRecord | None = None) -> None:
        handover = record.handover if record is not None else None
        self._restarts: dict[str, int] = dict(handover.restarts) if handover is not None else {}

    def judged(self, found: Condition, phase: Phase) -> Condition:
        """Return the condition, BROKEN after a crash."""
        if phase in (Phase.LOADING, Phase.RESTORING):
            self._restarts = dict(found.restarts)
        for uid, count in found.restarts.items():
            self._restarts.setdefault(uid, count)
        if phase in (Phase.LOADING, Phase.RESTORING):
            return found
        crashed = [uid for uid, count in found.restarts.items() if count > self._restarts[uid]]
        if crashed:
            ended = next((found.ends[uid] for uid in crashed if uid in found.ends), found.why)
            return replace(found, health=Health.BROKEN, why=ended or "its container was restarted after it was loaded")
        if found.health is Health.BROKEN:
            return found
        if found.health is Health.LOADING and found.ready_pods == 0:
            return replace(found, health=Health.BROKEN, why=found.why or "it was loaded, and no pod of it is ready now")
        return found
