"""The wall clock, for what people read: when a verdict was recorded, when an alias moved. No outcome depends on it."""

from __future__ import annotations

import time
from datetime import UTC, datetime

_BEGAN = time.time() - time.monotonic()
"""A clock that somebody sets while a rollout lasts must not end its steps."""


def milliseconds() -> int:
    """Return the milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


def now() -> str:
    """Return the second, UTC: `2026-11-23T05:00:00Z`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def microseconds() -> str:
    """Return the microsecond, UTC: `2026-11-23T05:00:00.000000Z`, as Kubernetes writes a MicroTime."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds() -> float:
    """Return the seconds since 1970, UTC: the wall clock as this process began, and a steady one since then."""
    return _BEGAN + time.monotonic()
