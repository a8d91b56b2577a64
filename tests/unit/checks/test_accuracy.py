"""What makes an answer complete: a failure is tolerated only where an empty answer is wrong."""

from __future__ import annotations

import pytest

from mlgate.checks.accuracy import AccuracyKind
from mlgate.core.check import Bound, Check, Example, MetricChoice, Rule
from mlgate.core.evidence import Gap
from mlgate.core.ports import Reading

TOLERANT = Rule("error_rate", Bound.MAX, 0.5)


def holes(reference: str, *filters: str) -> bool:
    choices = (MetricChoice("exact_match", "exact_match", filters=filters), MetricChoice("error_rate", "error_rate"))
    check = Check("c", "accuracy", (Example("1", "x", (reference,)),), choices, (TOLERANT,))
    return bool(AccuracyKind().holes(check, Reading({"1": Gap("c", "1", "status 500", "model")})))


@pytest.mark.parametrize(("reference", "filters"), [("", ()), (" ", ()), ("?!", ("no_punctuation",))])
def test_a_failure_is_a_hole_where_an_empty_answer_would_be_right(reference: str, filters: tuple[str, ...]) -> None:
    assert holes(reference, *filters)


@pytest.mark.parametrize(("reference", "filters"), [("yes", ()), ("?!", ()), ("yes!", ("no_punctuation",))])
def test_a_failure_is_tolerated_where_an_empty_answer_is_wrong(reference: str, filters: tuple[str, ...]) -> None:
    assert not holes(reference, *filters)
