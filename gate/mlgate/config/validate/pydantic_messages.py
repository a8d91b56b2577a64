"""Sentences for what pydantic finds wrong: what is written, what belongs there, and what to write."""

from __future__ import annotations

import math
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mlgate.config.sections.document import ORIGINS
from mlgate.config.sections.section import Section
from mlgate.config.sections.served import Served
from mlgate.config.validate.metric_choice import MISPLACED
from mlgate.config.validate.pydantic_locations import Spot, trace
from mlgate.config.validate.written_otherwise import elsewhere, instead, is_address, is_misplaced
from mlgate.config.yaml.fault import Complaint, describe, did_you_mean, dotted
from mlgate.config.yaml.position import Steps
from mlgate.config.yaml.scalar import meant_number

_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "mapping_type": "a mapping",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
_CHOICES = {"protocol": get_args(Served.model_fields["protocol"].annotation), "from": ORIGINS}
"""What a missing key may say, where an example would not do."""
_MOST_WHOLE = 1e15
_LIMITS = {
    "greater_than": ("gt", "must be more than"),
    "greater_than_equal": ("ge", "must be at least"),
    "less_than": ("lt", "must be less than"),
    "less_than_equal": ("le", "must be at most"),
}


def complaints(error: ValidationError) -> list[Complaint]:
    """Return one complaint an error. A missing key is left out when an unknown one is its misspelling."""
    details = error.errors(include_url=False)
    details = [one for one in details if not (one["type"] == "too_short" and one["input"])]  # its items are at fault
    misspelt = set(_misspelt(details))
    found = [
        _complaint(one) for one in details if not (one["type"] == "missing" and trace(one["loc"]).steps in misspelt)
    ]
    return [Complaint(one.steps[:4], *MISPLACED, at_key=True) if is_misplaced(one.steps) else one for one in found]


def _misspelt(details: Iterable[ErrorDetails]) -> Iterable[Steps]:
    for one in details:
        if one["type"] == "extra_forbidden":
            parent, key = trace(one["loc"][:-1]), str(one["loc"][-1])
            for near in get_close_matches(key[:64], keys(parent), n=1):
                yield (*parent.steps, near)
            if (right := elsewhere(one["loc"][:-1], key, one["input"])[0]) in keys(parent):
                yield (*parent.steps, right)


def keys(spot: Spot) -> list[str]:
    """Return the keys that the section at *spot* has."""
    return [field.alias or name for name, field in spot.section.model_fields.items()] if spot.section else []


def _complaint(error: ErrorDetails) -> Complaint:
    kind, spot, context = error["type"], trace(error["loc"]), error.get("ctx", {})
    match kind:
        case "mlgate":
            at: Steps = context["at"]
            return Complaint((*spot.steps, *at), context["says"], context["hint"], at_key=spot.at_key)
        case "extra_forbidden":
            return _unknown_key(error["loc"], error["input"])
        case "missing":
            says, hint = "is missing", _advice(error["loc"])
        case "literal_error":
            says, hint = _choice(spot, error["input"])
        case "too_short":
            says, hint = "is empty", "write at least one entry"
        case _ if kind in _LIMITS:
            name, words = _LIMITS[kind]
            says = f"{words} {context[name]:g}, but is {describe(error['input'])}"
            hint = _within(name, context[name], error["input"])
        case _ if kind in _WANTED:
            says, hint = _wrong_type(kind, spot, error["input"])
        case _:
            says, hint = "cannot be used", "see docs/reference/config.md for what belongs here"
    return Complaint(spot.steps, says, hint)


def _unknown_key(location: tuple[int | str, ...], value: object) -> Complaint:
    parent, key = trace(location[:-1]), str(location[-1])
    hint = did_you_mean(key, keys(parent), f"{dotted(parent.steps)} has")
    below, moved = elsewhere(location[:-1], key, value)
    if moved and (below or not hint.startswith("did you mean")):
        hint = f"{moved}; {dotted(parent.steps)} has: {', '.join(keys(parent))}"
    return Complaint((*parent.steps, key), "is unknown", hint, at_key=True)


