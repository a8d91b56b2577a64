"""Which examples depend on each other: what an interval must not count more than once."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mlgate.core.check import Example, Json, digest_of
from mlgate.core.text.normal_form import normal

_MOST_HOLDERS = 100
"""An input that more groups have is a common phrase, and tells nothing of which are copies."""


def groups_of(examples: Sequence[Example]) -> NDArray[np.intp] | None:
    """Return which group each example is of, counted from 0 in the order of appearance; None when each is its own."""
    names = _names(examples)
    known = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return None if len(known) == len(names) else np.array([known[name] for name in names], np.intp)


def with_copies_joined(examples: Sequence[Example]) -> tuple[tuple[Example, ...], int]:
    """Join what asks the same, and return how many examples ask what an earlier one of their group asks.

    Joined are examples without a group whose inputs are equal, groups that share more than half of the larger one's
    inputs, and an example without a group whose input one group alone has. A row that was copied, or a document under
    another name, tells nothing new. A sentence that two documents share does not join them.
    """
    names = _names(examples)
    asked: dict[_Name, set[str]] = {}
    for place, (name, example) in enumerate(zip(names, examples, strict=True)):
        text = f"\0{place}" if is_blank(example.input) else _same(example.input)
        asked.setdefault(name, set()).add(text)
    joined = _group_names(asked)
    several = {one for name, one in joined.items() if name != one}
    # A name that no field can hold: fields hold no NUL.
    shown = {name: name if isinstance(name, str) else f"\0{name}" for name in several}
    found = tuple(
        replace(example, group=shown.get(joined[name], example.group))
        for name, example in zip(names, examples, strict=True)
    )
    return found, _copies(examples, [joined[name] if joined[name] in several else None for name in names])


_Name: TypeAlias = "str | int"


class _Joined:
    """Which groups are one, by the first name of each (union-find)."""

    def __init__(self, names: Iterable[_Name]) -> None:
        self._lead = {name: name for name in names}

    def lead(self, name: _Name) -> _Name:
        while self._lead[name] != name:
            self._lead[name] = self._lead[self._lead[name]]
            name = self._lead[name]
        return name

    def join(self, one: _Name, other: _Name) -> None:
        self._lead[self.lead(other)] = self.lead(one)


def _group_names(asked: Mapping[_Name, set[str]]) -> Mapping[_Name, _Name]:
    """Return by which name each group goes, given what each asks: the first of those that are joined."""
    joined, first = _Joined(asked), dict[frozenset[str], _Name]()
    for name, texts in asked.items():
        joined.join(first.setdefault(frozenset(texts), name), name)
    holders: dict[str, list[_Name]] = {}
    for name in first.values():
        for text in asked[name]:
            holders.setdefault(text, []).append(name)
    for one, other in _overlapping(asked, holders.values()):
        joined.join(one, other)
    for names in holders.values():
        groups = {joined.lead(name) for name in names if isinstance(name, str)}
        if len(groups) == 1:  # what one group alone asks is of it, also where it stands by itself
            group = groups.pop()
            for name in names:
                joined.join(group, name)
    return {name: joined.lead(name) for name in asked}


def _overlapping(asked: Mapping[_Name, set[str]], holders: Iterable[Sequence[_Name]]) -> Iterator[tuple[_Name, _Name]]:
    """Yield the declared groups that share more than half of the larger one's inputs."""
    shared: Counter[tuple[_Name, _Name]] = Counter()
    for names in holders:
        named = [name for name in names if isinstance(name, str)]
        if len(named) <= _MOST_HOLDERS:
            shared.update(combinations(named, 2))
    for (one, other), count in shared.items():
        if count > max(len(asked[one]), len(asked[other])) / 2:
            yield one, other


def _copies(examples: Sequence[Example], joined: Sequence[_Name | None]) -> int:
    earlier: set[tuple[_Name, str]] = set()
    copies = 0
    for name, example in zip(joined, examples, strict=True):
        if name is not None and not is_blank(example.input):
            asks = name, _same(example.input)
            copies += asks in earlier
            earlier.add(asks)
    return copies


def _names(examples: Sequence[Example]) -> list[_Name]:
    """Return each example's group; where it has none, its place."""
    return [example.group or place for place, example in enumerate(examples)]


def _same(value: Json) -> str:
    """Return what is equal for inputs that ask the same: case, blanks and ways to write a letter do not count."""
    if not isinstance(value, str):
        return digest_of(value)
    folded = normal("NFKC", value).casefold()
    return " ".join("".join(char for char in folded if unicodedata.category(char) != "Cf").split())


def is_blank(value: Json) -> bool:
    """Return whether an input asks nothing: rows that ask nothing do not ask the same."""
    return value is None or (isinstance(value, str) and not value.strip()) or value in ([], {})


def counted(examples: int, groups: int | None) -> str:
    """Return how much was observed, for people: `1,000 examples in 100 groups`."""
    many = f"{examples:,} example" if examples == 1 else f"{examples:,} examples"
    return many if groups is None else f"{many} in {groups:,} {'group' if groups == 1 else 'groups'}"
