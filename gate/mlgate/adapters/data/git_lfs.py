"""Git LFS leaves a small text where a file was not fetched: it must never be taken for the file."""

from __future__ import annotations

_VERSION = b"version https://git-lfs.github.com/spec/v1"
LARGEST_POINTER = 1024
"""A pointer has fewer bytes (git-lfs, docs/spec.md)."""


def is_pointer(content: bytes) -> bool:
    """Return whether a file's *content*, or its first `LARGEST_POINTER` bytes when it has more, is a pointer."""
    return len(content) < LARGEST_POINTER and content.partition(b"\n")[0].rstrip(b"\r") == _VERSION