def _advice(location: tuple[int | str, ...]) -> str:
    """Say what to write for a missing key: its first example, and the first sentence of its description."""
    parent, key = trace(location[:-1]), location[-1]
    if parent.section is None:
        return f"write `{key}:`"
    field = next(field for name, field in parent.section.model_fields.items() if (field.alias or name) == key)
    about = (field.description or "").split(". ")[0].rstrip(".")
    choices = _CHOICES.get(str(key), ())
    listed = f": {', '.join(choices[:-1])} or {choices[-1]}" if choices else ""
    return f"write `{key}:`, {about[:1].lower()}{about[1:]}{listed}"


def _within(name: str, limit: float, value: object) -> str:
    """Return what to write for a number that is beyond *limit*: the percentage as a share, else the limit itself."""
    percent = value / 100 if isinstance(value, int | float) else 0.0
    if name in ("le", "lt") and limit <= 1 < percent * 100 <= 100:  # noqa: PLR2004 - percent
        return f"write {percent:g}" if percent < limit or (name == "le" and percent == limit) else f"write {limit:g}"
    return {"ge": f"write {limit:g} or more", "le": f"write {limit:g} or less"}.get(
        name, f"write e.g. {_beside(name, limit):g}"
    )


def _beside(name: str, limit: float) -> float:
    """Return a number that is just within a limit that is excluded itself."""
    step = 0.1 if abs(limit) < 1 else 1.0
    return round(limit + step if name == "gt" else limit - step, 6)


def _choice(spot: Spot, value: object) -> tuple[str, str]:
    choices = [shown(choice) for choice in get_args(spot.kind)] if get_origin(spot.kind) is Literal else []
    says = f"must be one of {', '.join(choices)}, but is {describe(value)}"
    near = get_close_matches(value[:64], choices, n=1) if isinstance(value, str) else []
    return says, f"did you mean `{near[0]}`?" if near else f"write e.g. {choices[0]}" if choices else ""


def shown(choice: object) -> str:
    """Return a choice as it is written in the file."""
    return '""' if choice == "" else str(choice)


def _wrong_type(kind: str, spot: Spot, value: object) -> tuple[str, str]:
    wanted = _WANTED[kind]
    section: type[Section] | None = spot.section
    if section is not None:
        wanted = section.written_as
    if value is None:
        return "has no value", instead(spot, value) or f"write {wanted}"
    says = f"must be {wanted}, but is {'an address' if is_address(value) else describe(value)}"
    match kind, value:
        case (("int_type" | "float_type" | "int_parsing"), str()) if _is_number(value):
            plain = meant_number(value)
            return (
                says,
                f"write {plain or value.strip()}" if plain != value.strip() else f"write {plain} without quotes",
            )
        case ("bool_type", int() | float() | str()) | ("int_from_float" | "int_type", float()):
            return says, f"write {_nearest(kind, value)}"
        case "string_type", bool() | int() | float():
            return says, f'quote it: "{str(value).lower() if isinstance(value, bool) else value}"'
        case "tuple_type", str() | int() | float():
            return says, f"put it in brackets: [{value if len(str(value)) <= 40 else '…'}]"  # noqa: PLR2004 - fits a line
        case _:
            return says, instead(spot, value)


def _nearest(kind: str, value: object) -> str:
    """Return the whole number, or the truth value, that is meant by a value of another type."""
    if kind == "bool_type":
        return "true" if str(value).lower() in ("1", "true", "yes", "on") else "false"
    return f"{math.ceil(value)}" if isinstance(value, float) and abs(value) < _MOST_WHOLE else "a whole number"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return len(text) <= 40 and "_" not in text  # noqa: PLR2004 - fits a line
