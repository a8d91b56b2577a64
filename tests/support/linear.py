"""Whether work grows with its text: processor times of a short and of a long text, held against each other."""

from __future__ import annotations

import time
from collections.abc import Callable

LONG = 1 << 20
"""Bytes of the longest text that is fed."""
_TIMES = 16
"""How much shorter the short one is: what is quadratic takes 16 times as long for each of its bytes."""
_SLACK = 4
"""How much more a byte of the long text may take: caches end, and memory has to be found."""
_FLOOR_S = 0.01
"""Below, a text is looked through faster than a clock can be trusted."""
_MOST_S = 2.0
"""What takes a short text longer would take a long one for hours."""


def pumped(pump: str, size: int) -> str:
    """A text of about *size* bytes that is all *pump*, and ends otherwise: what matched so far was in vain."""
    return pump * max(1, size // len(pump.encode("utf-8", "surrogatepass"))) + "\x00"


def seconds(work: Callable[[], object], enough: float = _FLOOR_S, tries: int = 3) -> float:
    """The processor time of *work*, the least of a few; *enough* is little enough to try no more."""
    best = float("inf")
    for _ in range(tries):
        begun = time.thread_time()
        work()
        best = min(best, time.thread_time() - begun)
        if best <= enough:
            break
    return best


def grows_with_the_text(work: Callable[[str], object], pump: str, size: int = LONG) -> None:
    """Fail when *size* bytes of *pump* take *work* longer than their share; the quarter is tried first, so that what is
    quadratic is found before it takes minutes."""
    short = pumped(pump, size // _TIMES)
    least = max(seconds(lambda: work(short), tries=1), _FLOOR_S)
    assert least <= _MOST_S, f"{size // _TIMES:,} bytes of {pump!r}: {least:.3f} s"
    least = max(min(least, seconds(lambda: work(short))), _FLOOR_S)
    for part in (4, 1):
        text, allowed = pumped(pump, size // part), least * (_TIMES / part) * _SLACK
        took = seconds(lambda text=text: work(text), allowed)  # type: ignore[misc]
        assert took <= allowed, f"{size // part:,} bytes of {pump!r}: {took:.3f} s, {size // _TIMES:,}: {least:.3f} s"
