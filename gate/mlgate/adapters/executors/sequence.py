"""Observing in parts, one after the other: each check by who can observe it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from mlgate.core.check import Check, Suite
from mlgate.core.evidence import Row
from mlgate.core.ports import Executor


class SequenceExecutor:
    """Gives each part of a suite to its executor, and closes what they share at the end."""

    def __init__(
        self, parts: Sequence[tuple[Callable[[Check], bool], Executor]], close: Callable[[], object] = lambda: None
    ) -> None:
        self._parts = parts
        self._close = close

    def observe(self, suite: Suite) -> Iterator[Row]:
        """Yield the rows of each part in turn. A check belongs to the first part that takes it."""
        left = list(suite.checks)
        try:
            for takes, executor in self._parts:
                taken = tuple(check for check in left if takes(check))
                left = [check for check in left if check not in taken]
                if any(check.rows for check in taken):
                    yield from executor.observe(replace(suite, checks=taken))
        finally:
            self._close()
