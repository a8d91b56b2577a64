"""Asking again is offered where it can help."""

from __future__ import annotations

import pytest

from mlgate.core.evidence import NOT_ASKED, Gap, Observation
from mlgate.flow.asking_again import can_help, may_pass


@pytest.mark.parametrize(
    "why",
    [
        "status 429: slow down",
        "status 503: busy",
        "status 408: empty",
        f"{NOT_ASKED}the endpoint cannot be reached",
        "could not connect to http://h: [Errno 111] Connection refused",
        "timed out after 30 s",
        "broke off its answer after 3 pieces of text",
        "the model was lost: killed by SIGKILL",
        "requests.exceptions.ConnectionError: reset (model.py:3)",
        "TimeoutError: timed out (model.py:3)",
        "RateLimitError: wait (model.py:3)",
        "no row came: pytest ended with exit code 3",
        "",
    ],
)
def test_what_may_pass_by_itself_is_asked_again(why: str) -> None:
    assert may_pass(why)


@pytest.mark.parametrize(
    "why",
    [
        "status 401: no such key",
        "status 403: forbidden",
        "status 404: no such model",
        "status 307 to an address that is not followed: empty",
        f"{NOT_ASKED}status 401: no such key",
        "status 501: not implemented",
        "answered int, not text",
        "cannot load model:answer: NameError: name 'x' is not defined",
        "answered JSON without `choices`",
        "refused to answer: no",
        "cannot be asked: kserve-v2 takes a text input, not dict",
        "no answer in answers.jsonl",
        "TypeError: can only concatenate str (model.py:7)",
        "json.decoder.KeyError: 'x' (model.py:7)",
        "ModuleNotFoundError: No module named 'torch' (model.py:1)",
    ],
)
def test_what_comes_out_alike_is_not(why: str) -> None:
    assert not may_pass(why)


def test_one_hope_is_enough() -> None:
    lasting, passing = Gap("c", "a", "answered int, not text"), Gap("c", "b", "status 503: busy")
    assert can_help([lasting, passing])
    assert not can_help([lasting, Observation("c", "b", {"answer": "x"})])
    assert can_help([])
