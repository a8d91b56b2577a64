from __future__ import annotations

import tracemalloc
from importlib.util import find_spec

import pytest

from mlgate.core.check import Json
from mlgate.metrics import sacrebleu_rows
from mlgate.metrics.registry import build

ENGLISH = [["the quick brown fox jumps over the lazy dog"]] * 4


def score(answers: list[str], references: list[list[str]], **options: Json) -> float:
    bleu = build("bleu", options)
    return float(bleu.value(bleu.statistics(answers, references).sum(0)))


def test_papinenis_example_of_a_clipped_count() -> None:
    """Papineni et al. 2002, section 2.1: seven times "the" is right twice."""
    rows = build("bleu", {"max_ngram_order": 1}).statistics(
        ["the the the the the the the"], [["the cat is on the mat", "there is a cat on the mat"]]
    )
    assert rows.tolist() == [[7, 7, 2, 7]]


def test_no_match_at_all_is_zero_and_not_a_smoothed_something() -> None:
    assert score(["x y z w"], [["a b c d"]]) == 0


def test_empty_answers_are_zero() -> None:
    assert score([""], [["a b c d"]]) == 0
    assert 0 < score(["", "a b c d"], [["a b c d"], ["a b c d"]]) < 100


def test_the_signature_is_sacrebleus_with_what_it_leaves_out() -> None:
    plain = build("bleu").signature(ENGLISH)
    assert plain.startswith("BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.")
    assert build("bleu", {"max_ngram_order": 2}).signature(ENGLISH) == f"{plain}|order:2"
    assert "nrefs:var" in build("bleu").signature([["a"], ["a", "b"]])
    assert "nrefs:2" in build("bleu").signature([["a", "b"]])


def test_two_smoothing_values_never_share_a_signature() -> None:
    near = [
        build("bleu", {"smooth_method": "floor", "smooth_value": value}).signature(ENGLISH) for value in (0.1, 0.101)
    ]
    assert "smooth:floor[0.10]" in near[0]
    assert near[0] != near[1]


def test_the_signature_says_the_same_before_and_after_scoring() -> None:
    bleu = build("bleu")
    before = bleu.signature(ENGLISH)
    bleu.statistics(["a b"], [["a", "b"]])
    assert bleu.signature(ENGLISH) == before


@pytest.mark.parametrize(
    ("tokenizer", "module", "command"),
    [
        ("ja-mecab", "MeCab", r'pip install "sacrebleu\[ja\]"'),
        ("ko-mecab", "mecab_ko", r'pip install "sacrebleu\[ko\]"'),
        ("flores200", "sentencepiece", "pip install sentencepiece"),
        ("spm", "sentencepiece", "pip install sentencepiece"),
    ],
)
def test_a_tokenizer_that_is_not_installed_says_how_to_get_it(tokenizer: str, module: str, command: str) -> None:
    if find_spec(module) is not None:
        pytest.skip(f"{module} is installed here")
    with pytest.raises(ValueError, match=command):
        build("bleu", {"tokenize": tokenizer})


@pytest.mark.needs_mecab
def test_japanese_is_split_by_mecab() -> None:
    bleu = build("bleu", {"tokenize": "ja-mecab"})
    assert bleu.statistics(["今日は良い天気です"], [["今日は良い天気です"]])[0, 0] == 5
    assert "tok:ja-mecab" in bleu.signature([["今日"]])


def test_short_references_are_unsuitable_for_the_order() -> None:
    why = build("bleu").unsuitable([["yes"], ["no"], ["the whole truth and nothing else"]])
    assert why.startswith("2 of 3 references have fewer than 4 tokens")
    assert "max_ngram_order" in why
    assert "1 of 2" in build("bleu").unsuitable([["yes"], ["the whole truth and nothing else"]])
    assert not build("bleu", {"max_ngram_order": 1}).unsuitable([["yes"], ["no"]])
    assert not build("bleu").unsuitable(ENGLISH)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("敏捷的棕色狐狸跳过了懒狗", "tokenize zh"),
        ("速い茶色の狐はのろまな犬を飛び越えます", "tokenize ja-mecab"),
        ("สุนัขจิ้งจอกสีน้ำตาลกระโดดข้ามสุนัข", "tokenize char"),
    ],
)
def test_a_script_without_spaces_is_unsuitable_for_13a(text: str, advice: str) -> None:
    assert advice in build("bleu").unsuitable([[text]] * 3)
    assert not build("bleu", {"tokenize": "char"}).unsuitable([[text]] * 3)


def test_korean_has_spaces() -> None:
    assert not build("bleu").unsuitable([["빠른 갈색 여우가 게으른 개를 뛰어넘는다"]])


def test_references_without_text_are_refused() -> None:
    assert "no reference has any text" in build("bleu").unsuitable([[""], [" \n"]])
    with pytest.raises(ValueError, match="no reference has any text"):
        score(["", ""], [[""], [" "]])


def test_memory_does_not_grow_with_the_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sacrebleu_rows, "_CHUNK_EXAMPLES", 5)
    text = " ".join(f"w{i}" for i in range(300))
    bleu = build("bleu")
    peaks = []
    for n in (5, 50):
        answers = [f"{text} {n} {i}" for i in range(n)]
        tracemalloc.start()
        bleu.statistics(answers, [[answer] for answer in answers])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
