"""A change is one between like and like."""

from __future__ import annotations

from dataclasses import replace

from mlgate.core.metric import Better, Metric
from mlgate.core.verdict import Measurement
from mlgate.reports.content.numbers import NO_NUMBER, Figures

AFTER = Measurement("c", "chrf", Metric("chrf", "points", Better.HIGHER), 84.0, 60, 80.0, 88.0, "chrF2")
BEFORE = replace(AFTER, value=83.0)


def test_values_of_the_same_examples_have_a_change() -> None:
    assert Figures(AFTER, BEFORE, None, ()).change == "+1.00"


def test_values_of_other_examples_have_none_where_nothing_was_compared_on_the_common_ones() -> None:
    grown = Figures(replace(AFTER, n=68), BEFORE, None, ())
    assert grown.baseline == "83.00"
    assert grown.change == NO_NUMBER
