"""A container that is restarted after its model was loaded has crashed, whatever comes after it."""

from __future__ import annotations

from mlgate.adapters.kubernetes.health import Condition
from mlgate.core.deploy.rollout import Health, Phase


class Crashes:
    """Remembers how often the candidate's containers had been restarted when it was loaded."""

    def __init__(self) -> None:
        self._restarts: int | None = None

    def judged(self, found: Condition, phase: Phase) -> Condition:
        """Return the condition, BROKEN after a crash."""
        if phase is Phase.LOADING or self._restarts is None:
            self._restarts = found.restarts
        if found.restarts <= self._restarts or found.health is Health.BROKEN:
            return found
        why = found.why or "its container was restarted after it had been loaded"
        return Condition(Health.BROKEN, why, found.restarts)
