"""What a hostile or broken server can do on the wire, and what the gate must make of it."""

from __future__ import annotations

import errno
import gzip
import os
import re
import socket
import struct
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.raw_server import GOOD, ask, examples, reply, said, serving
from tests.support.waiting import PATIENCE, until

from mlgate.adapters.models.http_model import HttpModel
from mlgate.adapters.protocols.kserve import KServeV1
from mlgate.core.ports import Failure


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x00\xff garbage\r\n\r\n", "the connection broke before the answer was whole"),
        (b"", "the server closed the connection without an answer"),
        (b"HTTP/1.1 200 OK\r\n", "the connection broke|not JSON: empty"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", "the connection broke before the answer was whole"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n", "announces 1000000000 bytes"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "the connection broke"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}", "the connection broke"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "the connection broke"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", "the connection broke"),
        (
            reply(b"<html>no</html>", more="Content-Type: text/html\r\n"),
            "status 200, text/html, not JSON: <html>no</html>",
        ),
        (reply(b"\xff\xfe\xff"), "not JSON"),
        (reply(b"[" * 100_000), "not JSON"),
        (reply(b"9" * 10_000), "not JSON"),
        (reply(b'{"predictions": ["a", "b"]}'), "answered 2 predictions for 1 inputs"),
        (reply(b'{"predictions": []}'), "answered 0 predictions for 1 inputs"),
        (reply(b'{"predictions": [null]}'), "answered null, not text"),
        (reply(b'{"predictions": [NaN]}'), "answered NaN, not text"),
        (reply(b'{"predictions": ["\\ud800"]}'), "a lone surrogate U[+]D800"),
        (reply(b'{"predictions": ["' + b"x" * (1 << 21) + b'"]}'), "2097152 bytes: more than 1048576 are not taken"),
        (reply(b'{"error": "later"}'), 'answered JSON without a list `predictions`; status 200: {"error": "later"}'),
        (reply(b"", "500 Internal Server Error"), "status 500: empty"),
        (reply(b"Traceback " + b"x" * 9999, "503 Busy"), "status 503: Traceback x{180,189}…"),
        (reply(b"", "204 No Content"), "status 204"),
        (reply(b'{"predictions": ["x"]}', "201 Created"), "status 201"),
    ],
)
def test_whatever_comes_back_wrong_is_the_models_failure(data: bytes, why: str) -> None:
    with serving(said(data)) as server:
        (answer,) = ask(server.url)
    assert isinstance(answer, Failure)
    assert answer.blame == "model"
    assert re.search(why, answer.why), answer.why
    assert len(answer.why) < 400
    assert len(server.questions) == 1, "nothing is sent twice"


@settings(max_examples=60)
@given(st.one_of(st.binary(max_size=200), st.binary(max_size=100).map(lambda tail: b"HTTP/1.1 200 OK\r\n" + tail)))
def test_no_bytes_at_all_make_the_gate_raise_or_take_an_answer(data: bytes) -> None:
    with serving(said(data)) as server:
        (answer,) = ask(server.url)
    assert isinstance(answer, Failure)


def test_a_server_that_never_answers_is_given_up_at_the_deadline() -> None:
    def hang(_: socket.socket, __: int) -> bool:
        return server.ended.wait(PATIENCE) and False

    with serving(hang) as server:
        assert ask(server.url, timeout_s=0.2) == [Failure("no answer within 0.2 s")]


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"HTTP/1.1 200 OK\r\n", b""])
def test_a_server_that_drips_bytes_cannot_stretch_the_deadline(start: bytes) -> None:
    def drip(connection: socket.socket, _: int) -> bool:
        connection.sendall(start)
        while not server.ended.wait(0.02):
            connection.sendall(b"x")
        return False

    with serving(drip) as server:
        assert ask(server.url, timeout_s=0.3) == [Failure("no answer within 0.3 s")]


def test_a_server_that_says_continue_for_ever_cannot_stretch_the_deadline() -> None:
    def go_on(connection: socket.socket, _: int) -> bool:
        while not server.ended.wait(0.01):
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        return False

    with serving(go_on) as server:
        assert ask(server.url, timeout_s=0.3) == [Failure("no answer within 0.3 s")]


def test_a_reply_without_end_is_cut_at_its_limit() -> None:
    def pour(connection: socket.socket, _: int) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"100000\r\n" + b" " * 0x100000 + b"\r\n")

    with serving(pour) as server:
        assert ask(server.url, timeout_s=PATIENCE) == [Failure("the server sends more than 16777216 bytes")]


def test_a_reset_in_the_middle_of_a_reply_is_the_models_failure_and_not_tried_again() -> None:
    def reset(connection: socket.socket, _: int) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    with serving(reset) as server:
        (answer,) = ask(server.url, retries=3)
    assert isinstance(answer, Failure)
    assert answer.blame == "model"
    assert len(server.questions) == 1


def test_a_redirect_is_not_followed() -> None:
    with serving(said(GOOD)) as other:
        moved = reply(b"", "302 Found", f"Location: {other.url}/v1/models/m:predict\r\n")
        with serving(said(moved)) as server:
            told = (
                f"status 302 to {other.url}/v1/models/m:predict (redirects are not followed: ask that address): empty"
            )
            assert ask(server.url) == [Failure(told)]
    assert other.questions == []


