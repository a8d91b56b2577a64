"""The good answers of a row: texts, lists of texts, and lists that somebody wrote as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlgate.adapters.data import columns
from mlgate.adapters.data.field_values import kind, quoted, text_of
from mlgate.adapters.data.fields import Fields
from mlgate.adapters.data.list_text import list_items
from mlgate.core.errors import ConfigError
from mlgate.core.formats.field_path import Absent, pick

_SHOWN = 40


def references_of(row: Mapping[str, object], fields: Fields, where: str) -> tuple[str, ...]:
    """Return the row's references. An empty list is one empty reference: no answer is the right one (SQuAD 2)."""
    held = {name: pick(row, name) for name in fields.references}
    there = {name: value for name, value in held.items() if value is not None and value is not Absent.ABSENT}
    texts = tuple(text for name, value in there.items() for text in _texts(value, name, fields, where))
    if there:
        return texts or ("",)
    if not fields.needs_references:
        return ()
    asked = " or ".join(map(quoted, held))
    if any(value is None for value in held.values()):
        raise ConfigError(
            f"the reference {asked} is null",
            hint='give every row a reference; where no answer is right, write "" or []',
            where=where,
        )
    raise ConfigError(f"the row has no reference {asked}", hint=fields.line_for("references", row), where=where)


def is_list_text(text: str) -> bool:
    """Return whether a text looks like a list: most people who write one mean several references."""
    try:
        return list_items(text) is not None
    except ValueError:
        return True


def _texts(value: object, name: str, fields: Fields, where: str) -> Iterator[str]:
    if isinstance(value, str) and fields.split_lists is not False and is_list_text(value):
        value = _split(value, name, fields, where)
    for item in value if isinstance(value, list | tuple) else (value,):
        text = text_of(item, name, where)
        if text is None:
            raise _unusable(value, item, name, fields, where)
        yield text


def _split(text: str, name: str, fields: Fields, where: str) -> object:
    """Return the items of a list that is written as text, where that is meant; else the text."""
    shown = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
    if fields.split_lists:
        try:
            return list_items(text)
        except ValueError as error:
            raise ConfigError(
                f"the reference {quoted(name)} is a list, but {error}: {shown}",
                hint="numpy shows arrays so: write them by json.dumps(list(array)); "
                f"or, if it is one text, write `{fields.line.where(split_lists=False)}`",
                where=where,
            ) from error
    if fields.values_are_text:
        raise ConfigError(
            f"the reference {quoted(name)} looks like a list: {shown}",
            hint=f"write `{fields.line.where(split_lists=True)}` if each item is a reference, "
            f"`{fields.line.where(split_lists=False)}` if it is one text",
            where=where,
        )
    return text


def _unusable(value: object, item: object, name: str, fields: Fields, where: str) -> ConfigError:
    path = columns.inside(value, name)
    if path and path != name and isinstance(item, Mapping | list | tuple):
        others = [path if one == name else one for one in fields.references]
        hint = f"write `{fields.line.where(references=others)}`"
    elif item is None:
        hint = "take null out of the list"
    else:
        hint = "a reference is a text, a number, a truth value, or a list of them"
    return ConfigError(f"the reference {quoted(name)} holds {kind(item)}", hint=hint, where=where)
