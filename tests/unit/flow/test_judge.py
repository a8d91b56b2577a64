"""Judging reads the rows of each side once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest
from tests.laws.test_latency import ABSENT, KINDS, LIMIT, RISE, observed, old, speed
from tests.support.law_load import LawLoad

from mlgate.core.check import Bound, Check, Rule
from mlgate.core.evidence import Row
from mlgate.core.latency import rounds as latency_rounds
from mlgate.core.latency.rounds import LatencyRounds
from mlgate.flow.judge import judge

ERRORS = Rule("error_rate", Bound.MAX, 0.0)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Return how often the rounds of each check were read since."""
    found: Counter[str] = Counter()
    real = latency_rounds.read

    def counted(check: Check, rows: Mapping[str, Row]) -> LatencyRounds:
        found[check.id] += 1
        return real(check, rows)

    monkeypatch.setattr(latency_rounds, "read", counted)
    return found


def test_the_rounds_of_each_side_are_read_once_in_a_judgement(read: Counter[str]) -> None:
    suite, evidence = observed(speed(RISE, LIMIT, ERRORS), LawLoad(), old())
    read.clear()
    judge(suite, KINDS, evidence, ABSENT)
    assert read.total() == 2


def test_the_rounds_of_each_side_are_read_once_at_a_look(read: Counter[str]) -> None:
    observed(speed(RISE, rounds=40, looks=[20, 40]), LawLoad(slower=1.5), old())
    assert read.total() == 2
