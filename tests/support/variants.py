"""Many variants of one question: `make test` asks all, .ci/run a few: MLGATE_TEST_WIDE=no leaves the others out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

WIDE = pytest.mark.wide


def variants(values: Iterable[Any], few: int) -> list[Any]:
    """Return all values as parameters, a tuple as several; *few*, spread evenly from end to end, are always asked."""
    every = [value if isinstance(value, tuple) else (value,) for value in values]
    last = len(every) - 1
    always = {round(index * last / max(1, few - 1)) for index in range(few)}
    return [pytest.param(*value, marks=() if index in always else WIDE) for index, value in enumerate(every)]
