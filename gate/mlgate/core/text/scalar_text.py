"""The one way from a JSON scalar to text: what is a reference in the data is an answer of the model's, too."""

from __future__ import annotations

import math

LARGEST_EXACT = 1 << 53
"""Whole numbers up to this one, and their neighbours, are told apart as floats."""


def scalar_text(value: object) -> str | None:
    """Return a text, number or truth value as text; None for what is none of them: null, a list, NaN.

    A text stays as it is. `1` and `1.0` are both `1`, since JSON does not tell them apart; true and false are written
    as JSON writes them. Raises ValueError for a whole number of more digits than Python shows.
    """
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float() if math.isfinite(value):
            return str(int(value)) if value.is_integer() and abs(value) <= LARGEST_EXACT else repr(value)
    return None
