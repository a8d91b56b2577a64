"""Counts with their noun: `1 error`, `1,200 requests`."""

from __future__ import annotations


def many(count: int, noun: str) -> str:
    """Return a count with its noun, in the plural where it is not one."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
