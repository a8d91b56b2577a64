"""Waiting for what another process does: a test never sleeps for a fixed time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Return when *condition* holds; fail when it never does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        os.sched_yield()


def alive(pid: int) -> bool:
    """Whether a process still runs (one that only waits to be reaped does not)."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
