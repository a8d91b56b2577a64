"""What counts as an answer: text, whole, of a size that somebody could have meant."""

from __future__ import annotations

from mlgate.core.ports import Failure

LONGEST_ANSWER = 1 << 20
"""The longest answer, in bytes of UTF-8. More is a runaway model, and would fill every report."""


def text_or_failure(value: object) -> str | Failure:
    """Return *value* if it is text that can be written down as UTF-8 and read by a person, else why it is no answer."""
    if not isinstance(value, str):
        return Failure(f"answered {_kind(value)}, not text")
    try:
        size = len(value.encode("utf-8"))
    except UnicodeEncodeError as error:
        return Failure(f"answered text that is not Unicode: a lone surrogate U+{ord(value[error.start]):04X}")
    if size > LONGEST_ANSWER:
        return Failure(f"answered {size} bytes: more than {LONGEST_ANSWER} are not taken")
    return value


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case list() | tuple():
            return "a list"
        case dict():
            return "an object"
        case _:
            return type(value).__name__
