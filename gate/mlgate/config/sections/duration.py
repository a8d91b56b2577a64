"""Spans of time as people write them: `30s`, `500ms`, `2m`, `4h`, and ages: `7d`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from mlgate.config.sections.section import complaint

_PATTERN = r"([0-9]{1,8}(?:\.[0-9]{1,3})?)(ms|s|m|h)"
_MILLISECONDS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}
_LONGEST_DURATION = timedelta(days=1)
_AGE_PATTERN = r"([0-9]{1,4})(h|d)"
_HOURS = {"h": 1, "d": 24}
_GREATEST_AGE = timedelta(days=90)


def _read(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise complaint("must have a unit", f"write {value:g}s, {value:g}ms or {value:g}m")
    found = re.fullmatch(_PATTERN, value) if isinstance(value, str) else None
    if not found:
        raise complaint("must be a span of time", "write it like 30s, 500ms or 2m")
    span = timedelta(milliseconds=float(found[1]) * _MILLISECONDS[found[2]])
    if not timedelta() < span <= _LONGEST_DURATION:
        raise complaint("must be more than 0 and at most a day", "write it like 30s, 500ms or 2m")
    return span


def show(span: timedelta) -> str:
    """Return *span* in the largest unit that it is a whole number of: `2m`, `1500ms`."""
    milliseconds = round(span / timedelta(milliseconds=1), 3)
    for unit in ("m", "s"):
        if milliseconds % _MILLISECONDS[unit] == 0:
            return f"{milliseconds // _MILLISECONDS[unit]:.0f}{unit}"
    return f"{milliseconds:.10g}ms"


def lasting(text: str) -> timedelta:
    """Return a key's default: the span *text*, shown as it is written."""
    default: timedelta = Field(default=_read(text), json_schema_extra={"default": text})
    return default


Duration = Annotated[
    timedelta,
    BeforeValidator(_read),
    PlainSerializer(show, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_PATTERN}$"}),
]
"""More than 0, at most a day."""


def _read_age(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    found = re.fullmatch(_AGE_PATTERN, value) if isinstance(value, str) else None
    span = timedelta(hours=int(found[1]) * _HOURS[found[2]]) if found else timedelta()
    if not timedelta() < span <= _GREATEST_AGE:
        raise complaint("must be an age of at most 90 days", "write it like 12h or 7d")
    return span


def _show_age(span: timedelta) -> str:
    hours = span // timedelta(hours=1)
    return f"{hours // 24}d" if hours % 24 == 0 else f"{hours}h"


def age(text: str) -> timedelta:
    """Return a key's default: the age *text*, shown as it is written."""
    default: timedelta = Field(default=_read_age(text), json_schema_extra={"default": text})
    return default


Age = Annotated[
    timedelta,
    BeforeValidator(_read_age),
    PlainSerializer(_show_age, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_AGE_PATTERN}$"}),
]
"""More than 0, at most 90 days, in whole hours or days."""
