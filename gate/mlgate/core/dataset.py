"""The one way from rows to examples, whatever file they came in: formats only bring the rows."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from enum import Enum

from mlgate.core.check import Example, Json, digest_of
from mlgate.core.errors import ConfigError, EvidenceError

DEEPEST = 64
"""Levels of nesting that a value may have."""

NONE = "(none)"
"""The slice of rows whose field is absent, null or empty (CSV cannot tell these apart)."""

_SHOWN = 5
_FIELDS_SHOWN = 12
_ID_DIGITS = 12


class _Absent(Enum):
    """Not the same as null."""

    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Dataset:
    """The examples of a check, and what a person should know about them."""

    examples: tuple[Example, ...]
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fields:
    """Which fields of a row mean what: by name, or by dotted path (`answers.text`, `choices.0`)."""

    input: str = "input"
    references: tuple[str, ...] = ()
    """Their texts add up. Empty: `reference` or, when the first row has none, `references`."""
    id: str = ""
    """Empty: `id` when the first row has one, else ids are made from the content."""
    slices: tuple[str, ...] = ()

    def columns(self, there: Sequence[str]) -> list[str]:
        """Return what must be read of the columns *there*; all when one is missing, so that the error can name them."""
        wanted = [self.input, *self.references, *([self.id] if self.id else []), *self.slices]
        heads = [_head(path, there) for path in wanted]
        heads += [] if self.references else ["reference" if "reference" in there else "references"]
        if not set(heads) <= set(there):
            return list(there)
        needed = {*heads, *([] if self.id else ["id"])}
        return [name for name in there if name in needed]


@dataclass(slots=True)
class _Noticed:
    """What is kept and told, by row number."""

    blank_inputs: list[int] = field(default_factory=list)
    blank_references: list[int] = field(default_factory=list)
    repeats: list[tuple[int, int]] = field(default_factory=list)
    """The row, and the earlier one that it equals."""

    def lines(self, unit: str) -> Iterable[str]:
        """Yield one sentence a kind: at most five rows by number, and how many more there are."""
        for what, rows in (("input", self.blank_inputs), ("reference", self.blank_references)):
            if rows:
                yield f"{_counted(len(rows), 'row has', 'rows have')} an empty {what}: {unit} {_some(map(str, rows))}"
        if self.repeats:
            pairs = (f"{unit} {later} equals {unit} {first}" for later, first in self.repeats)
            told = _counted(len(self.repeats), "row repeats an earlier one", "rows repeat earlier ones")
            yield f"{told} and got an id of its own (-2, -3, …): {_some(pairs)}"


def gather(
    rows: Iterable[tuple[int, Mapping[str, object]]], fields: Fields, *, source: str, unit: str = "line"
) -> Dataset:
    """Turn numbered rows into examples. *source* and *unit* (`line`, `row`) are for people: `data.jsonl:3`.

    Raises ConfigError at the first row that cannot be used, EvidenceError when there is no row at all.
    """
    examples: list[Example] = []
    owners: dict[str, list[int]] = {}
    noticed = _Noticed()
    unseen = set(fields.slices)
    names: tuple[str, ...] = ()
    for number, row in rows:
        where = f"{source}:{number}"
        if not examples:
            fields, names = _settled(fields, row), tuple(row)
        example = _example(row, fields, where)
        own_id = _own_id(row, fields.id, where) if fields.id else ""
        example = replace(example, id=own_id or digest_of([example.input, list(example.references)])[:_ID_DIGITS])
        known = owners.setdefault(example.id, [])
        if known and own_id:
            raise ConfigError(
                f"the id {_short(own_id)} is given twice: {unit} {known[0]} and {unit} {number}",
                hint="ids must be unique: rename or delete one of the two rows",
                where=where,
            )
        if known:
            noticed.repeats.append((number, known[0]))
            example = replace(example, id=f"{example.id}-{len(known) + 1}")
        known.append(number)
        if _is_blank(example.input):
            noticed.blank_inputs.append(number)
        if any(_is_blank(text) for text in example.references):
            noticed.blank_references.append(number)
        unseen = {name for name in unseen if _pick(row, name) is _Absent.ABSENT}
        examples.append(example)
    if not examples:
        raise EvidenceError("there is no row in it", hint="a check needs at least one example", where=source)
    for name in fields.slices:
        if name in unseen:
            raise ConfigError(
                f"no row has the field {_short(name)} to slice by", hint=_suggest([name], names), where=source
            )
    return Dataset(tuple(examples), tuple(noticed.lines(unit)))


def _settled(fields: Fields, first: Mapping[str, object]) -> Fields:
    references = fields.references or (("reference",) if "reference" in first else ("references",))
    return replace(fields, references=references, id=fields.id or ("id" if "id" in first else ""))


def _example(row: Mapping[str, object], fields: Fields, where: str) -> Example:
    given = _pick(row, fields.input)
    if given is _Absent.ABSENT:
        raise ConfigError(
            f"the row has no field {_short(fields.input)}", hint=_suggest([fields.input], tuple(row)), where=where
        )
    return Example(
        id="",
        input=_plain(given, fields.input, where),
        references=_references(row, fields.references, where),
        slices=tuple((name, _slice(_pick(row, name), name, where)) for name in fields.slices),
    )


def _own_id(row: Mapping[str, object], name: str, where: str) -> str:
    match _pick(row, name):
        case str(text) if text.strip():
            return _sound(text, name, where)
        case int(number) if not isinstance(number, bool):
            return _digits(number, name, where)
        case _Absent.ABSENT:
            raise ConfigError(f"the row has no id {_short(name)}", hint=_suggest([name], tuple(row)), where=where)
        case None | str():
            raise ConfigError(f"the id {_short(name)} is empty", hint="give every row an id, or none", where=where)
        case other:
            raise ConfigError(
                f"the id {_short(name)} holds {_kind(other)}", hint="an id is a text or a whole number", where=where
            )


def _references(row: Mapping[str, object], names: Sequence[str], where: str) -> tuple[str, ...]:
    texts: list[str] = []
    held = [(name, _pick(row, name)) for name in names]
    for name, value in held:
        if value is None or value is _Absent.ABSENT:
            continue
        for item in value if isinstance(value, list | tuple) else (value,):
            if isinstance(item, str):
                texts.append(_sound(item, name, where))
            elif isinstance(item, int) and not isinstance(item, bool):
                texts.append(_digits(item, name, where))
            else:
                raise ConfigError(
                    f"the reference {_short(name)} holds {_kind(item)}",
                    hint="a reference is a text or a list of texts; name one inside by its path: `answers.text`",
                    where=where,
                )
    if not texts:
        asked = " or ".join(_short(name) for name in names)
        absent = all(value is _Absent.ABSENT for _, value in held)
        raise ConfigError(
            f"the row has no reference {asked}" if absent else f"the reference {asked} is null or an empty list",
            hint=_suggest(names, tuple(row)) if absent else "give every row at least one reference",
            where=where,
        )
    return tuple(texts)


def _slice(value: object, name: str, where: str) -> str:
    match value:
        case None | _Absent.ABSENT | "":
            return NONE
        case str():
            return _sound(value, name, where)
        case bool() | float() | int():
            return json.dumps(_plain(value, name, where))
        case _:
            raise ConfigError(
                f"the field {_short(name)} to slice by holds {_kind(value)}",
                hint="a slice is a text, a number or a truth value",
                where=where,
            )


def _pick(row: Mapping[str, object], path: str) -> object:
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
            return _Absent.ABSENT
    return value


def _head(path: str, there: Sequence[str]) -> str:
    return path if path in there else path.split(".")[0]


def _is_index(step: str) -> bool:
    return step.isascii() and step.isdecimal() and len(step) <= 9  # noqa: PLR2004 - no list is longer


def _plain(value: object, name: str, where: str, depth: int = 1) -> Json:
    """Return *value* as JSON can carry it, or say what it cannot."""
    if depth > DEEPEST:
        raise ConfigError(f"the field {_short(name)} is nested deeper than {DEEPEST} levels", where=where)
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
            return {
                _sound(str(key), name, where): _plain(item, name, where, depth + 1) for key, item in value.items()
            }
        case list() | tuple():
            return [_plain(item, name, where, depth + 1) for item in value]
        case _:
            raise ConfigError(
                f"the field {_short(name)} holds {_kind(value)}", hint="write it as JSON can carry it", where=where
            )


def _sound(text: str, name: str, where: str) -> str:
    """Return *text* when a model can be asked it and a report can show it."""
    flaw = "a NUL character" if "\0" in text else ""
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        flaw = "a lone surrogate"
    if flaw:
        raise ConfigError(f"the field {_short(name)} holds {flaw}", hint="remove it from the data", where=where)
    return text


def _digits(number: int, name: str, where: str) -> str:
    """Return a whole number as text; Python refuses to show one of thousands of digits."""
    try:
        return str(number)
    except ValueError as error:
        raise ConfigError(f"the field {_short(name)} holds a number of too many digits", where=where) from error


def _is_blank(value: Json) -> bool:
    return value is None or (isinstance(value, str) and not value.strip()) or value in ([], {})


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


def _suggest(asked: Sequence[str], there: Sequence[str]) -> str:
    names = ", ".join(_short(name) for name in there[:_FIELDS_SHOWN])
    more = f" and {len(there) - _FIELDS_SHOWN} more" if len(there) > _FIELDS_SHOWN else ""
    close = [match for name in asked for match in get_close_matches(name, there, n=1)]
    meant = f"did you mean {_short(close[0])}? " if close else ""
    return f"{meant}the row's fields: {names}{more}" if there else "the row has no fields"


def _short(name: str) -> str:
    """Quote a name from a file: bounded, since a row may call its fields anything."""
    return f"`{name}`" if len(name) <= 60 else f"`{name[:59]}…`"  # noqa: PLR2004 - fits a line


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _some(items: Iterable[str]) -> str:
    """Join at most five, and say how many more there are."""
    listed = list(items)
    more = len(listed) - _SHOWN
    return ", ".join(listed[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
