"""Regular expressions of a person's own over a model's answers: some never come to an end, so each search has one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import regex

LONGEST_SEARCH_S = 1.0
"""Seconds that one expression may search one answer."""
_LONGEST_PATTERN = 2_000


def compiled(pattern: str) -> regex.Pattern[str]:
    """Return an expression. Raises ValueError, saying why, for what is none."""
    import regex

    if len(pattern) > _LONGEST_PATTERN:
        raise ValueError(f"the expression has more than {_LONGEST_PATTERN:,} characters")
    try:
        return regex.compile(pattern, regex.V0)
    except regex.error as error:
        raise ValueError(f"the expression cannot be read: {error}") from error


def first(expression: regex.Pattern[str], text: str) -> regex.Match[str] | None:
    """Return the first match. Raises ValueError for a search that does not come to an end."""
    with _limited(expression):
        return expression.search(text, timeout=LONGEST_SEARCH_S)


def last(expression: regex.Pattern[str], text: str) -> regex.Match[str] | None:
    """Return the last match. Raises ValueError for a search that does not come to an end."""
    with _limited(expression):
        return next(iter(deque(expression.finditer(text, timeout=LONGEST_SEARCH_S), maxlen=1)), None)


@contextmanager
def _limited(expression: regex.Pattern[str]) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise ValueError(
            f"the expression {expression.pattern[:60]!r} searches one answer for more than {LONGEST_SEARCH_S:g} s: "
            "write it without nested repetitions"
        ) from error
