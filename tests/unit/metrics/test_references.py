from __future__ import annotations

import pytest
from tests.support.every_metric import REFERENCE_FREE, built

from mlgate.metrics.references import how_many
from mlgate.metrics.registry import names
from mlgate.metrics.scripts import spaceless


@pytest.mark.parametrize("name", [name for name in names() if name not in REFERENCE_FREE])
@pytest.mark.parametrize(
    ("answers", "references", "why"),
    [
        (["a", "b"], [["a"]], "2 answers, but references for 1"),
        (["a"], [["a"], ["b"]], "1 answers, but references for 2"),
        (["a", "b"], [["a"], []], "example 1 has no reference"),
        (["a", None], [["a"], ["b"]], "answer 1 is missing, not text"),
        ([b"a"], [["a"]], "answer 0 is a bytes, not text"),
        ([1.0], [["a"]], "answer 0 is a float, not text"),
        (["a"], [[None]], "a reference of example 0 is missing"),
        (["a"], ["a"], "references of example 0 are one text"),
    ],
)
def test_every_metric_refuses_what_it_cannot_pair(
    name: str, answers: list[str], references: list[list[str]], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        built(name).statistics(answers, references)


@pytest.mark.parametrize("name", names())
def test_every_metric_says_in_one_line_what_it_thinks_of_odd_references(name: str) -> None:
    for references in ([["a b c d e f"]], [[""]], [["漢字"]], [["a"], ["b", "c"]], [["\ud83d"]], [["..."]]):
        why = built(name).unsuitable(references)
        assert "\n" not in why
        assert not why.endswith(".")


def test_the_number_of_references_is_a_number_or_var() -> None:
    assert how_many([["a"], ["b"]]) == "1"
    assert how_many([["a", "b"]]) == "2"
    assert how_many([["a", "b"], ["c"]]) == "var"


def test_a_few_foreign_words_are_not_most() -> None:
    assert not spaceless([["the word 漢字 means characters"]])
    assert spaceless([["漢字とかな ok"]])


def test_a_tenth_of_the_examples_is_a_part_of_the_data() -> None:
    assert str(spaceless([["a"]] * 9 + [["བོད་སྐད།"]])) == "1 of 10 references are in a script without spaces"
    assert not spaceless([["a"]] * 10 + [["漢字"]])