@pytest.mark.parametrize("status", ["401 Unauthorized", "404 Not Found", "307 Temporary Redirect"])
def test_a_server_that_refuses_whoever_asks_is_not_asked_about_every_example(status: str) -> None:
    with serving(said(reply(b'{"error": "no such key"}', status))) as server:
        answers = ask(server.url, 20)
    assert len(server.questions) == 5
    assert all(isinstance(one, Failure) for one in answers)
    last = answers[-1]
    assert isinstance(last, Failure)
    assert last.blame == "model"  # as if it had been asked: the verdict is the same
    assert last.why.startswith(f"not asked: the server refuses every request (status {status[:3]}")


def test_a_refusal_among_answers_is_one_examples_failure() -> None:
    refused = reply(b"", "404 Not Found")

    def script(connection: socket.socket, number: int) -> bool:
        connection.sendall(GOOD if number == 1 else refused)
        return False

    with serving(script) as server:
        answers = ask(server.url, 12)
    assert sum(one == "fine" for one in answers) == 1
    assert sum(isinstance(one, Failure) and one.blame == "model" for one in answers) == 11


BUSY = reply(b'{"error": "slow down"}', "429 Too Many Requests", "Retry-After: 7\r\n")


def test_a_busy_server_is_asked_again_when_it_says() -> None:
    waited: list[float] = []

    def script(connection: socket.socket, number: int) -> bool:
        connection.sendall(BUSY if number % 3 == 0 else GOOD)
        return False

    with serving(script) as server:
        assert ask(server.url, 4, patience_s=60, sleep=waited.append) == ["fine"] * 4
    assert len(server.questions) == 6
    assert {round(seconds) for seconds in waited} == {7}


def test_a_server_that_stays_busy_is_a_failure_of_the_model_once_patience_ends() -> None:
    waited: list[float] = []
    with serving(said(BUSY)) as server:
        (failed,) = ask(server.url, 1, patience_s=20, sleep=waited.append)
    assert isinstance(failed, Failure)
    assert failed.blame == "model"
    assert failed.why.startswith("status 429: ")
    assert failed.why.endswith("(busy for longer than its patience, 20 s)")
    assert len(server.questions) == 3


def test_a_server_that_asks_for_more_patience_than_there_is_is_not_waited_for() -> None:
    waited: list[float] = []
    with serving(said(reply(b"", "503 Busy", "Retry-After: 3600\r\n"))) as server:
        (failed,) = ask(server.url, 1, patience_s=20, sleep=waited.append)
    assert isinstance(failed, Failure)
    assert (waited, len(server.questions)) == ([], 1)


def test_nobody_waits_for_a_busy_server_whose_answers_nobody_takes() -> None:
    hour = reply(b"", "503 Busy", "Retry-After: 3000\r\n")

    def script(connection: socket.socket, number: int) -> bool:
        connection.sendall(GOOD if number == 0 else hour)
        return False

    with serving(script) as server:
        model = HttpModel(server.url, KServeV1("m"), timeout_s=PATIENCE, patience_s=3600, concurrency=2)
        answers = model.answer(examples(8))
        assert next(answers) == "fine"
        until(lambda: len(server.questions) > 1)
        answers.close()  # type: ignore[attr-defined]  # it is a generator
        model.close()


def test_a_compressed_reply_that_nobody_asked_for_is_not_unpacked() -> None:
    bomb = gzip.compress(b'{"predictions": ["' + b"x" * 10_000_000 + b'"]}')
    with serving(said(reply(bomb, more="Content-Encoding: gzip\r\n"))) as server:
        (answer,) = ask(server.url)
    assert isinstance(answer, Failure)
    assert "not JSON" in answer.why


def test_a_server_that_is_not_there_is_the_gates_failure_and_soon_not_asked_any_more() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    slept: list[float] = []
    answers = ask(url, 8, retries=2, sleep=slept.append, jitter=lambda: 1.0)
    refused = ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
    assert answers[:5] == [Failure(f"could not connect to {url}: {refused}", "gate")] * 5
    assert answers[5:] == [Failure("not asked: the endpoint cannot be reached", "gate")] * 3
    assert slept == [0.2, 0.4] * 5


def test_a_name_that_does_not_resolve_is_the_gates_failure() -> None:
    (answer,) = ask("http://no-such-host.invalid")
    assert isinstance(answer, Failure)
    assert answer.blame == "gate"
    assert answer.why.startswith("could not connect to http://no-such-host.invalid:80")


def test_a_server_that_dies_half_way_leaves_failures_and_no_exception() -> None:
    def script(connection: socket.socket, number: int) -> bool:
        if number == 3:
            server.die()
            return False
        connection.sendall(GOOD)
        return True

    with serving(script) as server:
        answers = ask(server.url, 12)
    assert answers[:3] == ["fine"] * 3
    blames = [one.blame for one in answers[3:] if isinstance(one, Failure)]
    assert len(blames) == 9
    assert set(blames[1:]) == {"gate"}


def test_plain_http_where_tls_is_expected_is_the_gates_failure() -> None:
    with serving(said(GOOD)) as server:
        thread = threading.Thread(target=server.ended.wait)
        thread.start()
        (answer,) = ask(server.url.replace("http:", "https:"), timeout_s=0.5)
        server.ended.set()
        thread.join()
    assert isinstance(answer, Failure)
    assert answer.blame == "gate"
