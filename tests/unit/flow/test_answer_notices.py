"""What is suspicious about answers and references is counted and told, and what is usual is not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mlgate.core.check import Check, Example, MetricChoice
from mlgate.core.evidence import Gap, Observation
from mlgate.flow.answer_notices import notices

LABELS = ["positive", "negative"] * 5


def told(
    answers: Sequence[str | None], references: Sequence[str], *, metric: str = "chrf", finish: str = ""
) -> list[str]:
    examples = tuple(Example(f"e{i}", f"input {i}", (text,)) for i, text in enumerate(references))
    check = Check("c", "accuracy", examples, (MetricChoice(metric, metric),))
    more = {"finish": finish} if finish else {}
    rows = {
        example.id: Gap("c", example.id, "no")
        if text is None
        else Observation("c", example.id, {"answer": text, **more})
        for example, text in zip(examples, answers, strict=True)
    }
    return list(notices(check, rows))


TEXTS = [f"text {i}" for i in range(10)]


def test_usual_answers_are_not_told() -> None:
    assert told(TEXTS, TEXTS) == []
    assert told([*TEXTS[:9], "other"], TEXTS) == []
    assert told(LABELS, LABELS, metric="accuracy") == []
    assert told([None] * 10, TEXTS) == []


def test_answers_that_the_limit_of_tokens_cut_off_are_told() -> None:
    assert told(TEXTS[:1], TEXTS[:1], finish="length") == [
        (
            "the only answer is cut off by the limit of tokens (finish_reason: length; first: e0); "
            "raise it, e.g. params: {max_tokens: 1024}"
        )
    ]


def test_empty_answers_are_told_unless_an_empty_one_is_right() -> None:
    assert told(["", *TEXTS[1:]], TEXTS) == ["1 of 10 answers is empty (first: e0)"]
    assert told(["", *TEXTS[1:]], ["", *TEXTS[1:]]) == []


def test_reasoning_in_an_answer_is_told() -> None:
    (one,) = told(["<think>hm</think> text 0", *TEXTS[1:]], TEXTS)
    assert one.startswith("1 of 10 answers hold <think> (first: e0): the model's reasoning is scored")


@pytest.mark.parametrize("count", [4, 10])
def test_many_answers_of_one_text_are_told(count: int) -> None:
    (one,) = told(["。"] * count + TEXTS[count:], TEXTS)
    assert one.endswith("answers are the same text, `。`; no reference is")


def test_a_classifier_that_always_says_the_same_is_told() -> None:
    assert told(["positive"] * 10, LABELS, metric="accuracy") == [
        "all 10 answers are the same text, `positive`; 5 references are"
    ]


def test_the_most_frequent_label_is_no_pattern() -> None:
    assert told(["positive"] * 6 + ["negative"] * 4, LABELS, metric="accuracy") == []


def test_answers_that_are_no_label_are_told_with_how_many_nearly_are() -> None:
    answers = ["Positive.", "NEGATIVE", "neutral", *LABELS[3:]]
    assert told(answers, LABELS, metric="macro_f1") == [
        (
            "3 of 10 answers are none of the 2 labels (`negative`, `positive`), e.g. `Positive.`; "
            "2 would be, without case and punctuation"
        )
    ]
    assert "would be" in told(["1.0"], ["1"], metric="accuracy")[0]
    assert told(answers, LABELS) == []


def test_answers_that_repeat_their_input_are_told() -> None:
    answers = [f"input {i}" for i in range(10)]
    assert told(answers, TEXTS) == ["all 10 answers are their own input (first: e0)"]
    assert told(answers, answers) == []


def test_references_that_are_all_one_text_are_told() -> None:
    (one,) = told(["a", "b", "c"], ["x", "x", "x"])
    assert one == "all 3 references are the same text, `x`: a model that always says it is right"


def test_where_no_answer_is_right_rouge_is_told_to_call_every_answer_wrong() -> None:
    references = ["", *TEXTS[1:]]
    assert told(references, references, metric="rougeL") == [
        (
            "1 of 10 examples has an empty reference (first: e0): rougeL counts any answer to that as wrong, "
            "an empty one, too; token_f1 and exact_match do not"
        )
    ]
    assert told(references, references, metric="token_f1") == []
