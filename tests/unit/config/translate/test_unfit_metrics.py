"""A metric that scores good answers as bad is refused, for the whole data and for each part that a sum would hide."""

from __future__ import annotations

import pytest
from tests.unit.config.small import config

from mlgate.config.translate.checks import to_check
from mlgate.core.check import Example
from mlgate.core.errors import ConfigError

CHINESE, ENGLISH = "今天天气很好我们去公园", "the cat sat on the mat today"


def examples(chinese: int, english: int) -> list[Example]:
    texts = [(CHINESE, "zh")] * chinese + [(ENGLISH, "en")] * english
    return [Example(str(i), f"x {i}", (text,), (("lang", lang),)) for i, (text, lang) in enumerate(texts)]


def refused(check: str, chosen: list[Example]) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        to_check(config(check=check), "c", chosen)
    return caught.value


def test_a_slice_in_a_script_without_spaces_is_told_however_small_its_share() -> None:
    error = refused("{data: x.jsonl, rules: {bleu: {min: 9}}, slices: [lang]}", examples(3, 97))
    assert "lang=zh: the references are in a script without spaces" in error.message
    assert error.hint == "write metrics: {bleu: {tokenize: {lang: {zh: zh, default: 13a}}}}"


def test_a_sizeable_share_is_told_without_any_slice() -> None:
    error = refused("{data: x.jsonl, rules: {bleu: {min: 9}}}", examples(10, 90))
    assert "10 of 100 references are in a script without spaces" in error.message
    assert error.hint == "write metrics: {bleu: {tokenize: zh}}"


def test_what_the_hint_says_is_taken() -> None:
    metrics = "metrics: {bleu: {tokenize: {lang: {zh: zh, default: 13a}}}}"
    check = f"{{data: x.jsonl, {metrics}, rules: {{bleu: {{min: 9}}}}, slices: [lang]}}"
    assert to_check(config(check=check), "c", examples(10, 90)).metrics[0].options == {
        "tokenize": {"lang": {"zh": "zh", "default": "13a"}}
    }


def test_a_field_that_does_not_divide_scripts_is_no_remedy() -> None:
    mixed = [*examples(10, 0), *[Example(f"m{i}", f"y {i}", (ENGLISH,), (("lang", "zh"),)) for i in range(10)]]
    error = refused("{data: x.jsonl, rules: {bleu: {min: 9}}, slices: [lang]}", mixed)
    assert error.hint == "write metrics: {bleu: {tokenize: zh}}"


def test_few_foreign_references_are_no_reason_to_refuse() -> None:
    assert to_check(config(check="{data: x.jsonl, rules: {bleu: {min: 9}}}"), "c", examples(3, 97))
