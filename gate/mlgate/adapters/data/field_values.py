"""What a value of a data file may be before a model is asked it, or an answer is compared with it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

from mlgate.core.check import Json
from mlgate.core.errors import ConfigError
from mlgate.core.text.scalar_text import LARGEST_EXACT, scalar_text

DEEPEST_NESTING = 64
"""Levels of nesting that a value may have."""

_MOST_DIGITS = 100
"""Digits before the point of a decimal number: the formats that have such numbers allow fewer."""


def quoted(name: str) -> str:
    """Quote a name from a file: bounded, since a row may call its fields anything."""
    return f"`{name}`" if len(name) <= 60 else f"`{name[:59]}…`"  # noqa: PLR2004 - fits a line


def native(value: object) -> object:
    """Return a number of numpy's, or a decimal one, as Python's own."""
    if type(value).__module__ == "numpy" and hasattr(value, "item"):
        value = value.item()
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() < _MOST_DIGITS:
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def text_of(value: object, name: str, where: str) -> str | None:
    """Return the text of a text, a number or a truth value; None for what is none of them."""
    try:
        text = scalar_text(native(value))
    except ValueError as error:
        raise _too_many_digits(name, where) from error
    return None if text is None else sound(text, name, where)


def id_text(value: object, name: str, where: str) -> str | None:
    """Return the text of an id: a text that is not blank, or a whole number; None for what is none.

    pandas makes whole numbers floats in a column where one is missing; 1.0 is 1.
    """
    match native(value):
        case bool():
            return None
        case float() as number if not (number.is_integer() and abs(number) <= LARGEST_EXACT):
            return None
        case str() as text if not text.strip():
            return None
        case other:
            return text_of(other, name, where)


def plain(value: object, name: str, where: str, depth: int = 1) -> Json:
    """Return *value* as JSON can carry it, or say what it cannot."""
    if depth > DEEPEST_NESTING:
        raise ConfigError(f"the field {quoted(name)} is nested deeper than {DEEPEST_NESTING} levels", where=where)
    match native(value):
        case None | bool() as whole:
            return whole
        case str() as text:
            return sound(text, name, where)
        case int() as number:
            text_of(number, name, where)
            return number
        case float() as number if math.isfinite(number):
            return number
        case Mapping() as fields:
            return {sound(str(key), name, where): plain(item, name, where, depth + 1) for key, item in fields.items()}
        case list() | tuple() as items:
            return [plain(item, name, where, depth + 1) for item in items]
        case _:
            raise ConfigError(
                f"the field {quoted(name)} holds {kind(value)}", hint="write it as JSON can carry it", where=where
            )


def sound(text: str, name: str, where: str) -> str:
    """Return *text* when a model can be asked it and a report can show it."""
    flaw = "a NUL character" if "\0" in text else ""
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        flaw = "a lone surrogate"
    if flaw:
        raise ConfigError(f"the field {quoted(name)} holds {flaw}", hint="remove it from the data", where=where)
    return text


def kind(value: object) -> str:
    """Return what a value is, for people."""
    match value:
        case None:
            return "null"
        case bool():
            return "a truth value"
        case float():
            return "a number with a fraction" if math.isfinite(value) else "a number that is not finite"
        case Mapping():
            return "an object"
        case list() | tuple():
            return "a list"
        case _:
            return f"a {type(value).__name__}"


def _too_many_digits(name: str, where: str) -> ConfigError:
    return ConfigError(f"the field {quoted(name)} holds a number of too many digits", where=where)
