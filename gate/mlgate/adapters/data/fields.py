"""One row of a data file: which fields mean what, and what a value may be before it is asked or compared."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import Enum

from mlgate.core.check import Example, Json
from mlgate.core.errors import ConfigError

DEEPEST_NESTING = 64
"""Levels of nesting that a value may have."""

NO_VALUE = "(none)"
"""The slice of rows whose field is absent, null or empty (CSV cannot tell these apart)."""

LONGEST_ID = 1000
"""Characters of an id: it stands in every row of evidence, in reports and in links."""

_FIELDS_SHOWN = 12


class Absent(Enum):
    """Not the same as null."""

    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Fields:
    """Which fields of a row mean what: by name, or by dotted path (`answers.text`, `choices.0`)."""

    input: str = "input"
    references: tuple[str, ...] = ()
    """Their texts add up. Empty: `reference` or, when the first row has none, `references`."""
    id: str = ""
    """Empty: `id` when the first row has one, else ids are made from the content."""
    slices: tuple[str, ...] = ()
    group: str = ""
    """The field whose rows of one value depend on each other; empty: none is declared."""

    def columns(self, there: Sequence[str]) -> list[str]:
        """Return what must be read of the columns *there*; all when one is missing, so that the error can name them."""
        wanted = [self.input, *self.references, *([self.id] if self.id else []), *self.slices]
        wanted += [self.group] if self.group else []
        heads = [_head(path, there) for path in wanted]
        heads += [] if self.references else ["reference" if "reference" in there else "references"]
        if not set(heads) <= set(there):
            return list(there)
        needed = {*heads, *([] if self.id else ["id"])}
        return [name for name in there if name in needed]

    def settled(self, first: Mapping[str, object]) -> Fields:
        """Return the fields with what was left to the first row decided."""
        references = self.references or (("reference",) if "reference" in first else ("references",))
        return replace(self, references=references, id=self.id or ("id" if "id" in first else ""))


USUAL = Fields()
"""Those of a file of which nothing else is said."""


def example_of(row: Mapping[str, object], fields: Fields, where: str) -> Example:
    """Return the row as an example that has no id yet. *where* is the row's place, `file:line`, for errors."""
    given = pick(row, fields.input)
    if given is Absent.ABSENT:
        raise ConfigError(
            f"the row has no field {quoted(fields.input)}", hint=suggest([fields.input], tuple(row)), where=where
        )
    return Example(
        id="",
        input=_plain(given, fields.input, where),
        references=_references(row, fields.references, where),
        slices=tuple((name, _slice(pick(row, name), name, where, "to slice by")) for name in fields.slices),
        group=_group(row, fields.group, where) if fields.group else "",
    )


def own_id(row: Mapping[str, object], name: str, where: str) -> str:
    """Return the id that the row itself gives; never empty, and short enough to stand in every row of evidence."""
    match pick(row, name):
        case str(text) if text.strip():
            return _short(_sound(text, name, where), name, where)
        case int(number) if not isinstance(number, bool):
            return _short(_digits(number, name, where), name, where)
        case Absent.ABSENT:
            raise ConfigError(f"the row has no id {quoted(name)}", hint=suggest([name], tuple(row)), where=where)
        case None | str():
            raise ConfigError(f"the id {quoted(name)} is empty", hint="give every row an id, or none", where=where)
        case other:
            raise ConfigError(
                f"the id {quoted(name)} holds {_kind(other)}", hint="an id is a text or a whole number", where=where
            )


def _short(text: str, name: str, where: str) -> str:
    if len(text) > LONGEST_ID:
        raise ConfigError(
            f"the id {quoted(name)} has {len(text):,} characters: an id may have {LONGEST_ID:,}",
            hint="give the row a shorter id, or none: then one is made from the content",
            where=where,
        )
    return text


