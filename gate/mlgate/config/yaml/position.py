"""Where in a file something is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Steps: TypeAlias = tuple[str | int, ...]
"""The way to a value: `("checks", "summaries", "rules", "bleu", "min")`; a list's items by index, from 0."""


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in a text, as editors count: from 1, columns in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class EntryPosition:
    """Where one entry is written."""

    value: Mark
    key: Mark | None = None
    """None for a list's items and for the whole document."""
    nested: bool = False
    """The value is a mapping or a list."""

    @property
    def point(self) -> Mark:
        """Return what to point at: a number or text itself, but the name of a whole section."""
        return self.key if self.nested and self.key else self.value


@dataclass(frozen=True, slots=True)
class Positions:
    """Where every key and every value of one text is written."""

    name: str
    """The file, as the user gave it."""
    places: Mapping[Steps, EntryPosition]
    """A text in a list is also found by itself: `("metrics", "chrf")` is the item of `metrics: [chrf]`."""

    def mark(self, steps: Steps, *, key: bool = False) -> Mark:
        """Return the place of the entry at *steps*, or of the nearest section around it when it is not written."""
        for length in range(len(steps), -1, -1):
            place = self.places.get(steps[:length])
            if place is not None:
                return place.key if key and length == len(steps) and place.key else place.point
        return Mark(1, 1)

    def where(self, steps: Steps, *, key: bool = False) -> str:
        """Return `file:line:column` of the entry at *steps*."""
        return located(self.name, self.mark(steps, key=key))


def located(name: str, mark: Mark) -> str:
    """Return `file:line:column`, which terminals and editors turn into a link."""
    return f"{name}:{mark.line}:{mark.column}"
