"""What is taken out of an answer before it is scored."""

from __future__ import annotations

from typing import Any

import pytest

from mlgate.core.check import Example
from mlgate.metrics import filters
from mlgate.metrics.by_field import scoring


def filtered(text: str, *written: Any) -> str:
    (one,) = filters.answers(filters.build(written), [text])
    return one


@pytest.mark.parametrize(
    ("written", "text", "left"),
    [
        ("strip_reasoning", "<think>\nhm\n</think>\n\nfour", "four"),
        ("strip_reasoning", "hm </think> four", "four"),
        ("strip_reasoning", "<think>never ends", ""),
        ("strip_reasoning", "a <Thinking>x</Thinking> b <think>y</think>", "a  b"),
        ("strip_reasoning", "plain", "plain"),
        ("first_line", "\n  yes \nbecause", "yes"),
        ("first_line", "", ""),
        ("lowercase", "STRASSE Straße", "strasse strasse"),
        ("no_punctuation", "Yes, it's “so”.", "Yes its so"),
        ("squash_spaces", " a \n b\u00a0c ", "a b c"),
        ({"regex": r"answer is (\w+)"}, "the answer is four.", "four"),
        ({"regex": r"\d+"}, "12 or 34", "12"),
        ({"regex": r"\d+", "take": "last"}, "12 or 34", "34"),
        ({"regex": r"(?P<a>x)(?P<b>y)?", "group": "b"}, "x", ""),
        ({"regex": r"(a)(b)", "group": 2}, "ab", "b"),
        ({"regex": r"none"}, "12", ""),
        ({"json": "answer.0.text"}, '{"answer": [{"text": 4.0}]}', "4"),
        ({"json": "ok"}, 'Sure:\n```json\n{"ok": true}\n```', "true"),
        ({"json": "missing"}, "{}", ""),
        ({"json": ""}, '"x"', "x"),
        ({"json": "a"}, "no JSON", ""),
        ({"map": {"yes": "1", "no": "0"}}, " yes ", "1"),
        ({"map": {"yes": "1"}}, "maybe", "maybe"),
    ],
)
def test_what_is_left_of_an_answer(written: Any, text: str, left: str) -> None:
    assert filtered(text, written) == left


def test_filters_are_applied_in_order() -> None:
    assert filtered("<think>no</think>Answer: YES", "strip_reasoning", {"regex": "Answer: (.*)"}, "lowercase") == "yes"


def test_whisper_normalises_as_whisper_does() -> None:
    pytest.importorskip("whisper_normalizer", reason="needs whisper-normalizer: pip install 'mlgate[whisper]'")
    assert filtered("Mr. Smith won't pay $20.", "whisper") == "mister smith will not pay $20"


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("strip_thinking", "there are strip_reasoning, first_line"),
        ({"regex": "("}, "the expression cannot be read"),
        ({"regex": "a", "group": 1}, "no group 1"),
        ({"regex": "a", "group": True}, "no group True"),
        ({"regex": "a", "take": "middle"}, "`take`: first or last"),
        ({"regex": "a", "flags": "i"}, "a regex has"),
        ({"regex": "a" * 2001}, "more than 2,000 characters"),
        ({"map": {}}, "there are"),
        ({"map": {"a": 1}}, "a text for each text"),
        ({"map": {" ": "yes"}}, "no text for an empty answer"),
        ({"json": "a", "x": 1}, "there are"),
        (5, "there are"),
        (None, "there are"),
    ],
)
def test_what_is_no_filter_is_told(written: Any, why: str) -> None:
    with pytest.raises(ValueError, match="filter 1: ") as caught:
        filters.build([written])
    assert why in str(caught.value)


def test_an_expression_that_does_not_come_to_an_end_is_no_score() -> None:
    with pytest.raises(ValueError, match="searches one answer for more than 1 s"):
        filtered("a" * 40 + "!", {"regex": r"^(a|a|aa)+$"})


def test_a_filter_that_normalises_does_so_on_both_sides_and_one_that_picks_does_not() -> None:
    example = Example("1", "x", ("Yes.",))
    normalised = scoring("exact_match", {}, ["lowercase", "no_punctuation"])
    assert normalised.statistics(["YES"], [example])[0, 0] == 1
    picked = scoring("exact_match", {}, [{"regex": "Yes"}])
    assert picked.statistics(["Yes."], [example])[0, 0] == 0


def test_a_filter_is_a_part_of_the_signature() -> None:
    example = Example("1", "x", ("yes",))
    signature = scoring("exact_match", {}, ["strip_reasoning", {"regex": "a|b"}]).signature([example])
    assert signature.endswith("|filters:strip_reasoning>regex('a|b',0)")
