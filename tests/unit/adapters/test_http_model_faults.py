"""What a hostile or broken server can do on the wire, and what the gate must make of it."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlgate.adapters.http_model import HttpModel
from mlgate.adapters.kserve_protocols import KServeV1
from mlgate.core.check import Example
from mlgate.core.ports import Failure

Script = Callable[[socket.socket, int], bool]
"""Does something with one question (counted from 0); False: hang up."""


class RawServer:
    """Reads questions off the wire and lets a script do what no HTTP library would."""

    def __init__(self, script: Script) -> None:
        self.ended = threading.Event()
        self.questions: list[bytes] = []
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._spawn(self._accept)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _spawn(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection = self._listener.accept()[0]
            except OSError:
                return
            self._spawn(lambda connection=connection: self._serve(connection))  # type: ignore[misc]

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                while (question := _question(connection)) is not None:
                    with self._lock:
                        number = len(self.questions)
                        self.questions.append(question)
                    if not self._script(connection, number):
                        return
            except OSError:
                return

    def stop_listening(self) -> None:
        # shutdown wakes the thread in accept(); close alone would leave the port open until it returns
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            return
        self._listener.close()

    def close(self) -> None:
        self.ended.set()
        self.stop_listening()
        for thread in self._threads:
            thread.join()


def _question(connection: socket.socket) -> bytes | None:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (piece := connection.recv(65536)):
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def serving(script: Script) -> Iterator[RawServer]:
    server = RawServer(script)
    try:
        yield server
    finally:
        server.close()


def reply(body: bytes, status: str = "200 OK", more: str = "") -> bytes:
    kind = "" if "content-type" in more.lower() else "Content-Type: application/json\r\n"
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{kind}{more}\r\n".encode() + body


GOOD = reply(json.dumps({"predictions": ["fine"]}).encode())


def examples(n: int) -> list[Example]:
    return [Example(str(i), f"input {i}") for i in range(n)]


def ask(url: str, n: int = 1, **options: Any) -> list[str | Failure]:
    settings: dict[str, Any] = {"timeout_s": 5.0, "retries": 0, **options}
    model = HttpModel(url, KServeV1("m"), **settings)
    try:
        return list(model.answer(examples(n)))
    finally:
        model.close()


def said(data: bytes, *, keep: bool = False) -> Script:
    def script(connection: socket.socket, _: int) -> bool:
        connection.sendall(data)
        return keep

    return script


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
        (reply(b'{"predictions": [NaN]}'), "answered a number, not text"),
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


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=200), st.binary(max_size=100).map(lambda tail: b"HTTP/1.1 200 OK\r\n" + tail)))
def test_no_bytes_at_all_make_the_gate_raise_or_take_an_answer(data: bytes) -> None:
    with serving(said(data)) as server:
        (answer,) = ask(server.url)
    assert isinstance(answer, Failure)


def test_a_server_that_never_answers_is_given_up_at_the_deadline() -> None:
    def hang(_: socket.socket, __: int) -> bool:
        return server.ended.wait(30) and False

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
        assert ask(server.url, timeout_s=20) == [Failure("the server sends more than 16777216 bytes")]


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


def test_a_kept_connection_that_the_server_has_closed_is_opened_anew() -> None:
    with serving(said(GOOD)) as server:  # closes after each reply, and does not say so
        assert ask(server.url, 5) == ["fine"] * 5
    assert 5 <= len(server.questions) <= 9


def test_a_connection_is_kept_when_the_server_keeps_it() -> None:
    seen: set[tuple[str, int]] = set()

    def script(connection: socket.socket, _: int) -> bool:
        seen.add(connection.getpeername())
        connection.sendall(GOOD)
        return True

    with serving(script) as server:
        assert ask(server.url, 5) == ["fine"] * 5
    assert len(seen) == 1


def test_a_redirect_is_not_followed() -> None:
    with serving(said(GOOD)) as other:
        moved = reply(b"", "302 Found", f"Location: {other.url}/v1/models/m:predict\r\n")
        with serving(said(moved)) as server:
            assert ask(server.url) == [Failure("status 302 (redirects are not followed): empty")]
    assert other.questions == []


def test_a_compressed_reply_that_nobody_asked_for_is_not_unpacked() -> None:
    import gzip

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
    assert answers[:5] == [Failure(f"could not connect to {url}: [Errno 111] Connection refused", "gate")] * 5
    assert answers[5:] == [Failure("not asked: the endpoint cannot be reached", "gate")] * 3
    assert slept == [0.2, 0.4] * 5


def test_a_name_that_does_not_resolve_is_the_gates_failure() -> None:
    (answer,) = ask("http://no-such-host.invalid")
    assert isinstance(answer, Failure)
    assert answer.blame == "gate"
    assert answer.why.startswith("could not connect to http://no-such-host.invalid:80")


def test_a_server_that_comes_up_late_is_asked_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    late: list[socket.socket] = []

    def wake(_: float) -> None:
        late.append(socket.create_server(("127.0.0.1", port)))
        threads.append(threading.Thread(target=answer_one))
        threads[0].start()

    def answer_one() -> None:
        with late[0], late[0].accept()[0] as connection:
            _question(connection)
            connection.sendall(GOOD)

    threads: list[threading.Thread] = []
    answers = ask(f"http://127.0.0.1:{port}", retries=1, sleep=wake)
    threads[0].join()
    assert answers == ["fine"]


def test_a_server_that_dies_half_way_leaves_failures_and_no_exception() -> None:
    def script(connection: socket.socket, number: int) -> bool:
        if number == 3:
            server.stop_listening()
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


def test_answers_keep_the_examples_order_when_the_last_is_answered_first() -> None:
    turn = [threading.Event() for _ in range(5)]

    def reversed_order(connection: socket.socket, number: int) -> bool:
        which = int(json.loads(server.questions[number].partition(b"\r\n\r\n")[2])["instances"][0].split()[1])
        assert turn[which + 1].wait(10)
        connection.sendall(reply(json.dumps({"predictions": [str(which)]}).encode()))
        turn[which].set()
        return True

    turn[4].set()
    with serving(reversed_order) as server:
        assert ask(server.url, 4, concurrency=4, timeout_s=20) == ["0", "1", "2", "3"]


def test_giving_up_early_ends_the_requests_that_are_under_way() -> None:
    hanging = threading.Semaphore(0)

    def script(connection: socket.socket, number: int) -> bool:
        if number == 0:
            connection.sendall(GOOD)
            return True
        hanging.release()
        return server.ended.wait(30) and False

    with serving(script) as server:
        model = HttpModel(server.url, KServeV1("m"), concurrency=2, timeout_s=25)
        answers = model.answer(examples(20))
        assert isinstance(answers, Generator)
        assert next(answers) == "fine"
        assert hanging.acquire(timeout=10)
        answers.close()  # would hang for 25 s if it waited
        model.close()
        model.close()
    assert len(server.questions) <= 4


def test_closing_from_elsewhere_ends_what_is_under_way_as_the_gates_doing() -> None:
    asked = threading.Event()

    def hang(_: socket.socket, __: int) -> bool:
        asked.set()
        return server.ended.wait(30) and False

    def close_when_asked() -> None:
        asked.wait(10)
        model.close()

    with serving(hang) as server:
        model = HttpModel(server.url, KServeV1("m"), timeout_s=25)
        closer = threading.Thread(target=close_when_asked)
        closer.start()
        answers = list(model.answer(examples(2)))
        closer.join()
    assert all(isinstance(one, Failure) and one.blame == "gate" for one in answers)


def test_no_server_can_tell_that_it_is_measured() -> None:
    with serving(said(GOOD, keep=True)) as server:
        ask(server.url, 1, headers={"X-Tenant": "shop"})
    head = server.questions[0].partition(b"\r\n\r\n")[0].decode().lower()
    assert "x-tenant: shop" in head
    assert not any(word in head for word in ("mlgate", "github", "actions", "benchmark", "\r\nci"))


def test_a_host_header_can_be_set_for_an_ingress() -> None:
    with serving(said(GOOD, keep=True)) as server:
        assert ask(server.url, 1, headers={"Host": "m.default.example.com"}) == ["fine"]
    assert server.questions[0].count(b"Host:") == 1
    assert b"Host: m.default.example.com\r\n" in server.questions[0]


def test_a_proxy_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with serving(said(GOOD)) as server:
        assert ask(server.url) == ["fine"]


def test_secrets_in_headers_and_url_are_never_shown() -> None:
    body = b'{"error": "bad token s3cret-token-value for key qu3ry-key, header Bearer s3cret-token-value"}'
    with serving(said(reply(body, "401 Unauthorized"))) as server:
        (answer,) = ask(f"{server.url}/?key=qu3ry-key", headers={"Authorization": "Bearer s3cret-token-value"})
    assert isinstance(answer, Failure)
    assert "s3cret" not in answer.why
    assert "qu3ry" not in answer.why
    assert answer.why.startswith('status 401: {"error": "bad token *** for key ***')
