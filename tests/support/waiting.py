"""Waiting for what another process does: on a condition, never for a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 600.0
"""Seconds until what must happen counts as never happening. The one bound of every wait, time-out and deadline here
that a test does not expect to be reached: a machine with fifteen busy processes a core still keeps it."""
GRACE = 30.0
"""Seconds that a server may take to end when it is asked to; then it is killed, which fails nothing."""
_LOOK_S = 0.002


def until(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Return when *condition* holds; fail when it never does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(_LOOK_S)  # whoever is waited for needs the processor


def alive(pid: int) -> bool:
    """Whether a process still runs (one that only waits to be reaped does not)."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@contextmanager
def works_at_most(seconds: float) -> Iterator[None]:
    """Fail when this takes the processor for longer. What other processes do meanwhile does not count."""
    begun = time.thread_time()
    yield
    spent = time.thread_time() - begun
    assert spent < seconds, f"{spent:.2f} s of work, not {seconds:g}"
