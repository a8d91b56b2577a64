"""GitHub's own OpenAPI description of its REST API, and what a request or a response has against it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jsonschema import Draft4Validator
from jsonschema.validators import extend
from referencing import Registry, Specification

FILE = Path(__file__).parents[2] / ".cache/openapi/api.github.com-23.0.2.json"
_ROOT = "urn:github"


@cache
def document() -> Any:
    return json.loads(FILE.read_bytes())


@cache
def _registry() -> Registry[Any]:
    empty: Registry[Any] = Registry()
    full: Registry[Any] = empty.with_resource(_ROOT, Specification.OPAQUE.create_resource(document()))
    return full


def _nullable(check: Any) -> Any:
    """OpenAPI 3.0 says `nullable` where JSON Schema has a type: null passes, whatever else the schema asks for."""

    def checked(validator: Any, value: Any, instance: Any, schema: Mapping[str, Any]) -> Any:
        if instance is None and schema.get("nullable") is True:
            return ()
        return check(validator, value, instance, schema) or ()

    return checked


_CHECKS = {name: _nullable(check) for name, check in Draft4Validator.VALIDATORS.items()}
_VALIDATOR: Any = extend(Draft4Validator, _CHECKS)  # type: ignore[no-untyped-call]
"""OpenAPI 3.0's schemas are JSON Schema's of draft 4, but for `nullable`."""


def pointer(*steps: str) -> str:
    return "#/" + "/".join(quote(step.replace("~", "~0").replace("/", "~1"), safe="~") for step in steps)


def at(steps: tuple[str, ...]) -> Any:
    value = document()
    for step in steps:
        value = followed(value)[step]
    return followed(value)


def followed(value: Any) -> Any:
    """Follow a reference, lazily: the whole description with all of them resolved has 73 MB."""
    while isinstance(value, dict) and "$ref" in value:
        value = at(tuple(value["$ref"].removeprefix("#/").split("/")))
    return value


def complaints(instance: Any, reference: str) -> list[str]:
    """What the schema at a reference has against a value."""
    validator = _VALIDATOR({"$ref": f"{_ROOT}{reference}"}, registry=_registry())
    return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(instance)]


def operation(method: str, path: str) -> tuple[str, dict[str, str]] | None:
    """The template that a path is of, and the parameters in it; the one with the fewest parameters if several fit."""
    fits: list[tuple[str, dict[str, str]]] = []
    for template, methods in document()["paths"].items():
        if method.lower() in methods and (found := _pattern(template).fullmatch(path)):
            fits.append((template, found.groupdict()))
    return min(fits, key=lambda fit: len(fit[1]), default=None)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    return re.compile("".join(f"(?P<{p}>[^/]+)" if i % 2 else re.escape(p) for i, p in enumerate(parts)))


def request_complaints(method: str, template: str, inside: Mapping[str, str], query: Any, body: Any) -> Iterator[str]:
    """What is wrong with a request: stricter than GitHub, which ignores what it does not know."""
    steps = ("paths", template, method.lower())
    known = {}
    for index, written in enumerate(at((*steps, "parameters"))):
        parameter = followed(written)
        known[parameter["in"], parameter["name"]] = parameter
        value = inside.get(parameter["name"]) if parameter["in"] == "path" else dict(query).get(parameter["name"])
        if value is None:
            if parameter.get("required"):
                yield f"{parameter['name']} is missing"
            continue
        typed = int(value) if parameter["schema"].get("type") == "integer" and value.isdecimal() else value
        reference = written.get("$ref", pointer(*steps, "parameters")) + ("" if "$ref" in written else f"/{index}")
        yield from (f"{parameter['name']}: {told}" for told in complaints(typed, f"{reference}/schema"))
    yield from (f"the query has {name}, which is unknown" for name, _ in query if ("query", name) not in known)
    yield from _body_complaints(steps, body)


def _body_complaints(steps: tuple[str, ...], body: Any) -> Iterator[str]:
    described = at(steps).get("requestBody")
    if described is None:
        if body is not None:
            yield "there is a body, where none is described"
        return
    schema = (*steps, "requestBody", "content", "application/json", "schema")
    yield from complaints(body, pointer(*schema))
    if isinstance(body, dict):
        unknown = body.keys() - followed(at(schema))["properties"].keys()
        yield from (f"the body has {name}, which is unknown" for name in sorted(unknown))


def response_complaints(method: str, template: str, status: int, body: Any) -> Iterator[str]:
    """What is wrong with a response; an error that is not described for it is held against GitHub's usual form."""
    responses = at(("paths", template, method.lower(), "responses"))
    if str(status) in responses:
        content = followed(responses[str(status)]).get("content")
        if content is None:
            return
        written = responses[str(status)]
        start = written.get("$ref") or pointer("paths", template, method.lower(), "responses", str(status))
        yield from complaints(body, f"{start}/content/application~1json/schema")
    elif status in (401, 403, 404, 422, 429) or status >= 500:
        form = "validation-error" if status == 422 else "basic-error"
        yield from complaints(body, pointer("components", "schemas", form))
    else:
        yield f"{status} is not described for {method} {template}"


def sample(schema: Any) -> Any:
    """The least value that a schema allows: what it requires, made of its own examples."""
    schema = followed(schema)
    if schema.get("nullable"):
        return None
    for key in ("allOf", "oneOf", "anyOf"):
        if key in schema and "properties" not in schema:
            values = [sample(part) for part in (schema[key] if key == "allOf" else schema[key][:1])]
            return values[0] if len(values) == 1 else {k: v for value in values for k, v in value.items()}
    if "enum" in schema:
        return schema["enum"][0]
    return _SAMPLES.get(schema.get("type", "object"), _object)(schema)


def _object(schema: Any) -> Any:
    return {name: sample(schema["properties"][name]) for name in schema.get("required", ())}


def _string(schema: Any) -> Any:
    forms = {"date-time": "2026-01-02T03:04:05Z", "uri": "https://api.github.com/", "date": "2026-01-02"}
    return forms.get(schema.get("format", ""), str(schema.get("example", "text")))


_SAMPLES: dict[str, Callable[[Any], Any]] = {
    "object": _object,
    "string": _string,
    "array": lambda _: [],
    "integer": lambda _: 1,
    "number": lambda _: 1,
    "boolean": lambda _: False,
}


def made(name: str, /, **fields: Any) -> Any:
    """A value of the schema *name* with these fields, and samples for what else it requires."""
    return {**sample(at(("components", "schemas", name))), **fields}