def _references(row: Mapping[str, object], names: Sequence[str], where: str) -> tuple[str, ...]:
    texts: list[str] = []
    held = [(name, pick(row, name)) for name in names]
    for name, value in held:
        if value is None or value is Absent.ABSENT:
            continue
        for item in value if isinstance(value, list | tuple) else (value,):
            if isinstance(item, str):
                texts.append(_sound(item, name, where))
            elif isinstance(item, int) and not isinstance(item, bool):
                texts.append(_digits(item, name, where))
            else:
                raise ConfigError(
                    f"the reference {quoted(name)} holds {_kind(item)}",
                    hint="a reference is a text or a list of texts; name one inside by its path: `answers.text`",
                    where=where,
                )
    if not texts:
        asked = " or ".join(quoted(name) for name in names)
        absent = all(value is Absent.ABSENT for _, value in held)
        raise ConfigError(
            f"the row has no reference {asked}" if absent else f"the reference {asked} is null or an empty list",
            hint=suggest(names, tuple(row)) if absent else "give every row at least one reference",
            where=where,
        )
    return tuple(texts)


def _group(row: Mapping[str, object], name: str, where: str) -> str:
    """Return the group that the row is of; empty for a row without one: it depends on no other."""
    value = pick(row, name)
    return "" if value in (None, Absent.ABSENT, "") else _slice(value, name, where, "to group by")


def _slice(value: object, name: str, where: str, what: str) -> str:
    match value:
        case None | Absent.ABSENT | "":
            return NO_VALUE
        case str():
            return _sound(value, name, where)
        case bool() | float() | int():
            return json.dumps(_plain(value, name, where))
        case _:
            raise ConfigError(
                f"the field {quoted(name)} {what} holds {_kind(value)}",
                hint="it must hold a text, a number or a truth value",
                where=where,
            )


def pick(row: Mapping[str, object], path: str) -> object:
    """Return what stands at *path*: a field of that very name, else step by step through objects and lists."""
    if path in row:
        return row[path]
    value: object = row
    for step in path.split("."):
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list | tuple) and _is_index(step) and int(step) < len(value):
            value = value[int(step)]
        else:
            return Absent.ABSENT
    return value


def _head(path: str, there: Sequence[str]) -> str:
    return path if path in there else path.partition(".")[0]


def _is_index(step: str) -> bool:
    return step.isascii() and step.isdecimal() and len(step) <= 9  # noqa: PLR2004 - no list is longer


def _plain(value: object, name: str, where: str, depth: int = 1) -> Json:
    """Return *value* as JSON can carry it, or say what it cannot."""
    if depth > DEEPEST_NESTING:
        raise ConfigError(f"the field {quoted(name)} is nested deeper than {DEEPEST_NESTING} levels", where=where)
    match value:
        case None | bool():
            return value
        case str():
            return _sound(value, name, where)
        case int():
            _digits(value, name, where)
            return value
        case float() if math.isfinite(value):
            return value
        case Mapping():
            return {_sound(str(key), name, where): _plain(item, name, where, depth + 1) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item, name, where, depth + 1) for item in value]
        case _:
            raise ConfigError(
                f"the field {quoted(name)} holds {_kind(value)}", hint="write it as JSON can carry it", where=where
            )


def _sound(text: str, name: str, where: str) -> str:
    """Return *text* when a model can be asked it and a report can show it."""
    flaw = "a NUL character" if "\0" in text else ""
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        flaw = "a lone surrogate"
    if flaw:
        raise ConfigError(f"the field {quoted(name)} holds {flaw}", hint="remove it from the data", where=where)
    return text


def _digits(number: int, name: str, where: str) -> str:
    """Return a whole number as text; Python refuses to show one of thousands of digits."""
    try:
        return str(number)
    except ValueError as error:
        raise ConfigError(f"the field {quoted(name)} holds a number of too many digits", where=where) from error


def _kind(value: object) -> str:
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


def suggest(asked: Sequence[str], there: Sequence[str]) -> str:
    """Return the hint for a field that is not there: the nearest one, and those that there are."""
    names = ", ".join(quoted(name) for name in there[:_FIELDS_SHOWN])
    more = f" and {len(there) - _FIELDS_SHOWN} more" if len(there) > _FIELDS_SHOWN else ""
    close = [match for name in asked for match in get_close_matches(name, there, n=1)]
    meant = f"did you mean {quoted(close[0])}? " if close else ""
    return f"{meant}the row's fields: {names}{more}" if there else "the row has no fields"


def quoted(name: str) -> str:
    """Quote a name from a file: bounded, since a row may call its fields anything."""
    return f"`{name}`" if len(name) <= 60 else f"`{name[:59]}…`"  # noqa: PLR2004 - fits a line
