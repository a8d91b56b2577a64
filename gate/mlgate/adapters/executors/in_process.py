"""Observing in this process, one example after the other: `--workers 0`, and answers that only need reading."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from mlgate.core.check import Suite
from mlgate.core.evidence import Row
from mlgate.core.ports import Asked, Model


class InProcessExecutor:
    """Asks the model from here. The model itself still runs elsewhere: its adapter sees to that."""

    def __init__(self, kinds: Asked, model: Callable[[], Model]) -> None:
        self._kinds = kinds
        self._model = model

    def observe(self, suite: Suite) -> Iterator[Row]:
        """Yield the rows of every check in order. The model is started when the first example needs it."""
        checks = [check for check in suite.checks if check.examples]
        if not checks:
            return
        with contextlib.closing(self._model()) as model:
            for check in checks:
                yield from self._kinds[check.kind].observe(check, check.examples, model)
