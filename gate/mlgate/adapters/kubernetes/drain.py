"""A model that has just lost its traffic keeps its pods until what they had begun to answer is answered."""

from __future__ import annotations

import time

DRAIN_S = 5.0


class Drain:
    """How long the model that goes has been without traffic, as this process saw it."""

    def __init__(self, lasts: float | None = None) -> None:
        self._lasts = lasts
        """Seconds; None: as long as requests may take that had begun."""
        self._quiet_since: float | None = None
        """Monotonic seconds."""

    def is_over(self, *, is_quiet: bool) -> bool:
        """Whether it has been without traffic for long enough; *is_quiet*: it is at this moment."""
        if not is_quiet:
            self._quiet_since = None
            return False
        self._quiet_since = time.monotonic() if self._quiet_since is None else self._quiet_since
        lasts = DRAIN_S if self._lasts is None else self._lasts
        return time.monotonic() - self._quiet_since >= lasts
