"""What every OpenLoop and ClosedLoop is to the gate: HttpLoad over a real worker process, against real servers."""

from __future__ import annotations

import json
import math
import socket
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from tests.support.raw_server import RawServer, Script, ask, reply, serving
from tests.support.servers_load import (
    EVENTS_HEAD,
    FINE,
    asked_text,
    chunk,
    chunked,
    delta,
    sends,
    serving_tls,
    text,
    tls_file,
    until_close,
)
from tests.support.waiting import PATIENCE

from mlgate.adapters.files.evidence_file import line_of
from mlgate.adapters.http.address import Address
from mlgate.adapters.load.channel import ProcessChannel
from mlgate.adapters.load.http_load import HttpLoad
from mlgate.adapters.protocols.kserve import KServeV1
from mlgate.adapters.protocols.openai import OpenAIChat
from mlgate.core.check import Example
from mlgate.core.errors import ConfigError, ModelError, Refused
from mlgate.core.evidence import Observation
from mlgate.core.latency.block import Arrival, LoadBlock, pack, unpack
from mlgate.core.ports import ClosedLoop, Failure, Model, OpenLoop

EXAMPLES = [Example(str(i), f"input {i}") for i in range(4)]
ARRIVALS = [Arrival(i / 500, i % 4) for i in range(12)]


@contextmanager
def loading(url: str, **more: Any) -> Iterator[HttpLoad]:
    protocol = more.pop("protocol", KServeV1("m"))
    load = HttpLoad(ProcessChannel(), Address.of(url), protocol, **{"timeout_s": PATIENCE, **more})
    try:
        yield load
    finally:
        load.close()
        load.close()


def echo(server_of: list[RawServer]) -> Script:
    def script(connection: socket.socket, number: int) -> bool:
        connection.sendall(text(f"saw {asked_text(server_of[0].questions[number])}"))
        return True

    return script


@contextmanager
def echoing() -> Iterator[RawServer]:
    own: list[RawServer] = []
    with serving(echo(own)) as server:
        own.append(server)
        yield server


def fired(script: Script, **more: Any) -> LoadBlock:
    with serving(script) as server, loading(server.url, **more) as load:
        return load.fire(EXAMPLES, ARRIVALS)


def failures(block: LoadBlock) -> set[str]:
    return {one.failure for one in block.replies}


def test_it_is_a_load_in_both_loops_and_a_model() -> None:
    with loading("http://127.0.0.1:9", facts={"sandbox": "none"}) as made:
        model: Model = made
        assert isinstance(made, OpenLoop)
        assert isinstance(made, ClosedLoop)
        assert made.facts == {"sandbox": "none"}
        assert made.gone() == ""
        assert model is made


def test_an_open_loop_brings_every_answer_in_the_order_in_which_it_was_due() -> None:
    with echoing() as server, loading(server.url) as load:
        block = load.fire(EXAMPLES, ARRIVALS)
    assert [one.example for one in block.replies] == [one.example for one in ARRIVALS]
    assert [one.due for one in block.replies] == [one.due for one in ARRIVALS]
    assert [one.answer for one in block.replies] == [f"saw input {one.example}" for one in ARRIVALS]
    assert all(0 <= one.late < one.first <= one.done for one in block.replies)
    assert failures(block) == {""}
    assert {"wall_s", "cpu_s", "steal_s"} <= block.facts.keys()
    again = unpack(pack(block))
    assert [one.answer for one in again.replies] == [one.answer for one in block.replies]


def test_a_closed_loop_goes_around_its_order() -> None:
    with echoing() as server, loading(server.url) as load:
        block = load.press(EXAMPLES, [2, 0, 2], 3, 0.2)
    assert len(block.replies) >= 3
    assert [one.example for one in block.replies[:5]] == [2, 0, 2, 2, 0][: len(block.replies)]
    assert all(one.answer == f"saw input {one.example}" for one in block.replies)
    assert all(one.late == 0 for one in block.replies)


def test_no_arrivals_are_no_replies() -> None:
    with loading("http://127.0.0.1:9") as load:
        assert load.fire(EXAMPLES, []) == LoadBlock(())


