"""A JSON document from outside, read strictly: what is not exactly as expected is an error that says where."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar, cast

from mlgate.core import strict_json
from mlgate.core.errors import EvidenceError

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"
T = TypeVar("T")

_SAFE = 1 << 53
"""No whole number below it is too great for a double."""
_WORDS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def number(value: float) -> float | str:
    """Return *value* as JSON can carry it: JSON has no NaN and no infinity, so they are the words nan, inf and -inf."""
    value = float(value)
    if math.isfinite(value):
        return value
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a JSON document, with the path that leads to it."""

    value: Value
    path: str

    @classmethod
    def of(cls, text: str, name: str) -> Node:
        """Read a document. Twin keys, NaN and numbers beyond a double are errors, as is nesting without end."""
        try:
            value = strict_json.loads(text)
        except (ValueError, RecursionError) as error:
            raise EvidenceError(f"not valid JSON: {error}", where=name) from error
        return cls(cast(Value, value), name)

    def wrong(self, expected: str) -> EvidenceError:
        """Return the error that this value is not what was expected."""
        return EvidenceError(f"expected {expected}", where=self.path)

    def fields(self, *names: str, sometimes: Collection[str] = ()) -> dict[str, Node]:
        """Return the object's members, which must be *names*, all of them, any of *sometimes*, and no other."""
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        if missing := [name for name in names if name not in self.value]:
            raise self.wrong(f"the key {missing[0]!r}")
        if unknown := [name for name in self.value if name not in (*names, *sometimes)]:
            raise self.wrong(f"no key {unknown[0][:40]!r}")
        there = [*names, *(name for name in sometimes if name in self.value)]
        return {name: Node(self.value[name], f"{self.path}.{name}") for name in there}

    def items(self) -> Iterator[Node]:
        """Yield the array's values."""
        for index, value in enumerate(self._values()):
            yield Node(value, f"{self.path}[{index}]")

    def each(self, read: Callable[[Node], T]) -> tuple[T, ...]:
        """Return the array's values, each read by *read*."""
        return tuple(read(item) for item in self.items())

    def texts(self) -> tuple[str, ...]:
        """Return the array's values, which must be strings; there may be millions."""
        return tuple(one if type(one) is str else self._at(index).text() for index, one in enumerate(self._values()))

    def counts(self) -> tuple[int, ...]:
        """Return the array's values, which must be whole numbers; there may be millions."""
        return tuple(one if type(one) is int else self._at(index).count() for index, one in enumerate(self._values()))

    def numbers(self) -> tuple[float, ...]:
        """Return the array's values, which must be numbers as `number` wrote them; there may be millions."""
        return tuple(
            float(one) if type(one) is float or (type(one) is int and abs(one) < _SAFE) else self._at(index).number()
            for index, one in enumerate(self._values())
        )

    def _values(self) -> list[Value]:
        if not isinstance(self.value, list):
            raise self.wrong("an array")
        return self.value

    def _at(self, index: int) -> Node:
        return Node(self._values()[index], f"{self.path}[{index}]")

    def maybe(self, read: Callable[[Node], T]) -> T | None:
        """Return None for null, else what *read* makes of the value."""
        return None if self.value is None else read(self)

    def text(self) -> str:
        """Return a string."""
        if not isinstance(self.value, str):
            raise self.wrong("a string")
        return self.value

    def flag(self) -> bool:
        """Return true or false."""
        if not isinstance(self.value, bool):
            raise self.wrong("true or false")
        return self.value

    def count(self) -> int:
        """Return a whole number."""
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            raise self.wrong("a whole number")
        return self.value

    def number(self) -> float:
        """Return a number, as `number` wrote it."""
        if isinstance(self.value, str) and self.value in _WORDS:
            return _WORDS[self.value]
        if not isinstance(self.value, int | float) or isinstance(self.value, bool):
            raise self.wrong("a number, or one of nan, inf and -inf")
        try:
            return float(self.value)
        except OverflowError as error:
            raise self.wrong("a number that a double can hold") from error

    def choice(self, known: Mapping[str, T]) -> T:
        """Return what the string stands for."""
        if not isinstance(self.value, str) or self.value not in known:
            raise self.wrong(f"one of {', '.join(known)}")
        return known[self.value]
