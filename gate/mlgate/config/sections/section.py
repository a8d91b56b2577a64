"""What all sections of the configuration have in common: strict, frozen, no unknown keys, no empty values."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from mlgate.config.yaml.fault import describe
from mlgate.config.yaml.position import Steps

COMPLAINT = "mlgate"
"""The error type of everything that this package itself finds wrong."""

T = TypeVar("T")

_SHORT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.+-]{0,39}")


class Section(BaseModel):
    """A mapping of the file with known keys. A key's docstring is its entry in the reference."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True
    )

    short: ClassVar[str] = ""
    """The key that a bare text stands for: `data: test.jsonl` is `data: {path: test.jsonl}`."""
    may_be_empty: ClassVar[bool] = False
    """Nothing at all may be written: `chrf:` in a mapping of metrics."""
    written_as: ClassVar[str] = "a mapping"
    """What a person must write here."""

    @model_validator(mode="before")
    @classmethod
    def _from_short(cls, value: object) -> object:
        if value is None and cls.may_be_empty:
            return {}
        return {cls.short: value} if cls.short and isinstance(value, str) else value


def complaint(says: str, hint: str = "", *, at: Steps = ()) -> PydanticCustomError:
    """Return what a validator raises: the end of a sentence that begins with the entry's name, and the next step.

    *at* is the way from the validated entry to the one that is meant.
    """
    return PydanticCustomError(COMPLAINT, "{says}", {"says": says, "hint": hint, "at": at})


def _present(value: object) -> object:
    if value is None:
        raise complaint("has no value", "write one, or delete the key")
    return value


Given = Annotated[T | None, BeforeValidator(_present)]
"""A key that may be left out, but not left empty: `min:` without a number must not switch a rule off."""


def _once(items: tuple[T, ...]) -> tuple[T, ...]:
    seen: set[T] = set()
    for index, item in enumerate(items):
        if item in seen:
            raise complaint("is listed twice", "delete one of them", at=(index,))
        seen.add(item)
    return items


Many = Annotated[tuple[T, ...], Field(strict=False, json_schema_extra={"uniqueItems": True}), AfterValidator(_once)]
"""A list without repetitions. (Strict pydantic wants a tuple for a tuple, and YAML has none.)"""


@dataclass(frozen=True, slots=True)
class OrOne:
    """A list of texts for which a text alone may be written, where there is one."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Make a list of a text before it is checked."""
        return core_schema.no_info_before_validator_function(
            lambda value: [value] if isinstance(value, str) else value, handler(source)
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Tell editors both forms."""
        many = handler(schema)
        return {"anyOf": [many["items"], many]}


@dataclass(frozen=True, slots=True)
class Written:
    """A text of a certain form."""

    pattern: str
    """For Python and for JSON Schema alike; the whole text must match."""
    says: str
    hint: str = ""
    meant: Callable[[str], str] = lambda _: ""
    """What is meant by a text of another form; empty for none."""

    def _check(self, text: str) -> str:
        if not re.fullmatch(self.pattern, text):
            meant = self.meant(text) if text else ""
            raise complaint("is empty" if not text else self.says, f"write {meant}" if meant else self.hint)
        return text

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check the text after pydantic found that it is one."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Tell editors the form."""
        return {**handler(schema), "pattern": f"^(?:{self.pattern})$"}


@dataclass(frozen=True, slots=True)
class NamesOrMapping:
    """A mapping for which a list of its keys may be written."""

    each: str
    """What one item is, for messages: `a metric's name`."""
    make: Callable[[str], object]
    """The value of a key that stands in a list."""

    def _normal(self, value: object) -> object:
        if isinstance(value, dict):
            return value
        _present(value)
        if not isinstance(value, list):
            name = value if isinstance(value, str) and _SHORT_NAME.fullmatch(value) else "name"
            says = f"must be a list or a mapping, but is {describe(value)}"
            raise complaint(says, f"write [{name}] or {{{name}: {{…}}}}")
        found: dict[str, object] = {}
        for index, item in enumerate(value):
            if not isinstance(item, str):
                raise complaint(f"must be {self.each}", "what belongs to a name goes into a mapping", at=(index,))
            if item in found:
                raise complaint("is listed twice", "delete one of them", at=(index,))
            found[item] = self.make(item)
        return found

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Turn a list into a mapping before it is checked."""
        return core_schema.no_info_before_validator_function(self._normal, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Tell editors both forms."""
        names: JsonSchemaValue = {"type": "array", "items": {"type": "string"}, "uniqueItems": True}
        return {"anyOf": [names, handler(schema)]}


Line = Annotated[str, Written(r"[^\x00-\x1f\x7f]{1,4096}", "must be one line of text")]
"""A name or a path: one line, not empty."""

FieldName = Annotated[str, Written(r"[^\x00-\x1f\x7f]{1,200}", "must be a field's name, or its path: answers.text")]
"""A field of a row."""

EnvName = Annotated[
    str, Written(r"[A-Za-z_][A-Za-z0-9_]*", "must be the name of an environment variable", "e.g. MODEL_TOKEN")
]
"""The name of an environment variable."""

MetricName = Annotated[
    str, Written(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}", "is no metric's name: letters, digits, _ . + -, at most 64")
]
"""What rules call a metric."""

Delimiter = Annotated[
    str, Written(r"""[^"\r\n]|tab""", "must be one character, or tab", 'e.g. delimiter: ";" or delimiter: tab')
]
"""What cuts the values of a line."""

Quoting = Literal["csv", "none"]
"""What quotes in delimited text mean."""