def test_as_a_model_it_answers_in_order_and_its_failures_are_the_models() -> None:
    def script(connection: socket.socket, number: int) -> bool:
        asked = asked_text(server.questions[number])
        connection.sendall(reply(b"boom", "500 Oh") if asked == "input 70" else text(asked.upper()))
        return True

    many = [Example(str(i), f"input {i}") for i in range(150)]
    with serving(script) as server, loading(server.url, concurrency=4) as load:
        answers = list(load.answer(many))
    assert answers[70] == Failure("status 500: boom")
    assert [one for i, one in enumerate(answers) if i != 70] == [f"INPUT {i}" for i in range(150) if i != 70]


def test_what_it_sends_is_byte_for_byte_what_the_http_model_sends() -> None:
    headers = {"X-Tenant": "shop", "Authorization": "Bearer abcdef"}
    with serving(sends(text("fine"))) as server:
        ask(server.url, 1, headers=headers)
        with loading(server.url, headers=headers) as load:
            load.fire([Example("0", "input 0")], [Arrival(0.0, 0)])
    first, second = server.questions
    assert first == second
    assert b"mlgate" not in first


def test_a_request_is_sent_to_the_worker_once() -> None:
    with echoing() as server, loading(server.url) as load:
        load.fire(EXAMPLES, ARRIVALS)
        load.fire(list(EXAMPLES), ARRIVALS)
        list(load.answer(EXAMPLES))
        assert len(load._sent) == 4
    assert len(server.questions) == 28


@pytest.mark.parametrize("data", [reply(FINE), chunked(FINE), until_close(FINE)])
def test_every_framing_is_an_answer(data: bytes) -> None:
    block = fired(sends(data, keep=not data.startswith(until_close(b""))))
    assert [one.answer for one in block.replies] == ["fine"] * 12


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (
            reply(b"x", "302 Found", "Location: http://169.254.169.254/\r\n"),
            "status 302 (redirects are not followed): x",
        ),
        (reply(b"busy", "503 Busy"), "status 503: busy"),
        (reply(b"<html>", more="Content-Type: text/html\r\n"), "status 200, text/html, not JSON: <html>"),
        (reply(b'{"a": 1}'), 'answered JSON without a list `predictions`; status 200: {"a": 1}'),
        (reply(b"", "204 No Content"), "status 204: empty"),
        (
            chunked(FINE).partition(b"0\r\nX")[0] + b"zz\r\n",
            "the connection broke before the answer was whole: a malformed chunk",
        ),
        (b"\0\0\0\0", "the connection broke before the answer was whole: no HTTP/1 status line"),
    ],
)
def test_a_wrong_reply_is_a_failure_that_took_the_time_out(data: bytes, why: str) -> None:
    block = fired(sends(data))
    assert failures(block) == {why}
    assert all(one.done >= PATIENCE and one.answer == "" for one in block.replies)


def test_the_wording_is_the_http_models() -> None:
    script = sends(reply(b'{"token": "s3cret-value"}', "418 Tea"))
    headers = {"X-Key": "s3cret-value"}
    with serving(script) as server:
        (asked,) = ask(server.url, headers=headers)
    assert isinstance(asked, Failure)
    assert failures(fired(script, headers=headers)) == {asked.why} == {'status 418: {"token": "***"}'}


def test_one_failure_in_a_hundred_is_one_failure() -> None:
    def script(connection: socket.socket, number: int) -> bool:
        connection.sendall(reply(b"no", "500 Oh") if number == 42 else text("fine"))
        return True

    with serving(script) as server, loading(server.url) as load:
        block = load.fire(EXAMPLES, [Arrival(i / 1000, 0) for i in range(100)])
    assert [one.failure for one in block.replies if one.failure] == ["status 500: no"]


def test_resets_are_failures_of_their_own_requests_only() -> None:
    def script(connection: socket.socket, number: int) -> bool:
        if number % 3 != 1:
            connection.sendall(text("fine"))
            return True
        connection.sendall(text("fine")[:-4])
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    block = fired(script)
    broken = [one for one in block.replies if one.failure]
    assert len(broken) == 4
    assert all(one.failure.startswith("the connection broke before the answer was whole") for one in broken)


def test_a_slow_reply_fails_at_its_time_out() -> None:
    with (
        serving(lambda *_: server.ended.wait(PATIENCE) and False) as server,
        loading(server.url, timeout_s=0.3) as load,
    ):
        block = load.fire(EXAMPLES, ARRIVALS)
    assert failures(block) == {"no answer within 0.3 s"}
    assert all(one.done >= 0.3 and math.isnan(one.first) for one in block.replies)


