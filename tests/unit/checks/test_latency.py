"""Which load carries out which block, and what is said when none can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from tests.support.law_load import LawLoad

from mlgate.adapters.executors.timed import TimedExecutor
from mlgate.checks.latency import LatencyKind
from mlgate.core.check import START, Check, Example, Json, Suite
from mlgate.core.evidence import NOT_ASKED, Gap, Row
from mlgate.core.latency.block import Arrival, LoadBlock
from mlgate.core.ports import Load, Standing

EXAMPLES = tuple(Example(str(i), f"input {i}") for i in range(4))
GRPC = (
    "gRPC can only be loaded in a closed loop"
    " (write load: {concurrency: …}, or ask over HTTP with protocol kserve-v2 for a rate)"
)


class _Started:
    """What both loops share, of a LawLoad."""

    def __init__(self) -> None:
        self._law = LawLoad()

    @property
    def facts(self) -> Mapping[str, str | float]:
        return self._law.facts

    def gone(self) -> str:
        return ""

    def close(self) -> None:
        """Nothing was started."""


class ClosedOnly(_Started):
    def press(self, examples: Sequence[Example], order: Sequence[int], concurrency: int, seconds: float) -> LoadBlock:
        return self._law.press(examples, order, concurrency, seconds)


class OpenOnly(_Started):
    def fire(self, examples: Sequence[Example], arrivals: Sequence[Arrival]) -> LoadBlock:
        return self._law.fire(examples, arrivals)


def observed(load: Load, mode: str) -> list[Row]:
    params: Mapping[str, Json] = {"mode": mode, "rate": 20.0, "concurrency": 2, "block_s": 1.0, "seed": 1, "looks": [3]}
    check = Check("speed", "latency", EXAMPLES, params=params, rounds=3, exclusive=True)
    kinds = {"latency": LatencyKind()}
    return list(TimedExecutor(kinds, lambda _: load, lambda *_: Standing.OPEN).observe(Suite.of([check])))


@pytest.mark.parametrize(("load", "mode"), [(ClosedOnly(), "closed"), (OpenOnly(), "open")])
def test_a_load_needs_no_more_than_the_loop_that_the_check_asks_for(load: Load, mode: str) -> None:
    assert not [row for row in observed(load, mode) if isinstance(row, Gap)]


@pytest.mark.parametrize(
    ("load", "mode", "why"),
    [
        (ClosedOnly(), "open", GRPC),
        (OpenOnly(), "closed", "this model cannot be loaded in a closed loop (write load: {rate: …})"),
    ],
)
def test_a_load_that_has_not_the_loop_leaves_gaps_that_say_so(load: Load, mode: str, why: str) -> None:
    start, *rounds = observed(load, mode)
    assert start.example == START
    assert rounds == [
        Gap("speed", "0001", why),
        *(Gap("speed", name, f"{NOT_ASKED}{why}") for name in ("0002", "0003")),
    ]
