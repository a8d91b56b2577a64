"""The online checks before the candidate gets traffic: asked again while nothing could be measured."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from mlgate.core.deploy.ports import Judgement
from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.outcome import Outcome

_TRIES = 3
_FOR_S = 30.0
"""A gateway may take so long to know pods that are ready. What it answers until then says nothing of the model."""
_REST_S = 2.0
"""Before the second try; each rest after it is twice as long."""


class FirstCheck:
    """Asks, and asks again where that came to nothing: three times at least, and for half a minute."""

    def __init__(
        self, ask: Callable[[ServiceRecord], Judgement], now: Callable[[], float], patience: float = math.inf
    ) -> None:
        """*ask* returns how the candidate came out. *now*: Unix time, seconds. *patience*: seconds for all tries."""
        self._ask, self._now = ask, now
        self._for = min(_FOR_S, patience / 2)
        self._began = now()
        self._tries = 0
        self._next = self._began
        self._last = Judgement(None)

    def judge(self, record: ServiceRecord) -> Judgement:
        """Return how the candidate came out; without an outcome while it is to be asked again."""
        if self._now() < self._next:
            return self._last
        if not self._tries:
            self._began = self._now()
        found = self._ask(record)
        self._tries += 1
        is_enough = self._tries >= _TRIES and self._now() - self._began >= self._for
        if found.outcome is not Outcome.ERRORED or is_enough:
            return found
        self._next = self._now() + _REST_S * 2.0 ** (self._tries - 1)
        self._last = replace(found, outcome=None, why=f"asked once more: {found.why}")
        return self._last
