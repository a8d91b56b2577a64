from __future__ import annotations

import random
import time

import pytest

from mlgate.core.check import Json
from mlgate.metrics.registry import build
from mlgate.metrics.scorer import References

KINDS = ("rouge1", "rouge2", "rougeL", "rougeLsum")


def score(name: str, answers: list[str], references: References, **options: Json) -> float:
    rouge = build(name, options)
    return float(rouge.value(rouge.statistics(answers, references).sum(0)))


def test_lins_example_of_a_common_subsequence() -> None:
    """Lin 2004, section 3.1: "police killed the gunman" against two answers with the same words."""
    assert score("rougeL", ["police kill the gunman"], [["police killed the gunman"]]) == pytest.approx(3 / 4)
    assert score("rougeL", ["the gunman kill police"], [["police killed the gunman"]]) == pytest.approx(2 / 4)


def test_lins_example_of_a_union_of_subsequences() -> None:
    """Lin 2004, section 3.2: w1 w2 w3 w4 w5 against two sentences have w1 w2 w3 w5 in common: recall 4/5."""
    answer = "w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5"
    assert score("rougeLsum", [answer], [["w1 w2 w3 w4 w5"]], score="recall") == pytest.approx(4 / 5)


def test_the_mean_is_over_examples() -> None:
    assert score("rouge1", ["a b", "z"], [["a b"], ["a"]]) == pytest.approx(0.5)


def test_several_references_give_the_best_by_f_measure_even_for_recall() -> None:
    """`a b c` has F 3/4 and recall 3/5 with the first, F 2/4 and recall 1 with the second: the first is the best."""
    references = [["a b c d e", "a"]]
    assert score("rouge1", ["a b c"], references) == pytest.approx(3 / 4)
    assert score("rouge1", ["a b c"], references, score="recall") == pytest.approx(3 / 5)


@pytest.mark.parametrize("name", KINDS)
def test_identical_text_in_any_script_is_right_for_the_unicode_tokenizer(name: str) -> None:
    texts = [
        "Быстрая коричневая лиса",
        "السلام عليكم",
        "तेज़ भूरी लोमड़ी",
        "敏捷的棕色狐狸",
        "สุนัขจิ้งจอก",
        "ἀρχὴ ἥμισυ παντός",
    ]
    references = [[text] for text in texts]
    assert score(name, texts, references, tokenizer="unicode") == pytest.approx(1)
    assert score(name, texts, references) == 0


@pytest.mark.parametrize("name", KINDS)
def test_references_that_the_ascii_tokenizer_cannot_see_are_unsuitable(name: str) -> None:
    references = [["plain words here"], ["Привет, мир"]]
    assert f"use {name}: {{tokenizer: unicode}}" in build(name).unsuitable(references)
    assert not build(name, {"tokenizer": "unicode"}).unsuitable(references)
    assert not build(name).unsuitable([["plain"], ["..."], ["🙂"]])


def test_the_signature_names_every_setting() -> None:
    texts = [["a"]]
    assert build("rougeL").signature(texts) == "ROUGE-L|nrefs:1|tok:rouge_score|stem:no|score:f|version:0.1.2+mlgate1"
    other = build("rouge2", {"tokenizer": "unicode", "use_stemmer": True, "score": "recall"}).signature(texts)
    assert other.startswith("ROUGE-2|nrefs:1|tok:unicode-2-ucd")
    assert "|stem:nltk3." in other
    assert "|score:r|" in other


def test_the_stemmer_leaves_other_languages_alone() -> None:
    assert score("rouge1", ["jumping лисами"], [["jumps лиса"]], tokenizer="unicode", use_stemmer=True) == 0.5


@pytest.mark.parametrize("name", ["rougeL", "rougeLsum"])
@pytest.mark.parametrize("line", [1, 20, 4000])
def test_four_thousand_words_against_as_many_take_well_under_a_second(name: str, line: int) -> None:
    rng = random.Random(1)

    def text() -> str:
        words = [f"w{rng.randrange(300)}" for _ in range(4000)]
        return "\n".join(" ".join(words[i : i + line]) for i in range(0, 4000, line))

    rouge = build(name)
    rouge.statistics(["warm up"], [["warm up"]])
    answer, reference = text(), text()
    began = time.process_time()
    rouge.statistics([answer], [[reference]])
    assert time.process_time() - began < 0.8


def test_texts_too_long_to_align_are_refused_with_the_example() -> None:
    long = "w " * 40_000
    with pytest.raises(ValueError, match="example 1: answer and reference are too long"):
        build("rougeL").statistics(["a", long], [["a"], [long]])
    lines = "\n".join(f"w{i}" for i in range(8000))
    with pytest.raises(ValueError, match="example 0: answer and reference are too long"):
        build("rougeLsum").statistics([lines], [[lines]])
