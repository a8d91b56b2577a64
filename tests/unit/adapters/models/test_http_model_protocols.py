"""What goes over the wire in each protocol, and what may come back."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgate.adapters.protocols.kserve import KServeV1, KServeV2
from mlgate.adapters.protocols.openai import OpenAIChat, OpenAICompletions
from mlgate.adapters.protocols.plain_json import PlainJson
from mlgate.adapters.protocols.protocol import HttpProtocol
from mlgate.core.check import Json
from mlgate.core.ports import Answer, Failure, text_of

ALL: list[HttpProtocol] = [
    KServeV1("m"),
    KServeV2("m"),
    OpenAIChat("m"),
    OpenAICompletions("m"),
    PlainJson({"text": "{input}"}, "choices.0.text"),
]

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["predictions", "outputs", "data", "choices", "message", "content", "text", "index", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def by_name(protocol: HttpProtocol) -> str:
    return protocol.name


@pytest.mark.parametrize("protocol", ALL, ids=by_name)
@given(body=ANY_JSON, n=st.integers(1, 4))
def test_whatever_is_replied_there_is_one_result_an_input_and_only_text_is_an_answer(
    protocol: HttpProtocol, body: object, n: int
) -> None:
    results = protocol.decode(body, n)
    assert len(results) == n
    assert all(isinstance(one, Failure) or text_of(one).encode() is not None for one in results)


@pytest.mark.parametrize(
    ("protocol", "inputs", "path", "body"),
    [
        (KServeV1("m"), ["a", {"k": 1}], "/v1/models/m:predict", {"instances": ["a", {"k": 1}]}),
        (KServeV1("a/b c"), ["a"], "/v1/models/a%2Fb%20c:predict", {"instances": ["a"]}),
        (
            KServeV1("m", template="Say: {input}", params={"signature_name": "s"}),
            ["a"],
            "/v1/models/m:predict",
            {"signature_name": "s", "instances": ["Say: a"]},
        ),
        (
            KServeV2("m", params={"seed": 1}),
            ["a", "b"],
            "/v2/models/m/infer",
            {
                "id": "0473ef2d-c0d3-24ab-659d-3580c1134e9d",
                "parameters": {"seed": 1},
                "inputs": [{"name": "input", "shape": [2], "datatype": "BYTES", "data": ["a", "b"]}],
            },
        ),
        (
            OpenAIChat("m", template="Sum up: {input}", params={"temperature": 0, "model": "not this"}),
            ["a {input} b"],
            "/v1/chat/completions",
            {"temperature": 0, "model": "m", "messages": [{"role": "user", "content": "Sum up: a {input} b"}]},
        ),
        (
            OpenAIChat("m", template="unused {input}"),
            [[{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]],
            "/v1/chat/completions",
            {"model": "m", "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]},
        ),
        (OpenAICompletions("m"), ["a"], "/v1/completions", {"model": "m", "prompt": "a"}),
        (OpenAICompletions("m"), ["a", "b"], "/v1/completions", {"model": "m", "prompt": ["a", "b"]}),
        (
            PlainJson({"q": ["{input}", {"deep": "Q: {input}?", "n": 3}], "{input}": None}, "a", "/ask"),
            ["x"],
            "/ask",
            {"q": ["x", {"deep": "Q: x?", "n": 3}], "{input}": None},
        ),
        (PlainJson("{input}", "a"), [{"keeps": [1, True]}], "", {"keeps": [1, True]}),
    ],
)
def test_requests_are_what_the_protocol_says(
    protocol: HttpProtocol, inputs: Sequence[Json], path: str, body: Json
) -> None:
    assert protocol.encode(inputs) == (path, body)
    json.dumps(body, allow_nan=False)


@pytest.mark.parametrize(
    ("protocol", "asked"),
    [
        (KServeV1("m", template="Q: {input}"), {"k": 1}),
        (KServeV2("m"), ["a"]),
        (KServeV2("m"), None),
        (OpenAIChat("m"), {"role": "user"}),
        (OpenAIChat("m"), []),
        (OpenAIChat("m"), ["a"]),
        (OpenAICompletions("m"), 3),
        (PlainJson({"q": "Q: {input}"}, "a"), 3),
    ],
)
def test_an_input_that_a_protocol_cannot_carry_is_said_and_not_bent(protocol: HttpProtocol, asked: Json) -> None:
    with pytest.raises(ValueError, match="takes"):
        protocol.encode([asked])


@pytest.mark.parametrize(
    ("protocol", "body", "answers"),
    [
        (KServeV1("m"), {"predictions": ["a", "b"]}, ["a", "b"]),
        (KServeV1("m"), {"predictions": [{"score": 1, "generated_text": "a"}, {"summary": "b", "n": 2}]}, ["a", "b"]),
        (
            KServeV2("m"),
            {"outputs": [{"name": "o", "shape": [2], "datatype": "BYTES", "data": ["a", "b"]}]},
            ["a", "b"],
        ),
        (
            KServeV2("m"),
            {"outputs": [{"shape": [2, 1], "datatype": "BYTES", "data": [["a"], ["b"]]}, {"data": [0]}]},
            ["a", "b"],
        ),
        (OpenAIChat("m"), {"choices": [{"index": 0, "message": {"role": "assistant", "content": "a"}}]}, ["a"]),
        (OpenAICompletions("m"), {"choices": [{"index": 1, "text": "b"}, {"index": 0, "text": "a"}]}, ["a", "b"]),
        (OpenAICompletions("m"), {"choices": [{"text": "a"}]}, ["a"]),
        (PlainJson("{input}", "choices.0.text"), {"choices": [{"text": "a"}]}, ["a"]),
        (PlainJson("{input}", "0"), ["a"], ["a"]),
        (PlainJson("{input}", ""), "a", ["a"]),
        (PlainJson("{input}", "text"), {"text": ""}, [""]),
        (PlainJson("{input}", "n"), {"n": 1.0}, ["1"]),
        (KServeV1("m"), {"predictions": [1, 0.5, True]}, ["1", "0.5", "true"]),
        (KServeV1("m"), {"predictions": [{"text": 1, "x": "a"}]}, ["1"]),
        (KServeV2("m"), {"outputs": [{"shape": [2], "datatype": "INT64", "data": [1, 0]}]}, ["1", "0"]),
        (
            KServeV2("m"),
            {"outputs": [{"shape": [2, 1], "datatype": "BOOL", "data": [[True], [False]]}]},
            ["true", "false"],
        ),
        (
            OpenAIChat("m"),
            {"choices": [{"message": {"content": [{"type": "thinking"}, {"type": "text", "text": "a"}]}}]},
            ["a"],
        ),
        (
            OpenAIChat("m"),
            {"choices": [{"message": {"content": "a b"}, "finish_reason": "length"}]},
            [Answer("a b", "length")],
        ),
        (OpenAICompletions("m"), {"choices": [{"text": "a", "finish_reason": "length"}]}, [Answer("a", "length")]),
        (OpenAIChat("m"), {"choices": [{"message": {"content": "a"}, "finish_reason": ["odd"]}]}, ["a"]),
    ],
)
def test_answers_are_read_where_the_protocol_puts_them(
    protocol: HttpProtocol, body: Json, answers: Sequence[str | Answer]
) -> None:
    assert protocol.decode(body, len(answers)) == answers


@pytest.mark.parametrize(
    ("protocol", "body", "why"),
    [
        (KServeV1("m"), {"predictions": "a"}, "answered JSON without a list `predictions`"),
        (KServeV1("m"), [], "answered JSON without a list `predictions`"),
        (
            KServeV1("m"),
            {"predictions": [{"text": "a", "output": "b"}]},
            "no one field is the answer .fields: text, output",
        ),
        (KServeV1("m"), {"predictions": [{"x": "a", "y": "b"}]}, "no one field is the answer"),
        (KServeV1("m"), {"predictions": [{}]}, "no one field is the answer .fields: none"),
        (KServeV1("m"), {"predictions": [{"text": None, "x": "a"}]}, "answered null, not text"),
        (KServeV1("m"), {"predictions": [["a"]]}, "answered a list, not text"),
        (KServeV2("m"), {"outputs": []}, "answered JSON without `outputs` with `data`"),
        (KServeV2("m"), {"outputs": [{"datatype": "FP32", "data": [0.1, 0.9]}]}, "answered 2 values for 1 inputs"),
        (KServeV2("m"), {"outputs": [{"datatype": "BYTES", "data": ["a", "b"]}]}, "answered 2 values for 1 inputs"),
        (KServeV2("m"), {"outputs": [{"datatype": "BYTES", "data": [["a"]]}]}, "answered a list, not text"),
        (OpenAIChat("m"), {"choices": []}, "answered 0 choices for 1 inputs"),
        (OpenAIChat("m"), {"choices": [{"message": {"content": "a"}}] * 2}, "answered 2 choices for 1 inputs"),
        (OpenAIChat("m"), {"choices": [{"message": {"content": None}}]}, "answered null, not text"),
        (
            OpenAIChat("m"),
            {"choices": [{"message": {"content": None}, "finish_reason": "length"}]},
            r"answered nothing before it was ended .finish_reason: length.: give it more tokens",
        ),
        (
            OpenAIChat("m"),
            {"choices": [{"message": {"content": [{"type": "image_url"}]}}]},
            "answered a list, not text",
        ),
        (OpenAIChat("m"), {"choices": [{"message": {"content": []}}]}, "answered a list, not text"),
        (OpenAIChat("m"), {"choices": [{"message": {"content": None, "refusal": "No."}}]}, "refused to answer: No."),
        (OpenAIChat("m"), {"choices": [{"message": {"tool_calls": []}}]}, "without `choices.0.message.content`"),
        (OpenAICompletions("m"), {"choices": [{"text": "a"}] * 2}, "answered 2 choices for 1 inputs"),
        (OpenAICompletions("m"), {"choices": [{"index": 7, "text": "a"}]}, "does not say which prompt"),
        (OpenAICompletions("m"), {"choices": [{"index": True, "text": "a"}]}, "does not say which prompt"),
        (PlainJson("{input}", "a.b"), {"a": {"c": 1}}, "answered JSON without a.b"),
        (PlainJson("{input}", "a.1"), {"a": ["x"]}, "answered JSON without a.1"),
        (PlainJson("{input}", "a"), {"a": None}, "answered null, not text"),
    ],
)
def test_what_is_no_answer_is_a_failure_that_says_why(protocol: HttpProtocol, body: Json, why: str) -> None:
    (failure,) = protocol.decode(body, 1)
    assert isinstance(failure, Failure)
    assert failure.blame == "model"
    with pytest.raises(ValueError, match=why):
        raise ValueError(failure.why)


def test_completions_that_do_not_say_which_prompt_they_are_for_are_not_guessed() -> None:
    both = OpenAICompletions("m").decode({"choices": [{"text": "a"}, {"text": "b"}]}, 2)
    assert [type(one) for one in both] == [Failure, Failure]
