"""What the worker's columns come to: answers, failures, and the times of pieces."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from typing import Any

import pytest
from tests.support.servers_load import FINE, delta

from mlgate.adapters.http.redaction import Redaction
from mlgate.adapters.load.reply_decoder import ReplyDecoder
from mlgate.adapters.protocols.kserve import KServeV1
from mlgate.adapters.protocols.openai import OpenAIChat
from mlgate.core.errors import AdapterError

PLAIN = ReplyDecoder(KServeV1("m"), stream=False, timeout_s=2.0, redaction=Redaction([]))
PIECES = ReplyDecoder(OpenAIChat("m", stream=True), stream=True, timeout_s=2.0, redaction=Redaction([]))


def columns(places: Sequence[int], *bodies: bytes, kind: str = "application/json", **more: Any) -> dict[str, Any]:
    """Requests that were due each millisecond, and took 4 ms to the first byte and 5 ms to the last."""
    n = len(places)
    return {
        "due_us": [1000 * i for i in range(n)],
        "late_us": [20] * n,
        "first_us": [4000] * n,
        "done_us": [5000] * n,
        "reply": list(places),
        "replies": [{"status": 200, "kind": kind, "body": base64.b64encode(one).decode()} for one in bodies],
        "failure": {},
        "marks": {},
        **more,
    }


def test_every_request_has_its_example_its_answer_and_its_times_in_seconds() -> None:
    other = FINE.replace(b"fine", b"other")
    seen = PLAIN.replies(columns([0, 1, 0], FINE, other), [7, 8, 9])
    assert [one.example for one in seen] == [7, 8, 9]
    assert [one.answer for one in seen] == ["fine", "other", "fine"]
    assert [one.due for one in seen] == [0.0, 0.001, 0.002]
    assert {(one.late, one.first, one.done, one.failure) for one in seen} == {(0.00002, 0.004, 0.005, "")}


@pytest.mark.parametrize(
    "found",
    [columns([-1], failure={"0": "reset"}, first_us=[-1]), columns([0], b"[]", first_us=[-1])],
    ids=["no reply", "no answer in it"],
)
def test_a_failure_took_the_time_out_at_least(found: dict[str, Any]) -> None:
    (one,) = PLAIN.replies(found, [0])
    assert one.failure
    assert one.answer == ""
    assert one.done == 2.0
    assert math.isnan(one.first)


def test_pieces_arrived_when_the_body_had_grown_to_their_end_and_in_one_read_together() -> None:
    first, second, third = delta("one "), delta("two "), delta("three")
    body = first + second + third + delta(None, "stop") + b"data: [DONE]\n\n"
    grown = [(len(first) - 1, 1000), (len(first + second), 2000), (len(body), 3000)]
    (one,) = PIECES.replies(columns([0], body, kind="text/event-stream", marks={"0": grown}), [0])
    assert (one.answer, one.failure) == ("one two three", "")
    assert (one.events, one.sizes) == ((0.002, 0.003), (8, 5))
    assert one.first == 0.002


@pytest.mark.parametrize("broken", [{"reply": [3]}, {"reply": []}, {"late_us": None}, {"replies": [{}]}])
def test_columns_that_are_none_are_an_error_of_the_generator(broken: dict[str, Any]) -> None:
    with pytest.raises(AdapterError, match="the load generator's columns cannot be read"):
        PLAIN.replies(columns([0], FINE, **broken), [0])
