"""Which examples depend on each other: what an interval must not count more than once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mlgate.core.check import Example, Json, digest_of
from mlgate.core.normal_form import normal


def groups_of(examples: Sequence[Example]) -> NDArray[np.intp] | None:
    """Return which group each example is of, counted from 0 in the order of appearance; None when each is its own."""
    names = _names(examples)
    known = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return None if len(known) == len(names) else np.array([known[name] for name in names], np.intp)


def with_copies_joined(examples: Sequence[Example]) -> tuple[tuple[Example, ...], int]:
    """Join what asks the same: examples without a group, and groups, whose inputs are equal. Return how many joined.

    A row that was copied, or a document under another name, tells nothing new. A sentence that two documents share
    does not join them.
    """
    asked: dict[str | int, set[str | int]] = {}
    names = _names(examples)
    for place, (name, example) in enumerate(zip(names, examples, strict=True)):
        asked.setdefault(name, set()).add(place if is_blank(example.input) else _same(example.input))
    first: dict[frozenset[str | int], str | int] = {}
    joined = {name: first.setdefault(frozenset(inputs), name) for name, inputs in asked.items()}
    several = {one for name, one in joined.items() if name != one}
    # A name that no field can hold: fields hold no NUL.
    shown = {name: name if isinstance(name, str) else f"\0{name}" for name in several}
    found = tuple(
        replace(example, group=shown.get(joined[name], example.group))
        for name, example in zip(names, examples, strict=True)
    )
    earlier: set[str | int] = set()
    copies = 0
    for name, example in zip(names, examples, strict=True):
        if joined[name] in several and not is_blank(example.input):
            asks = f"{joined[name]!s}\0{_same(example.input)}"
            copies += asks in earlier
            earlier.add(asks)
    return found, copies


def _names(examples: Sequence[Example]) -> list[str | int]:
    """Return each example's group; where it has none, its place."""
    return [example.group or place for place, example in enumerate(examples)]


def _same(value: Json) -> str:
    """Return what is equal for inputs that ask the same: blanks and Unicode's ways to write a letter do not count."""
    return " ".join(normal("NFC", value).split()) if isinstance(value, str) else digest_of(value)


def is_blank(value: Json) -> bool:
    """Return whether an input asks nothing: rows that ask nothing do not ask the same."""
    return value is None or (isinstance(value, str) and not value.strip()) or value in ([], {})


def counted(examples: int, groups: int | None) -> str:
    """Return how much was observed, for people: `1,000 examples in 100 groups`."""
    many = f"{examples:,} example" if examples == 1 else f"{examples:,} examples"
    return many if groups is None else f"{many} in {groups:,} {'group' if groups == 1 else 'groups'}"
