"""What counts as an answer: a text, number or truth value, whole, of a size that somebody could have meant."""

from __future__ import annotations

import math

from mlgate.core.ports import Failure
from mlgate.core.text.scalar_text import scalar_text

LONGEST_ANSWER = 1 << 20
"""The longest answer, in bytes of UTF-8. More is a runaway model, and would fill every report."""


def text_or_failure(value: object) -> str | Failure:
    """Return *value* as text that can be written down as UTF-8 and read by a person, else why it is no answer.

    A number or a truth value is one: by the rule that makes references of them, `scalar_text`.
    """
    try:
        text = scalar_text(value)
        if text is None:
            return Failure(f"answered {_kind(value)}, not text")
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        return Failure(f"answered text that is not Unicode: a lone surrogate U+{ord(error.object[error.start]):04X}")
    except ValueError:
        return Failure("answered a number of too many digits")
    if size > LONGEST_ANSWER:
        return Failure(f"answered {size} bytes: more than {LONGEST_ANSWER} are not taken")
    return text


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case float():
            return "NaN" if math.isnan(value) else "an infinite number"
        case list() | tuple():
            return "a list"
        case dict():
            return "an object"
        case _:
            return type(value).__name__
