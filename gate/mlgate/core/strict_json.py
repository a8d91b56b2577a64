"""JSON that leaves nothing to chance: no key that stands twice, and no number that is none or that no double holds."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator

_BLANK = re.compile(r"[ \t\n\r]*")
"""What may stand between two values."""


def loads(text: str, *, whole: Callable[[str], int] = int, is_finite: bool = True) -> object:
    """Return the value in *text*; *whole* reads its whole numbers.

    With *is_finite*, NaN, infinities and numbers that are greater than a double are refused, which Python takes.

    Raises ValueError for what is no such JSON, RecursionError for what is nested deeper than Python goes.
    """
    if not is_finite:
        return json.loads(text, object_pairs_hook=_each_key_once, parse_int=whole)
    return json.loads(
        text, object_pairs_hook=_each_key_once, parse_int=whole, parse_float=_finite, parse_constant=_no_constant
    )


def stream(text: str, *, is_finite: bool = True) -> Iterator[object]:
    """Yield each of the values that stand in *text* one after the other. Raises as `loads` does."""
    decoder = json.JSONDecoder(
        object_pairs_hook=_each_key_once,
        parse_float=_finite if is_finite else None,
        parse_constant=_no_constant if is_finite else None,
    )
    at = _behind_blanks(text, 0)
    while at < len(text):
        value, end = decoder.raw_decode(text, at)
        yield value
        at = _behind_blanks(text, end)


def _behind_blanks(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    assert found is not None  # it may be of no character
    return found.end()


def _each_key_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key stands twice in one object")  # Python would silently take the last
    return value


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON value")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is too large a number")  # Python would silently make it infinite
    return value
