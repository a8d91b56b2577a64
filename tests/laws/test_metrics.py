"""What holds for every metric, whatever the texts: hypotheses over all built-in scorers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import lcs_ind
from rouge_score.tokenizers import DefaultTokenizer
from tests.support.every_metric import REFERENCE_FREE, scorers

from mlgate.core.metric import Better
from mlgate.core.stats.jackknife import influence
from mlgate.metrics import lcs
from mlgate.metrics.words import words

ALL = scorers()
COMPARING = [scorer for scorer in ALL if scorer.metric.name not in REFERENCE_FREE]
"""Those that look at references."""
ROWWISE = [scorer for scorer in ALL if scorer.metric.name != "macro_f1"]
"""Whose rows depend on their own example only."""

TEXT = st.text(alphabet=st.one_of(st.sampled_from("ab c.\n\u212a\u6f22\u0e01\u00a0\r"), st.characters()), max_size=24)
REFERENCE = TEXT.map(lambda text: f"x{text}")
"""Never blank."""


@st.composite
def corpora(draw: st.DrawFn, most: int = 3) -> tuple[list[str], list[list[str]]]:
    references = draw(st.lists(st.lists(REFERENCE, min_size=1, max_size=most), min_size=1, max_size=6))
    answers = [draw(st.one_of(TEXT, st.sampled_from(several))) for several in references]
    return answers, references


def _top(scorer_unit: str) -> float:
    return 100.0 if scorer_unit == "points" else 1.0


@given(corpora())
def test_shards_of_any_cut_give_the_rows_of_the_whole(corpus: tuple[list[str], list[list[str]]]) -> None:
    answers, references = corpus
    for scorer in ROWWISE:
        whole = scorer.statistics(answers, references)
        apart = [scorer.statistics([a], [r]) for a, r in zip(answers, references, strict=True)]
        np.testing.assert_array_equal(whole, np.concatenate(apart))


@given(corpora(most=1))
def test_the_order_of_examples_does_not_change_their_rows(corpus: tuple[list[str], list[list[str]]]) -> None:
    answers, references = corpus
    turned = list(reversed(range(len(answers))))
    for scorer in ALL:
        forth = scorer.statistics(answers, references)
        back = scorer.statistics([answers[i] for i in turned], [references[i] for i in turned])
        np.testing.assert_array_equal(forth[turned], back)


@given(corpora(most=1))
def test_values_are_numbers_of_their_unit(corpus: tuple[list[str], list[list[str]]]) -> None:
    answers, references = corpus
    for scorer in ALL:
        rows = scorer.statistics(answers, references)
        value = float(scorer.value(rows.sum(0)))
        assert rows.dtype == np.float64
        assert rows.shape[0] == len(answers)
        assert value >= 0
        if scorer.metric.better is Better.HIGHER:
            assert value <= _top(scorer.metric.unit) + 1e-9


@given(corpora(most=1))
def test_right_answers_are_the_best_and_empty_ones_are_not_better(corpus: tuple[list[str], list[list[str]]]) -> None:
    _answers, references = corpus
    right = [several[0] for several in references]
    for scorer in ALL:
        best = float(scorer.value(scorer.statistics(right, references).sum(0)))
        empty = float(scorer.value(scorer.statistics([""] * len(right), references).sum(0)))
        assert best >= empty if scorer.metric.better is Better.HIGHER else best <= empty
        if scorer.metric.name in {"chrf", "exact_match", "accuracy", "macro_f1", "token_f1"}:
            assert best == pytest.approx(_top(scorer.metric.unit))
        if scorer.metric.better is Better.LOWER:
            assert best == 0


@given(corpora(most=1))
def test_values_over_leading_axes_are_the_values_one_by_one(corpus: tuple[list[str], list[list[str]]]) -> None:
    answers, references = corpus
    for scorer in ALL:
        rows = scorer.statistics(answers, references)
        many = scorer.value(np.stack([rows, rows + rows]))
        assert many.shape == (2, len(rows))
        alone = [[float(scorer.value(row)) for row in block] for block in (rows, rows + rows)]
        np.testing.assert_allclose(many, alone, rtol=1e-12)
        assert influence(rows, scorer.value).shape == (len(rows),)


@given(st.lists(TEXT, max_size=3), st.lists(st.lists(REFERENCE, max_size=2), max_size=3))
def test_what_does_not_pair_up_is_refused(answers: list[str], references: list[list[str]]) -> None:
    sound = len(answers) == len(references) and all(references)
    for scorer in [one for one in ROWWISE if one in COMPARING]:
        if sound:
            assert len(scorer.statistics(answers, references)) == len(answers)
        else:
            with pytest.raises(ValueError, match=r"answers, but|no reference"):
                scorer.statistics(answers, references)


@given(st.lists(st.integers(0, 3), max_size=40), st.lists(st.integers(0, 3), max_size=40))
def test_the_picked_subsequence_is_the_one_that_rouge_score_picks(reference: list[int], answer: list[int]) -> None:
    matches: dict[int, int] = {}
    for place, token in enumerate(reference):
        matches[token] = matches.get(token, 0) | 1 << place
    bits = lcs.picked(matches, len(reference), answer)
    assert [place for place in range(len(reference)) if bits >> place & 1] == lcs_ind(reference, answer)


@given(st.lists(st.integers(0, 5), max_size=80), st.lists(st.integers(0, 5), max_size=80))
def test_the_length_is_that_of_the_picked_subsequence(reference: Sequence[int], answer: Sequence[int]) -> None:
    assert lcs.length(reference, answer) == len(lcs_ind(reference, answer))


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_on_ascii_the_unicode_words_are_rouge_scores(text: str) -> None:
    assert words(text) == DefaultTokenizer().tokenize(text)


@given(st.text())
def test_words_are_never_blank_and_their_words_are_themselves(text: str) -> None:
    found = words(text)
    assert all(word.strip() for word in found)
    assert words(" ".join(found)) == found
