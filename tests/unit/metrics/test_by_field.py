"""One metric, and a tokenizer for each language of the data."""

from __future__ import annotations

import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU

from mlgate.core.check import Example
from mlgate.metrics.by_field import fields_of, scoring

CHINESE = ("今天天气很好我们去公园", "明天会下雨所以我不出门", "他昨天买了一本新书看完了")
ENGLISH = ("the cat sat on the mat", "a dog ran over the hill", "all birds fly south now")


def examples() -> list[Example]:
    mixed = [text for pair in zip(CHINESE, ENGLISH, strict=True) for text in pair]
    return [
        Example(str(i), "x", (text,), (("lang", "zh" if text in CHINESE else "en"),)) for i, text in enumerate(mixed)
    ]


def test_each_value_is_scored_by_its_own_tokenizer() -> None:
    mixed, how = examples(), scoring("bleu", {"tokenize": {"lang": {"zh": "zh", "default": "13a"}}})
    answers = [example.references[0][:-2] for example in mixed]
    rows = how.statistics(answers, mixed)
    for lang, tokenize in (("zh", "zh"), ("en", "13a")):
        places = [i for i, example in enumerate(mixed) if dict(example.slices)["lang"] == lang]
        ours = float(how.value(rows[places].sum(axis=0)))
        theirs = BLEU(tokenize=tokenize, force=True).corpus_score(
            [answers[i] for i in places], [[mixed[i].references[0] for i in places]]
        )
        assert ours == pytest.approx(theirs.score, abs=1e-9)


def test_the_corpus_value_is_of_all_counts() -> None:
    mixed, how = examples(), scoring("bleu", {"tokenize": {"lang": {"zh": "zh", "default": "13a"}}})
    rows = how.statistics([example.references[0] for example in mixed], mixed)
    assert float(how.value(rows.sum(axis=0))) == pytest.approx(100)


def test_the_signature_names_the_tokenizer_of_each_value() -> None:
    how = scoring("bleu", {"tokenize": {"lang": {"zh": "zh", "default": "13a"}}})
    assert "|tok:lang{zh=zh,default=13a}|" in how.signature(examples())


def test_without_a_field_it_is_the_metric_itself() -> None:
    mixed = examples()
    plain, how = scoring("bleu", {}), scoring("bleu", {"tokenize": {"lang": {"default": "13a"}}})
    answers = [example.references[0] for example in mixed]
    assert np.array_equal(plain.statistics(answers, mixed), how.statistics(answers, mixed))


def test_a_value_without_an_entry_is_told() -> None:
    how = scoring("bleu", {"tokenize": {"lang": {"zh": "zh"}}})
    assert how.unsuitable(examples()) == "nothing is written for lang=en: add it, or an entry `default`"


def test_a_tokenizer_that_does_not_suit_its_value_is_told() -> None:
    how = scoring("bleu", {"tokenize": {"lang": {"zh": "13a", "default": "13a"}}})
    assert how.unsuitable(examples()).startswith("lang=zh: the references are in a script without spaces")


@pytest.mark.parametrize(
    ("kind", "options", "why"),
    [
        ("bleu", {"smooth_method": {"lang": {"zh": "exp"}}}, "must be one of"),
        ("bleu", {"tokenize": {"lang": {"zh": "zhh"}}}, "'zhh'"),
        ("bleu", {"tokenize": {"lang": "zh"}}, "goes by one field of the data"),
        ("bleu", {"tokenize": {"lang": {}}}, "goes by one field of the data"),
        ("bleu", {"tokenize": {"lang": {"zh": "zh"}, "x": {"a": "zh"}}}, "goes by one field of the data"),
        ("rougeL", {"tokenizer": {"a": {"zh": "unicode"}}, "use_stemmer": {"b": {"en": True}}}, "use one field"),
        ("chrf", {"char_order": {"lang": {"zh": 2}}}, "a whole number"),
    ],
)
def test_what_cannot_differ_is_refused(kind: str, options: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        scoring(kind, options)  # type: ignore[arg-type]


def test_the_fields_that_options_differ_by_are_known() -> None:
    assert list(fields_of("bleu", {"tokenize": {"lang": {"zh": "zh"}}, "lowercase": True})) == ["lang"]
    assert list(fields_of("json_schema", {"schema": {"type": {"a": "b"}}})) == []
