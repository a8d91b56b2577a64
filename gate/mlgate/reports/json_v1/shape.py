"""How the parts of a report stand in JSON: defined once, so that writer, reader and schema follow from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from operator import attrgetter
from typing import Any, Generic, TypeVar

from mlgate.reports.json_v1.node import Node, Value, number

T = TypeVar("T")
First = TypeVar("First")
Second = TypeVar("Second")


@dataclass(frozen=True, slots=True)
class Shape(Generic[T]):
    """One kind of value: what is written for it, what is read back, and what the schema says of it."""

    write: Callable[[T], Value]
    read: Callable[[Node], T]
    """Raises EvidenceError, with the path, for what `write` would not have written."""
    schema: dict[str, Value]
    read_many: Callable[[Node], tuple[T, ...]] | None = None
    """Reads an array of them; there may be millions. None: one by one."""


def _same(value: Any) -> Any:
    return value


TEXT: Shape[str] = Shape(_same, Node.text, {"type": "string"}, Node.texts)
COUNT: Shape[int] = Shape(_same, Node.count, {"type": "integer"}, Node.counts)
FLAG: Shape[bool] = Shape(_same, Node.flag, {"type": "boolean"})
NUMBER: Shape[float] = Shape(number, Node.number, {"$ref": "#/$defs/number"}, Node.numbers)
TEXT_OR_NULL: Shape[str | None] = Shape(_same, lambda node: node.maybe(Node.text), {"type": ["string", "null"]})


def constant(value: str | int, expected: str) -> Shape[Any]:
    """Return a shape that is always *value*; *expected* tells a reader of another one what belongs here."""

    def read(node: Node) -> str | int:
        if type(node.value) is not type(value) or node.value != value:
            raise node.wrong(expected)
        return value

    return Shape(lambda _: value, read, {"const": value})


def choice(words: Mapping[str, T]) -> Shape[T]:
    """Return the shape of what each of some *words* stands for."""
    of_value = {value: word for word, value in words.items()}
    return Shape(lambda value: of_value[value], lambda node: node.choice(words), {"enum": list(words)})


def array(of: Shape[T]) -> Shape[tuple[T, ...]]:
    """Return the shape of a tuple."""
    read = of.read_many or (lambda node: node.each(of.read))
    return Shape(lambda values: [of.write(one) for one in values], read, {"type": "array", "items": of.schema})


def optional(of: Shape[T]) -> Shape[T | None]:
    """Return the shape of a value that may be None, which is null."""
    schema: dict[str, Value] = {"anyOf": [of.schema, {"type": "null"}]}
    return Shape(lambda value: None if value is None else of.write(value), lambda node: node.maybe(of.read), schema)


class Role(Enum):
    """What a member of an object is to its reader."""

    GIVEN = "given"
    """The object is made of it."""
    FOLLOWS = "follows"
    """It follows from the others. A file in which it contradicts them is refused."""
    WORDING = "wording"
    """It follows from the others, and a later version may word it better."""


_ALWAYS = object()


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an object: its key in JSON, its shape, and where the value has it."""

    key: str
    shape: Shape[Any]
    description: str = ""
    at: str | None = None
    """The attribute, dotted where it is a part's (`rule.metric`). None: called as the key. Empty: the value itself."""
    role: Role = Role.GIVEN
    without: object = _ALWAYS
    """The value for which the key is left out, which must be the attribute's default."""
    get: Callable[[Any], Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Find the value once, for there may be many to write."""
        path = self.key if self.at is None else self.at
        object.__setattr__(self, "at", path)
        object.__setattr__(self, "get", attrgetter(path) if path else _same)

    @property
    def schema(self) -> Value:
        """Return what the schema says of it."""
        return {**self.shape.schema, "description": self.description} if self.description else self.shape.schema

    @property
    def is_always_there(self) -> bool:
        """Whether no value is written without it."""
        return self.without is _ALWAYS


@dataclass(frozen=True, slots=True)
class Definition(Generic[T]):
    """An object: the class that it is read into, its members, and the classes of the parts that are written flat."""

    made: Callable[..., T]
    description: str
    members: tuple[Member, ...]
    parts: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    """By attribute: what members with dotted attributes are first put together to."""
    complaint: Callable[[T], tuple[str, str] | None] = lambda _: None
    """What is wrong with a value as a whole: the key, and what was expected there."""

    @property
    def schema(self) -> dict[str, Value]:
        """Return an object that has these keys, all of them but those that may be left out, and no other."""
        return {
            "type": "object",
            "description": self.description,
            "properties": {member.key: member.schema for member in self.members},
            "required": [member.key for member in self.members if member.is_always_there],
            "additionalProperties": False,
        }

    def write(self, value: T) -> dict[str, Value]:
        """Return the object."""
        written: dict[str, Value] = {}
        for member in self.members:
            seen = member.get(value)
            if member.is_always_there or seen != member.without:
                written[member.key] = member.shape.write(seen)
        return written

    def read(self, node: Node) -> T:
        """Return the value whose object this is. Raises EvidenceError."""
        always = (member.key for member in self.members if member.is_always_there)
        nodes = node.fields(*always, sometimes=[one.key for one in self.members if not one.is_always_there])
        whole: dict[str, Any] = {}
        parts: dict[str, dict[str, Any]] = {name: {} for name in self.parts}
        for member in self.members:
            if member.key in nodes:
                value = member.shape.read(nodes[member.key])
                part, _, name = str(member.at).rpartition(".")
                if member.role is Role.GIVEN:
                    (parts[part] if part else whole)[name] = value
        made = self.made(**whole, **{name: self.parts[name](**given) for name, given in parts.items()})
        self._hold(made, nodes)
        return made

    def _hold(self, made: T, nodes: Mapping[str, Node]) -> None:
        if wrong := self.complaint(made):
            raise nodes[wrong[0]].wrong(wrong[1])
        for member in self.members:
            said = nodes[member.key].value if member.key in nodes else None
            if member.role is Role.FOLLOWS and said != member.shape.write(member.get(made)):
                raise nodes[member.key].wrong(f"what follows from the rest of it, not {str(said)[:40]}")

    def named(self, name: str) -> Shape[T]:
        """Return the shape of one that stands under *name* in the schema's definitions."""
        return Shape(self.write, self.read, {"$ref": f"#/$defs/{name}"})

    @property
    def inline(self) -> Shape[T]:
        """Return the shape of one that the schema describes where it stands."""
        return Shape(self.write, self.read, self.schema)


def pair(
    description: str, first: tuple[str, Shape[First], str], second: tuple[str, Shape[Second], str]
) -> Shape[tuple[First, Second]]:
    """Return the shape of a tuple of two, written as an object; each is a key, a shape and a description."""
    of = Definition(lambda **given: (given[first[0]], given[second[0]]), description, (Member(*first), Member(*second)))

    def write(value: tuple[First, Second]) -> Value:
        return {first[0]: first[1].write(value[0]), second[0]: second[1].write(value[1])}

    return Shape(write, of.read, of.schema)


def document_schema(
    identity: str, title: str, of: Definition[Any], defined: Mapping[str, Definition[Any]], outcome: dict[str, Value]
) -> dict[str, Value]:
    """Return the JSON Schema of a whole document, with all that it names: *defined*, numbers and outcomes."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": identity,
        "title": title,
        **of.schema,
        "$defs": {
            "number": {
                "anyOf": [{"type": "number"}, {"enum": ["nan", "inf", "-inf"]}],
                "description": "JSON has no NaN and no infinity; they are words.",
            },
            "outcome": outcome,
            **{name: definition.schema for name, definition in defined.items()},
        },
    }
