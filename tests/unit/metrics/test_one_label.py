"""Precision, recall and F1 of one label."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgate.metrics.registry import build

LABELS = ["yes", "no", "maybe"]


def value(metric: str, answers: Sequence[str], wanted: Sequence[str], label: str = "yes") -> float:
    scorer = build(metric, {"label": label})
    return float(scorer.value(scorer.statistics(answers, [[one] for one in wanted]).sum(axis=0)))


def test_the_three_by_hand() -> None:
    answers, wanted = ["yes", "yes", "no", " yes "], ["yes", "no", "yes", "yes"]
    assert value("label_precision", answers, wanted) == pytest.approx(2 / 3)
    assert value("label_recall", answers, wanted) == pytest.approx(2 / 3)
    assert value("label_f1", answers, wanted) == pytest.approx(2 / 3)


@given(st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=30))
def test_scikit_learns_definition(pairs: list[tuple[str, str]]) -> None:
    answers, wanted = [one for one, _ in pairs], [other for _, other in pairs]
    right = sum(one == other == "yes" for one, other in pairs)
    given_, there = answers.count("yes"), wanted.count("yes")
    precision, recall = right / given_ if given_ else 0.0, right / there if there else 0.0
    both = precision + recall
    assert value("label_precision", answers, wanted) == pytest.approx(precision)
    assert value("label_recall", answers, wanted) == pytest.approx(recall)
    assert value("label_f1", answers, wanted) == pytest.approx(2 * precision * recall / both if both else 0.0)


def test_a_label_that_the_data_has_not_is_told_with_those_there_are() -> None:
    assert build("label_f1", {"label": "Yes"}).unsuitable([["yes"], ["no"]]) == (
        "no reference is the label `Yes`: there are `no`, `yes`"
    )
    assert "exactly one reference" in build("label_f1", {"label": "a"}).unsuitable([["a", "b"]])


@pytest.mark.parametrize("options", [{}, {"label": ""}, {"label": 1}, {"label": "a", "average": "macro"}])
def test_settings_that_name_no_label_are_told(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="label_recall"):
        build("label_recall", options)  # type: ignore[arg-type]
