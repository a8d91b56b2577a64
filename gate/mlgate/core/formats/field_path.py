"""A field of a row by its name, or by a dotted path into it: `answers.text`, `choices.0`, `answers.*.text`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class Absent(Enum):
    """Not the same as null."""

    ABSENT = "absent"


def pick(row: Mapping[str, object], path: str) -> object:
    """Return what stands at *path*: a field of that very name, else step by step through objects and lists.

    A `*` steps into each item of a list, and the whole is a list of what was found there. It is absent unless every
    item has it.
    """
    return row[path] if path in row else _at(row, path.split("."))


def _at(value: object, steps: list[str]) -> object:
    for index, step in enumerate(steps):
        if step == "*" and isinstance(value, list | tuple):
            return _of_each(value, steps[index + 1 :])
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list | tuple) and _is_index(step) and int(step) < len(value):
            value = value[int(step)]
        else:
            return Absent.ABSENT
    return value


def _of_each(items: list[object] | tuple[object, ...], steps: list[str]) -> object:
    found: list[object] = []
    for item in items:
        value = _at(item, steps)
        if value is Absent.ABSENT:
            return value
        if isinstance(value, list | tuple) and steps:
            found.extend(value)
        else:
            found.append(value)
    return found


def _is_index(step: str) -> bool:
    return step.isascii() and step.isdecimal() and len(step) <= 9  # noqa: PLR2004 - no list is longer
