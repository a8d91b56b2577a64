"""The parts that the JSON Schema of a report is put together from."""

from __future__ import annotations

from collections.abc import Collection

from mlgate.reports.json_v1.strict_json import Value

TEXT: dict[str, Value] = {"type": "string"}
COUNT: dict[str, Value] = {"type": "integer"}
FLAG: dict[str, Value] = {"type": "boolean"}
NUMBER: dict[str, Value] = {"$ref": "#/$defs/number"}


def record(description: str, *, sometimes: Collection[str] = (), **properties: Value) -> dict[str, Value]:
    """Return an object that has these keys, all of them but those of *sometimes*, and no other."""
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": [name for name in properties if name not in sometimes],
        "additionalProperties": False,
    }


def array(name: str) -> dict[str, Value]:
    """Return a list of one of the schema's own definitions."""
    return {"type": "array", "items": {"$ref": f"#/$defs/{name}"}}


def optional(name: str) -> dict[str, Value]:
    """Return one of the schema's own definitions, or null."""
    return {"anyOf": [{"$ref": f"#/$defs/{name}"}, {"type": "null"}]}


def told(kind: dict[str, Value], description: str) -> Value:
    """Return *kind* with a description."""
    return {**kind, "description": description}
