"""Names and values as MLflow takes them. What must be changed keeps a digest of what it was: no two become one."""

from __future__ import annotations

import hashlib
import posixpath
import re

LONGEST_NAME = 200
"""Of the 250 characters that MLflow allows to a metric, a parameter or a tag."""
LONGEST_TITLE = 250
LONGEST_PARAM = 1_000
"""Of 6,000: a batch may have a million bytes."""
LONGEST_TAG = 5_000
"""Of 8,000."""

_FORBIDDEN = re.compile(r"[^/\w.\- :]")
_DIGITS = 8


def name(text: str) -> str:
    """Return a metric's or a parameter's name: itself where MLflow takes it, else something like it and a digest."""
    if 0 < len(text) <= LONGEST_NAME and not _FORBIDDEN.search(text) and _is_plain(text) and text == text.strip():
        return text
    cleaned = "/".join(_part(part) for part in _FORBIDDEN.sub("_", text).split("/"))
    cleaned = f"_{cleaned}" if cleaned.startswith("..") else cleaned
    return f"{cleaned[: LONGEST_NAME - _DIGITS - 1]}-{_digest(text)}"


def param(text: str) -> str:
    """Return a parameter's value, cut where it is too long; its digest tells two long ones apart."""
    return _cut(text, LONGEST_PARAM)


def tag(text: str) -> str:
    """Return a tag's value, cut likewise."""
    return _cut(text, LONGEST_TAG)


def title(text: str) -> str:
    """Return a run's name, cut to what MLflow takes."""
    return _cut(text, LONGEST_TITLE)


def _is_plain(text: str) -> bool:
    """Return whether the name, read as a path, is the same path."""
    return posixpath.normpath(text) == text != "." and not text.startswith(("/", ".."))


def _part(text: str) -> str:
    return text.strip() if text.strip(". ") else "_"


def _cut(text: str, most: int) -> str:
    text = text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\N{REPLACEMENT CHARACTER}")
    if len(text) <= most:
        return text
    mark = f"… ({len(text):,} characters, sha256 {_digest(text)})"
    return text[: most - len(mark)] + mark


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:_DIGITS]