def test_a_server_that_dies_in_a_block_leaves_failures_and_then_a_model_error() -> None:
    def script(connection: socket.socket, number: int) -> bool:
        if number == 5:
            server.die()
        if number >= 5:
            return False
        connection.sendall(text("fine"))
        return True

    with serving(script) as server, loading(server.url, connections=1) as load:
        block = load.fire(EXAMPLES, ARRIVALS)
        assert len(block.replies) == 12
        failed = [one.failure for one in block.replies if one.failure]
        assert len(failed) >= 7
        assert all("connect" in why for why in failed)
        with pytest.raises(ModelError, match=r"could not connect to http://127\.0\.0\.1"):
            load.fire(EXAMPLES, ARRIVALS)
        answers = list(load.answer(EXAMPLES))
    assert all(isinstance(one, Failure) and one.blame == "gate" for one in answers)


def test_a_name_that_does_not_resolve_is_the_gates_failure() -> None:
    with loading("http://no-such-host.invalid") as load:
        (answer,) = load.answer(EXAMPLES[:1])
        assert isinstance(answer, Failure)
        assert answer.blame == "gate"
        with pytest.raises(ModelError):
            load.fire(EXAMPLES, ARRIVALS)


def test_every_address_of_a_host_must_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: object, **__: object) -> Sequence[object]:
        return [(2, 1, 6, "", ("127.0.0.1", 80)), (2, 1, 6, "", ("169.254.169.254", 80))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with loading("http://rebinding.example") as load, pytest.raises(Refused):
        load.fire(EXAMPLES, ARRIVALS)


def test_tls_is_verified_and_spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving_tls(sends(text("fine"))) as server:
        with loading(server.url) as load, pytest.raises(ModelError, match="certificate verify failed"):
            load.fire(EXAMPLES, ARRIVALS)
        monkeypatch.setenv("SSL_CERT_FILE", str(tls_file()))
        with loading(server.url) as load:
            assert failures(load.fire(EXAMPLES, ARRIVALS)) == {""}


def test_a_stream_says_when_each_piece_of_text_came() -> None:
    def script(connection: socket.socket, _: int) -> bool:
        connection.sendall(EVENTS_HEAD + chunk(delta("")))
        for piece in ("one ", "two ", "three"):
            connection.sendall(chunk(delta(piece)[:9]))
            connection.sendall(chunk(delta(piece)[9:]))
        connection.sendall(chunk(delta(None, "stop") + b"data: [DONE]\n\n") + b"0\r\n\r\n")
        return True

    block = fired(script, protocol=OpenAIChat("m"), stream=True)
    for one in block.replies:
        assert (one.answer, one.failure) == ("one two three", "")
        assert 1 <= len(one.events) <= 3  # what came in one read is one piece
        assert (len(one.sizes), sum(one.sizes)) == (len(one.events), len(one.answer))
        assert list(one.events) == sorted(one.events)
        assert one.first == one.events[0] <= one.events[-1] <= one.done


def test_a_token_in_many_events_takes_as_long_as_in_one() -> None:
    """A token of four letters each 20 ms, in four events, with comments, empty and invisible ones between them."""

    def script(connection: socket.socket, _: int) -> bool:
        connection.sendall(EVENTS_HEAD + chunk(delta("\u200b")))
        for _ in range(6):
            server.ended.wait(0.02)
            for letter in "text":
                connection.sendall(chunk(b": keep-alive\n\n") + chunk(delta("")))
                connection.sendall(chunk(delta(letter)))
                connection.sendall(chunk(delta("\u200b ")))
        usage = b'data: {"choices": [], "usage": {"completion_tokens": 1000}}\n\n'
        connection.sendall(chunk(delta(None, "stop") + usage + b"data: [DONE]\n\n") + b"0\r\n\r\n")
        return True

    with serving(script) as server, loading(server.url, protocol=OpenAIChat("m"), stream=True) as load:
        block = load.fire(EXAMPLES, ARRIVALS[:4])
    assert failures(block) == {""}
    for one in unpack(pack(block)).replies:
        waits = one.times("itl")
        assert len(waits) in {5, 6}  # for each token behind the first piece, which a busy machine can tear apart
        assert one.times("ttft")[0] + sum(waits) >= 6 * 0.02  # a wait never ends early, whoever reads late
        assert one.times("ttft")[0] >= 0.02  # what nobody sees is not the first token
        assert one.times("ttft")[0] >= one.events[0]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (EVENTS_HEAD + chunk(delta("half")) + b"0\r\n\r\n", "broke off its answer after 1 pieces of text"),
        (EVENTS_HEAD + chunk(b'data: {"error": "gpu"}\n\n') + b"0\r\n\r\n", "broke off its answer: gpu"),
        (reply(FINE), "status 200, application/json, not an event stream"),
        (reply(b"no", "400 Bad"), "status 400: no"),
    ],
)
def test_a_stream_that_is_none_or_not_whole_is_a_failure(data: bytes, why: str) -> None:
    block = fired(sends(data), protocol=OpenAIChat("m"), stream=True)
    assert all(one.failure.startswith(why) and one.events == () for one in block.replies), failures(block)


