"""A metric's options: known names and sound values, or a ValueError that says which there are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from mlgate.core.check import Json


class Options:
    """What a rule file wrote for one metric, read one option at a time.

    Every error is a ValueError whose text names the option, the value and what would be right.
    """

    def __init__(self, metric: str, given: Mapping[str, Json], known: Sequence[str] = ()) -> None:
        self._metric = metric
        self._given = given
        for name in given:
            if name not in known:
                raise ValueError(f"{metric} has no option {name!r}{_instead(name, known)}")

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a yes or no."""
        value = self._given.get(name, default)
        if not isinstance(value, bool):
            raise self._wrong(name, value, "true or false")
        return value

    def choice(self, name: str, choices: Sequence[str]) -> str:
        """Return one of *choices*; the first is the default."""
        value = self._given.get(name, choices[0])
        if not isinstance(value, str) or value not in choices:
            raise self._wrong(name, value, f"one of {', '.join(choices)}")
        return value

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """Return a whole number of *low* to *high*."""
        value = self._given.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self._wrong(name, value, f"a whole number from {low} to {high}")
        return value

    def positive(self, name: str) -> float | None:
        """Return a finite number above zero, or None when it is not given."""
        value = self._given.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise self._wrong(name, value, "a number above 0")
        return float(value)

    def _wrong(self, name: str, value: Json, right: str) -> ValueError:
        return ValueError(f"{self._metric}: {name} is {value!r}, but must be {right}")


def _instead(name: str, known: Sequence[str]) -> str:
    if not known:
        return ": it takes none"
    near = get_close_matches(name, known, n=1)
    meant = f", did you mean {near[0]}?" if near else ":"
    return f"{meant} there are {', '.join(known)}"
