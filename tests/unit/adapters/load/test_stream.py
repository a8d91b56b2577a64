"""Answers in pieces: which bytes are which event, and what the pieces come to."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgate.adapters.protocols.openai import OpenAIChat, OpenAICompletions
from mlgate.adapters.protocols.sse import events
from mlgate.core.ports import Failure

CHAT = OpenAIChat("m", stream=True)


def chat(content: object = None, finish: str | None = None) -> bytes:
    return json.dumps({"choices": [{"delta": {"content": content}, "finish_reason": finish}]}).encode()


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_events_end_at_an_empty_line(end: bytes) -> None:
    body = (
        b": comment" + end + end + b"event: x" + end + b"data: a" + end + b"data:b" + end + end + b"data: c" + end + end
    )
    found = events(body)
    assert [event.data for event in found] == [b"a\nb", b"c"]
    assert body[: found[0].end].endswith(b"data:b" + end + end)
    assert found[1].end == len(body)


def test_a_last_event_needs_no_empty_line() -> None:
    assert [event.data for event in events(b"\xef\xbb\xbfdata: a\n\ndata: [DONE]")] == [b"a", b"[DONE]"]


@given(st.binary(max_size=200))
def test_any_body_is_events_within_it_in_order(body: bytes) -> None:
    ends = [event.end for event in events(body)]
    assert ends == sorted(set(ends))
    assert all(0 < end <= len(body) for end in ends)


def test_the_pieces_are_joined_and_those_with_text_are_counted() -> None:
    came = [chat(""), chat("Hel"), chat(None), chat("lo"), chat(finish="stop"), b'{"choices": []}', b"[DONE]"]
    assert CHAT.decode_stream(came) == ("Hello", {1: 3, 3: 2})


def test_completions_stream_texts() -> None:
    came = [b'{"choices": [{"text": "a"}]}', b'{"choices": [{"text": "b", "finish_reason": "length"}]}']
    assert OpenAICompletions("m", stream=True).decode_stream(came) == ("ab", {0: 1, 1: 1})


@pytest.mark.parametrize(
    ("came", "why"),
    [
        ([], "broke off its answer after 0 pieces of text"),
        ([chat("a"), chat("b")], "broke off its answer after 2 pieces of text"),
        ([chat("a"), b'{"error": {"message": "out of memory"}}'], "broke off its answer: out of memory"),
        ([chat("a"), b"{"], "answered an event that is not JSON"),
        ([b"[" * 100_000], "answered an event that is not JSON"),
        ([b"\xff"], "answered an event that is not JSON"),
        ([b"[]"], "answered an event without one choice"),
        ([b'{"choices": [{}, {}]}'], "answered an event without one choice"),
        ([chat(3)], "answered an event whose text is no text"),
        ([chat("\ud800"), b"[DONE]"], "answered text that is not Unicode: a lone surrogate U+D800"),
        ([b'{"choices": [{"delta": {"refusal": "No."}}]}'], "refused to answer: No."),
    ],
)
def test_half_an_answer_is_none(came: list[bytes], why: str) -> None:
    answer, _ = CHAT.decode_stream(came)
    assert answer == Failure(why)


@given(st.lists(st.binary(max_size=40) | st.text(max_size=9).map(chat), max_size=9))
def test_no_events_at_all_raise(came: list[bytes]) -> None:
    answer, carried = CHAT.decode_stream(came)
    assert isinstance(answer, str | Failure)
    assert list(carried) == sorted(set(carried))
    assert isinstance(answer, Failure) or sum(carried.values()) == len(answer)


@pytest.mark.parametrize("kind", [OpenAIChat, OpenAICompletions])
def test_streaming_is_asked_for_only_when_wanted_and_is_the_same_model(
    kind: type[OpenAIChat | OpenAICompletions],
) -> None:
    assert kind("m", stream=True).encode(["x"])[1] == {**dict(kind("m").encode(["x"])[1]), "stream": True}  # type: ignore[arg-type]
    assert repr(kind("m", stream=True)) == repr(kind("m"))
