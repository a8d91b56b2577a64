"""How long GitHub is asked again, and when: its own word first, then ever longer pauses, and an end to all of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

TRIES = 4
"""Of one question."""
LONGEST_S = 60.0
"""For all that fails while one command runs: the pauses, and the time that the failed tries took."""

_LIMITED = (403, 429)
_FAULTS = 500
_DIGITS = 12
_SECONDARY_S = 15.0
"""The first pause after a 429 that names no time. GitHub asks for a minute; three tries come to that."""


class Retries:
    """What is left of the time for things that fail. One command has one."""

    def __init__(
        self,
        seconds: float = LONGEST_S,
        *,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._left_s = seconds
        self._sleep = sleep
        self.clock = clock
        """Seconds that only differences mean something of."""
        self.now = now
        """Seconds since 1970."""

    def wait(self, began: float, seconds: float) -> bool:
        """Count a try that *began* then and failed, and wait. False, at once, where that would take too long."""
        self._left_s -= max(0.0, self.clock() - began)
        if seconds > self._left_s:
            return False
        self._left_s -= seconds
        self._sleep(seconds)
        return True


def pause(status: int, headers: Mapping[str, str], attempt: int, now: float) -> float | None:
    """Return the seconds to wait before asking again; None when the reply stands.

    GitHub refuses with 403 and 429 alike, and only its headers tell a limit from a lack of rights
    (docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api).
    """
    if status in _LIMITED:
        if (asked := _seconds(headers.get("retry-after", ""))) is not None:
            return asked
        if headers.get("x-ratelimit-remaining") == "0":
            reset = _seconds(headers.get("x-ratelimit-reset", ""))
            return longer(attempt) if reset is None else max(1.0, reset - now)
        return _SECONDARY_S if status == 429 else None  # noqa: PLR2004 - too many requests
    return longer(attempt) if status >= _FAULTS else None


def longer(attempt: int) -> float:
    """Return the pause after try number *attempt*, counted from 0."""
    return float(3**attempt)


def _seconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else None
