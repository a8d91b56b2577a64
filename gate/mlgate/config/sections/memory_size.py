"""Amounts of memory as people write them: `2GB`, `512MB`."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from mlgate.config.sections.section import complaint

_PATTERN = r"([0-9]{1,7}(?:\.[0-9]{1,3})?) ?(MB|GB)"
_MEGABYTES = {"MB": 1, "GB": 1024}
_LEAST, _MOST = 16, 4096 * 1024


def _read(value: object) -> int:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise complaint("must have a unit", f"write {value:g}GB or {value:g}MB")
    found = re.fullmatch(_PATTERN, value) if isinstance(value, str) else None
    if not found:
        raise complaint("must be an amount of memory", "write it like 2GB or 512MB")
    megabytes = round(float(found[1]) * _MEGABYTES[found[2]])
    if not _LEAST <= megabytes <= _MOST:
        raise complaint("must be at least 16MB and at most 4096GB", "write it like 2GB or 512MB")
    return megabytes


def show(megabytes: int) -> str:
    """Return an amount in the largest unit that it is a whole number of: `2GB`, `1536MB`."""
    return f"{megabytes // 1024}GB" if megabytes % 1024 == 0 else f"{megabytes}MB"


def amount(text: str) -> int:
    """Return a key's default: the amount *text*, shown as it is written."""
    default: int = Field(default=_read(text), json_schema_extra={"default": text})
    return default


Memory = Annotated[
    int,
    BeforeValidator(_read),
    PlainSerializer(show, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_PATTERN}$"}),
]
"""In MB of 1,048,576 bytes, as container engines count; 1GB is 1024MB."""
