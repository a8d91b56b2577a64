"""For how long a step that holds has lacked a model that is ready, or its weight, as one process sees it."""

from __future__ import annotations

from dataclasses import replace

from mlgate.core.deploy.rollout import Health, Phase, Reading, Rollout

_WELL = (Health.READY, Health.ABSENT)
"""ABSENT: of a first rollout, beside which nothing serves."""


class Readiness:
    """Remembers since when something is lacking. It begins anew when something else is, or in another step."""

    def __init__(self) -> None:
        self._what: object = None
        self._since = 0.0
        """Unix time, seconds."""

    def after(self, rollout: Rollout, reading: Reading) -> Reading:
        """Return the reading with how long that has lasted."""
        state = rollout.state
        well = reading.candidate is Health.READY, reading.stable in _WELL, reading.weight == rollout.weight
        if state.phase is not Phase.HOLDING or all(well):
            self._what = None
            return reading
        if self._what != (state, well):
            self._what, self._since = (state, well), reading.at
        return replace(reading, waits=max(0.0, reading.at - self._since))
