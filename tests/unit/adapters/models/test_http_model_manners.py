"""How the gate behaves towards a server: connections, order, ending early, and what it lets the server see."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Generator

import pytest
from tests.support.raw_server import GOOD, ask, examples, question, reply, said, serving
from tests.support.waiting import PATIENCE

from mlgate.adapters.models.http_model import HttpModel
from mlgate.adapters.protocols.kserve import KServeV1
from mlgate.core.ports import Failure


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
            question(connection)
            connection.sendall(GOOD)

    threads: list[threading.Thread] = []
    answers = ask(f"http://127.0.0.1:{port}", retries=1, sleep=wake)
    threads[0].join()
    assert answers == ["fine"]


def test_answers_keep_the_examples_order_when_the_last_is_answered_first() -> None:
    turn = [threading.Event() for _ in range(5)]

    def reversed_order(connection: socket.socket, number: int) -> bool:
        which = int(json.loads(server.questions[number].partition(b"\r\n\r\n")[2])["instances"][0].split()[1])
        assert turn[which + 1].wait(PATIENCE)
        connection.sendall(reply(json.dumps({"predictions": [str(which)]}).encode()))
        turn[which].set()
        return True

    turn[4].set()
    with serving(reversed_order) as server:
        assert ask(server.url, 4, concurrency=4, timeout_s=PATIENCE) == ["0", "1", "2", "3"]


def test_giving_up_early_ends_the_requests_that_are_under_way() -> None:
    hanging = threading.Semaphore(0)

    def script(connection: socket.socket, number: int) -> bool:
        if b'"input 0"' in server.questions[number]:
            connection.sendall(GOOD)
            return True
        hanging.release()
        return server.ended.wait(PATIENCE) and False

    with serving(script) as server:
        model = HttpModel(server.url, KServeV1("m"), concurrency=2, timeout_s=PATIENCE)
        answers = model.answer(examples(20))
        assert isinstance(answers, Generator)
        assert next(answers) == "fine"
        assert hanging.acquire(timeout=PATIENCE)
        answers.close()  # would hang if it waited
        model.close()
        model.close()
    assert len(server.questions) <= 4


def test_closing_from_elsewhere_ends_what_is_under_way_as_the_gates_doing() -> None:
    asked = threading.Event()

    def hang(_: socket.socket, __: int) -> bool:
        asked.set()
        return server.ended.wait(PATIENCE) and False

    def close_when_asked() -> None:
        asked.wait(PATIENCE)
        model.close()

    with serving(hang) as server:
        model = HttpModel(server.url, KServeV1("m"), timeout_s=PATIENCE)
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
