from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgate.metrics import edits
from mlgate.metrics.registry import build

SMALL = st.lists(st.sampled_from(["a", "b", "c"]), max_size=8)


def rows(name: str, answer: str, *references: str) -> list[float]:
    return [float(number) for number in build(name).statistics([answer], [list(references)])[0]]


def levenshtein(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    """Wagner and Fischer's recursion, word for word."""

    @cache
    def cost(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        return min(cost(i - 1, j) + 1, cost(i, j - 1) + 1, cost(i - 1, j - 1) + (a[i - 1] != b[j - 1]))

    return cost(len(a), len(b))


@given(SMALL, SMALL)
def test_edits_are_levenshteins(answer: list[str], reference: list[str]) -> None:
    found = rows("wer", " ".join(answer), f"x {' '.join(reference)}")
    assert found == [levenshtein(tuple(answer), ("x", *reference)), 1 + len(reference)]


def test_the_corpus_rate_is_edits_over_length_and_not_a_mean_of_rates() -> None:
    wer = build("wer")
    found = wer.statistics(["a", "a b c d e f g h"], [["b"], ["a b c d e f g h"]])
    assert float(wer.value(found.sum(0))) == pytest.approx(1 / 9)


def test_the_rate_exceeds_one_when_more_is_said_than_was_asked() -> None:
    wer = build("wer")
    assert float(wer.value(wer.statistics(["a b c"], [["d"]]).sum(0))) == 3


def test_characters_are_compared_after_nfc_with_inner_spaces() -> None:
    assert rows("cer", " cafe\u0301 x ", "caf\u00e9 y") == [1, 6]


def test_case_counts_unless_it_is_folded() -> None:
    assert rows("wer", "A", "a") == [1, 1]
    assert build("wer", {"lowercase": True}).statistics(["A"], [["a"]]).tolist() == [[0, 1]]


def test_of_several_references_the_one_with_the_fewest_edits_and_then_the_longest_counts() -> None:
    assert rows("wer", "a b", "a b c d", "a") == [1, 1]
    assert rows("wer", "a b", "a", "a b c") == [1, 3]


def test_no_length_at_all_is_no_rate() -> None:
    assert np.isnan(float(build("wer").value(np.zeros(2))))
    with pytest.raises(ValueError, match="no reference has any text"):
        rows("wer", "", "")


def test_absurd_lengths_are_refused_with_the_example(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edits, "MOST_CELLS", 8)
    with pytest.raises(ValueError, match="example 0: 3 words against 3 are too many"):
        rows("wer", "a b c", "a b c")


def test_the_cap_is_a_few_seconds_of_work() -> None:
    assert rows("wer", "w " * 90_000, "v " * 90_000) == [90_000, 90_000]


def test_words_need_spaces_and_characters_do_not() -> None:
    thai = [["สุนัขจิ้งจอกสีน้ำตาล"]]
    assert "use cer" in build("wer").unsuitable(thai)
    assert not build("cer").unsuitable(thai)


def test_the_signature_names_every_setting() -> None:
    assert build("cer").signature([["a"]]) == "CER|nrefs:1|case:mixed|norm:nfc|unit:char|version:mlgate1"
