"""When the next question may be sent: at most so many a second, and not before a busy server says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

BUSY = frozenset({429, 503})
"""Statuses that say "not now" of a request that was not carried out."""
LONGEST_PAUSE = 30.0
"""Seconds of a pause that the server left to us."""
_FIRST_PAUSE = 0.5


class Pacing:
    """Lets the threads of one model ask in turn. What one is told holds for all: the server knows no threads."""

    def __init__(
        self,
        most_a_second: float | None,
        sleep: Callable[[float], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gap = 1 / most_a_second if most_a_second else 0.0
        self._sleep = sleep
        self._clock = clock
        self._lock = threading.Lock()
        self._next = 0.0
        """When the next question may go."""

    def take(self) -> None:
        """Wait until it is this question's turn."""
        with self._lock:
            now = self._clock()
            at = max(now, self._next)
            self._next = at + self._gap
        if at > now:
            self._sleep(at - now)

    def hold(self, seconds: float) -> None:
        """Let no further question go for so many seconds."""
        with self._lock:
            self._next = max(self._next, self._clock() + seconds)


def pause(retry_after: str, attempt: int, jitter: float) -> float:
    """Return how many seconds to wait after a busy reply, the first with *attempt* 0.

    What the server asks for by `Retry-After` (RFC 9110, 10.2.3: seconds or a date), else twice as long each time, with
    *jitter* (0 to 1), so that not all who were turned away come back together.
    """
    text = retry_after.strip()
    if text.isascii() and text.isdecimal() and len(text) < 10:  # noqa: PLR2004 - int() has limits
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return min(LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(attempt, 20)) * (0.5 + 0.5 * jitter)
