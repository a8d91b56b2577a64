from __future__ import annotations

import math

import pytest

from mlgate.core.check import Json
from mlgate.metrics.registry import build, names


@pytest.mark.parametrize("name", names())
def test_an_unknown_option_is_refused_with_the_options_there_are(name: str) -> None:
    with pytest.raises(ValueError, match=r"has no option 'sped'.*(there are|takes none)"):
        build(name, {"sped": 1})


def test_a_misspelt_option_is_suggested() -> None:
    with pytest.raises(ValueError, match=r"did you mean tokenize\? there are tokenize, lowercase"):
        build("bleu", {"tokenise": "zh"})


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("bleu", "lowercase", "yes"),
        ("bleu", "lowercase", 1),
        ("bleu", "tokenize", "14a"),
        ("bleu", "tokenize", ["13a"]),
        ("bleu", "smooth_method", None),
        ("bleu", "max_ngram_order", True),
        ("bleu", "max_ngram_order", 0),
        ("bleu", "max_ngram_order", 4.0),
        ("chrf", "beta", -1),
        ("chrf++", "word_order", "2"),
        ("ter", "normalized", 0),
        ("rouge1", "tokenizer", "ascii"),
        ("rougeL", "score", "f"),
        ("exact_match", "whitespace", "no"),
        ("token_f1", "normalize", True),
        ("wer", "lowercase", "true"),
    ],
)
def test_a_wrong_value_is_refused_with_what_would_be_right(name: str, option: str, value: Json) -> None:
    with pytest.raises(ValueError, match=f"{option} is .* but must be"):
        build(name, {option: value})


@pytest.mark.parametrize("value", [0, -0.1, math.nan, math.inf, "0.1", True])
def test_a_smoothing_value_is_a_finite_number_above_zero(value: Json) -> None:
    with pytest.raises(ValueError, match=r"smooth_value is .* but must be a number above 0"):
        build("bleu", {"smooth_method": "floor", "smooth_value": value})


def test_a_smoothing_value_without_its_method_is_refused() -> None:
    with pytest.raises(ValueError, match="goes with smooth_method floor or add-k, not with exp"):
        build("bleu", {"smooth_value": 0.1})
