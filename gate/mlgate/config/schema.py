"""The JSON Schema of mlgate.yaml, for editors; made from the sections, so that it cannot drift from them."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import JsonValue

from mlgate.config.sections.document import Document
from mlgate.config.sections.section import Section

ADDRESS = "https://github.com/org/mlgate/blob/main/docs/reference/mlgate.schema.json"

Schema = dict[str, JsonValue]


def json_schema() -> Schema:
    """Return the schema: every key and form. What only the metrics know, their options and units, is not in it."""
    made: Schema = Document.model_json_schema(by_alias=True)
    made = _with_pydantic_gaps_closed(made)
    definitions = made.pop("$defs")
    assert isinstance(definitions, dict)
    for section in sections():
        if section.__name__ in definitions:
            definitions[section.__name__] = _with_short_forms(section, definitions[section.__name__])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ADDRESS,
        **made,
        "title": "mlgate.yaml",
        "$defs": definitions,
    }


def sections() -> list[type[Section]]:
    """Return every section that there is, the document included."""
    found: list[type[Section]] = []
    left: list[type[Section]] = [Section]
    while left:
        some = left.pop(0).__subclasses__()
        found += some
        left += some
    return found


def _with_pydantic_gaps_closed(value: Schema) -> Schema:
    """Say what pydantic leaves open: null is never a value here, and keys that match no pattern are wrong."""
    return _changed_throughout(value, _change)


def _changed_throughout(value: Schema, change: Callable[[Schema], Schema]) -> Schema:
    return change({key: _inside(item, change) for key, item in value.items()})


def _inside(item: JsonValue, change: Callable[[Schema], Schema]) -> JsonValue:
    match item:
        case dict():
            return _changed_throughout(item, change)
        case list():
            return [_inside(one, change) for one in item]
        case _:
            return item


def _change(value: Schema) -> Schema:
    if "patternProperties" in value:
        value = {**value, "additionalProperties": False}
    if value.get("default", ...) is None:
        value = {key: item for key, item in value.items() if key != "default"}
    variants = value.get("anyOf")
    if isinstance(variants, list) and {"type": "null"} in variants:
        some = [one for one in variants if one != {"type": "null"}]
        rest = {key: item for key, item in value.items() if key != "anyOf"}
        only = some[0]
        return {**only, **rest} if len(some) == 1 and isinstance(only, dict) else {**rest, "anyOf": some}
    return value


def _with_short_forms(section: type[Section], made: JsonValue) -> JsonValue:
    """Add the text that may stand for the whole mapping, or nothing at all."""
    forms: list[JsonValue] = []
    if section.short:
        assert isinstance(made, dict)
        keys = made["properties"]
        assert isinstance(keys, dict)
        forms.append(keys[section.short])
    if section.may_be_empty:
        forms.append({"type": "null"})
    return {"anyOf": [*forms, made]} if forms else made