def test_an_endless_stream_ends_at_the_time_out() -> None:
    def script(connection: socket.socket, _: int) -> bool:
        connection.sendall(EVENTS_HEAD)
        while not server.ended.wait(0.01):
            connection.sendall(chunk(delta("again ")))
        return False

    streaming = {"protocol": OpenAIChat("m"), "stream": True, "timeout_s": 0.4}
    with serving(script) as server, loading(server.url, **streaming) as load:
        block = load.fire(EXAMPLES, ARRIVALS[:3])
    assert failures(block) == {"no answer within 0.4 s"}
    assert all(one.done >= 0.4 for one in block.replies)


def test_a_protocol_that_cannot_stream_is_refused() -> None:
    channel = ProcessChannel()
    with pytest.raises(ConfigError, match="cannot stream"):
        HttpLoad(channel, Address.of("http://127.0.0.1:9"), KServeV1("m"), stream=True)
    channel.close()


def test_an_example_that_cannot_be_asked_is_known_before_anything_is_sent() -> None:
    odd = [Example("odd", {"a": 1})]
    with loading("http://127.0.0.1:9", protocol=OpenAIChat("m")) as load:
        with pytest.raises(ConfigError, match="example odd cannot be asked"):
            load.fire(odd, [Arrival(0.0, 0)])
        (answer,) = load.answer(odd)
    assert answer == Failure("cannot be asked: openai-chat takes a text input, not dict", "gate")


def test_what_the_server_used_is_the_difference_and_the_peak() -> None:
    readings: Iterator[Mapping[str, float]] = iter(
        [{"server_cpu_s": 5.0, "server_memory_mb": 90.0}, {"server_cpu_s": 7.5, "server_memory_mb": 80.0}]
    )
    with echoing() as server, loading(server.url, resources=lambda: next(readings)) as load:
        facts = load.fire(EXAMPLES, ARRIVALS).facts
    assert facts["server_cpu_s"] == 2.5
    assert facts["server_memory_mb"] == 90.0


@pytest.mark.parametrize("letter", ["x", "☃"])
def test_answers_that_no_row_could_carry_are_failures_and_the_others_stay_whole(letter: str) -> None:
    size = 600_000 // len(json.dumps(json.dumps(letter)).strip('"\\'))

    def script(connection: socket.socket, number: int) -> bool:
        connection.sendall(text(f"{number:02}{letter * size}"))
        return True

    block = fired(script)
    assert failures(block) == {"", "the block's answers are more than 4 MB"}
    assert {len(one.answer) for one in block.replies if not one.failure} == {size + 2}
    assert all(one.done >= PATIENCE for one in block.replies if one.failure)
    line_of(Observation("speed", "0001", pack(block)), "evidence")


def test_answers_that_are_asked_for_one_by_one_have_rows_of_their_own() -> None:
    with serving(sends(text("x" * 600_000))) as server, loading(server.url) as load:
        assert {len(str(one)) for one in load.answer([Example(str(i), str(i)) for i in range(12)])} == {600_000}


def test_json_stays_what_the_protocol_made_of_it() -> None:
    with serving(sends(text("fine"))) as server, loading(server.url) as load:
        list(load.answer([Example("0", "Größe ☃")]))
    assert json.loads(server.questions[0].partition(b"\r\n\r\n")[2]) == {"instances": ["Größe ☃"]}
