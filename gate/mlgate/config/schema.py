"""The JSON Schema of mlgate.yaml, for editors; made from the sections, so that it cannot drift from them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from pydantic import JsonValue

from mlgate.config.sections.document import Document
from mlgate.config.sections.section import Section
from mlgate.core.latency import metrics as latency_metrics
from mlgate.core.metric import ERROR_RATE
from mlgate.metrics import registry

ADDRESS = "https://github.com/org/mlgate/raw/main/docs/reference/mlgate.schema.json"
"""Where editors fetch it: `# yaml-language-server: $schema=…` names it."""

Schema = dict[str, JsonValue]


def json_schema(further: Iterable[str] = ()) -> Schema:
    """Return the schema: every key and form, and the metrics by name; *further* are those of third parties here.

    What only the metrics know, their options and units, is not in it.
    """
    made = by_section()
    definitions = made["$defs"]
    assert isinstance(definitions, dict)
    known = (*registry.BUILT_IN, ERROR_RATE.name, *further)
    for name, names, more in (
        ("AccuracyCheck", known, ""),
        ("LatencyCheck", (*dict.fromkeys([*latency_metrics.names(), *known]),), f"^(?:{latency_metrics.QUANTILE})$"),
    ):
        definitions[name] = _with_metrics(definitions[name], names, more)
    plain = {_plain(name): _inside(one, _in_plain_words) for name, one in definitions.items()}
    return {**_changed_throughout(made, _in_plain_words), "title": "mlgate.yaml", "$defs": plain}


def by_section() -> Schema:
    """Return the schema with the sections' own names, for who writes about them."""
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


_LISTED = (
    "A metric of another package, or a name of your own, is listed under `metrics` as well: there any name is allowed."
)


def _with_metrics(check: JsonValue, names: Iterable[str], more: str) -> JsonValue:
    """Complete the metrics' names under `rules`, `slices` and `metrics`, and mark others where `metrics` lists none.

    *more*: the pattern of further names, which are too many to list.
    """
    assert isinstance(check, dict)
    known: list[JsonValue] = list(names)
    one_of: JsonValue = {"anyOf": [{"enum": known}, {"pattern": more}]} if more else {"enum": known}
    properties = check["properties"]
    assert isinstance(properties, dict)
    rules: Schema = {"propertyNames": one_of, "description": _LISTED}
    then: Schema = {"rules": rules}
    if "slices" in properties:
        then["slices"] = {"additionalProperties": rules}
    made = {key: _completing(key, one, known) for key, one in properties.items()}
    marked: JsonValue = {"if": {"not": {"required": ["metrics"]}}, "then": {"properties": then}}
    return {**check, "properties": made, "allOf": [marked]}


def _completing(key: str, value: JsonValue, names: list[JsonValue]) -> JsonValue:
    """Name the metrics wherever a mapping is keyed by them, or a list holds them, so that editors offer them."""

    def named(one: Schema) -> Schema:
        patterns = one.get("patternProperties")
        if isinstance(patterns, dict) and any(map(_is_metric, patterns.values())):
            return {**one, "properties": {str(name): next(iter(patterns.values())) for name in names}}
        if key == "metrics" and one.get("items") == {"type": "string"}:
            return {**one, "items": {"anyOf": [{"enum": names}, {"type": "string"}]}}
        return one

    return _inside(value, named) if key in ("rules", "slices", "metrics") else value


def _is_metric(value: JsonValue) -> bool:
    return isinstance(value, dict) and value.get("$ref") in ("#/$defs/RuleSection", "#/$defs/MetricOptions")


def _plain(name: str) -> str:
    """Return a section's name as people say it: `rule` for RuleSection, `file data` for FileData."""
    words = re.findall(r"[A-Z][a-z0-9]+", name.removesuffix("Section") or name)
    return "-".join(words).lower()


def _in_plain_words(value: Schema) -> Schema:
    """Take the names of Python's classes and fields away: editors show them to people."""
    title, reference = value.get("title"), value.get("$ref")
    if isinstance(title, str):
        value = {key: one for key, one in value.items() if key != "title"}
        if title in {section.__name__ for section in sections()}:
            value = {"title": _plain(title).replace("-", " "), **value}
    if isinstance(reference, str):
        value = {**value, "$ref": f"#/$defs/{_plain(reference.removeprefix('#/$defs/'))}"}
    return value


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
