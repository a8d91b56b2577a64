"""Observing under load: one check at a time, with the whole machine to itself, its baseline's model beside it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

from mlgate.core.check import Check, Suite
from mlgate.core.errors import GateError, Refused
from mlgate.core.evidence import Gap, Row
from mlgate.core.ports import Decided, Load, Timed


class TimedExecutor:
    """Starts what a timed check needs, and lets its kind put load on it."""

    def __init__(self, kinds: Timed, load: Callable[[Check], Load], decided: Decided) -> None:
        """*load* starts the model for one side of a check; it is closed when the check is done."""
        self._kinds = kinds
        self._load = load
        self._decided = decided

    def observe(self, suite: Suite) -> Iterator[Row]:
        """Yield the rows of every timed check in order. A model that does not start is a gap of all its rows."""
        for check in suite.checks:
            if check.rounds and not check.baseline_of:
                sides = [check, *(one for one in suite.checks if one.baseline_of == check.id and one.rounds)]
                yield from self._check(check, sides)

    def _check(self, check: Check, sides: Sequence[Check]) -> Iterator[Row]:
        with contextlib.ExitStack() as stack:
            loads: dict[str, Load] = {}
            for side in sides:
                try:
                    load = self._load(side)
                except Refused:
                    raise
                except GateError as error:
                    yield from _not_started(sides, side, str(error))
                    return
                stack.callback(load.close)
                loads[side.id] = load
            yield from self._kinds[check.kind].observe(check, loads, self._decided)


def _not_started(sides: Sequence[Check], failed: Check, why: str) -> Iterator[Row]:
    what = "the baseline's model" if failed.baseline_of else "the model"
    for side in sides:
        for name in side.rows:
            yield Gap(side.id, name, f"{what} did not start: {' '.join(why.split())}")
