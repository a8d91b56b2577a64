from __future__ import annotations

import re
import string
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgate.metrics.registry import build

WORDS = st.lists(st.sampled_from(["the", "The", "an", "cat", "cat's", "U.S.", "a", "sat.", "é", "—"]), max_size=8)


def f1(answer: str, *references: str, normalize: str = "squad") -> float:
    return float(build("token_f1", {"normalize": normalize}).statistics([answer], [list(references)])[0, 0])


def official(answer: str, reference: str) -> float:
    """SQuAD 2.0's evaluate script, compute_f1, written again from its text."""

    def tokens(text: str) -> list[str]:
        bare = "".join(c for c in text.lower() if c not in set(string.punctuation))
        return " ".join(re.sub(r"\b(a|an|the)\b", " ", bare).split()).split()

    gold, given_tokens = tokens(reference), tokens(answer)
    same = sum((Counter(gold) & Counter(given_tokens)).values())
    if not gold or not given_tokens:
        return float(gold == given_tokens)
    if same == 0:
        return 0.0
    precision, recall = same / len(given_tokens), same / len(gold)
    return 2 * precision * recall / (precision + recall)


@given(WORDS, WORDS)
def test_it_is_the_official_scripts_f1(answer: list[str], reference: list[str]) -> None:
    a, r = " ".join(answer), " ".join(reference)
    assert f1(a, r) == pytest.approx(official(a, r), abs=1e-12)


def test_articles_case_and_punctuation_do_not_count() -> None:
    assert f1("The cat, sat!", "a CAT sat") == 1
    assert f1("The cat, sat!", "a CAT sat", normalize="none") == 0


def test_half_of_the_words_by_hand() -> None:
    assert f1("red cat", "cat on mat") == pytest.approx(2 * (1 / 2) * (1 / 3) / (1 / 2 + 1 / 3))


def test_the_best_of_several_references_counts() -> None:
    assert f1("cat", "dog", "cat") == 1


def test_no_answer_agrees_only_with_no_answer() -> None:
    assert f1("", "") == 1
    assert f1("the", "") == 1
    assert f1("", "cat") == 0


def test_a_script_without_spaces_is_unsuitable() -> None:
    assert "tokenizer: unicode" in build("token_f1").unsuitable([["敏捷的棕色狐狸"]])
    assert not build("token_f1").unsuitable([["quick fox"]])
