from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgate.metrics import labels
from mlgate.metrics.registry import build

LABELS = st.sampled_from(["cat", "dog", "fish", "bird"])


def value(name: str, answers: list[str], references: list[list[str]]) -> float:
    scorer = build(name)
    return float(scorer.value(scorer.statistics(answers, references).sum(0)))


def by_definition(answers: list[str], wanted: list[str]) -> float:
    """Per class 2PR/(P+R) with 0 for 0/0, as scikit-learn's f1_score over sorted(set(wanted)) with zero_division=0."""
    scores = []
    for label in sorted(set(wanted)):
        right = sum(a == w == label for a, w in zip(answers, wanted, strict=True))
        precision = right / max(1, answers.count(label))
        recall = right / wanted.count(label)
        scores.append(2 * precision * recall / (precision + recall) if right else 0.0)
    return sum(scores) / len(scores)


@given(st.lists(st.tuples(st.one_of(LABELS, st.just("other"), st.just("")), LABELS), min_size=1, max_size=30))
def test_macro_f1_is_the_mean_of_the_classes_f1(pairs: list[tuple[str, str]]) -> None:
    answers, wanted = [a for a, _ in pairs], [w for _, w in pairs]
    assert value("macro_f1", answers, [[w] for w in wanted]) == pytest.approx(by_definition(answers, wanted))


def test_scikit_learns_numbers() -> None:
    """f1_score(wanted, answers, labels=sorted(set(wanted)), average="macro", zero_division=0) of scikit-learn 1.9."""
    answers = ["a", "b", "b", "c", "z", "a"]
    wanted = ["a", "a", "b", "b", "c", "c"]
    assert value("macro_f1", answers, [[w] for w in wanted]) == pytest.approx(1 / 3)


def test_classes_that_leave_no_trace_in_the_sums_are_left_out() -> None:
    macro = build("macro_f1")
    rows = macro.statistics(["a", "b"], [["a"], ["b"]])
    assert float(macro.value(rows[0])) == 1
    assert np.isnan(float(macro.value(np.zeros(6))))


def test_labels_are_trimmed_and_nothing_else() -> None:
    assert value("accuracy", [" cat\n", "Cat"], [["cat"], ["cat"]]) == 0.5


def test_any_of_several_labels_is_accurate_and_macro_f1_wants_one() -> None:
    assert value("accuracy", ["b"], [["a", "b"]]) == 1
    with pytest.raises(ValueError, match="example 0 has 2 references"):
        value("macro_f1", ["b"], [["a", "b"]])
    assert "use accuracy" in build("macro_f1").unsuitable([["a", "b"]])


@pytest.mark.parametrize("name", ["accuracy", "macro_f1"])
def test_references_that_nearly_all_differ_are_texts(name: str) -> None:
    why = build(name).unsuitable([[f"text {i}"] for i in range(30)])
    assert why.startswith("30 of 30 references differ")
    assert "exact_match" in why
    assert not build(name).unsuitable([[f"label {i % 10}"] for i in range(30)])
    assert not build(name).unsuitable([[f"label {i}"] for i in range(20)])


def test_the_number_of_classes_is_in_the_signature() -> None:
    signature = build("macro_f1").signature([["a"], [" a"], ["b"]])
    assert signature == "MACRO-F1|nrefs:1|classes:2|case:mixed|norm:nfc|space:trim|version:mlgate2"


def test_too_many_classes_are_refused_before_memory_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "MOST_CELLS", 100)
    with pytest.raises(ValueError, match="are texts, not labels"):
        value("macro_f1", ["a"] * 10, [[f"text {i}"] for i in range(10)])
