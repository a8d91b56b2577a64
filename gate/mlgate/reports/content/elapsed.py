"""How long after a beginning something was, for people."""

from __future__ import annotations


def clock(seconds: float) -> str:
    """Return `3:20`, or `2:03:20` from an hour on."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
