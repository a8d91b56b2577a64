"""What becomes of requests, in both loops and against real sockets: time-outs, cut replies, servers that misbehave."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from tests.support.engines import ASK, asks, bodies, closed, engine, opened
from tests.support.raw_server import reply, serving
from tests.support.servers_load import chunked, sends, text, until_close
from tests.support.waiting import PATIENCE as BOUND

from mlgate.adapters.load import results


def test_the_times_of_pieces_that_a_block_keeps_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MARKS", 5)
    with serving(sends(text("fine"))) as server, engine(server) as made:
        book, start = made.closed_loop([0], asks(1), 1, BOUND, 10, stream=True)
        seen: dict[str, Any] = book.columns(start, [0], made.timeout_s)
    assert sum(map(len, seen["marks"].values())) <= 5
    assert set(seen["failure"].values()) == {"not kept: the block's replies are too long"}


@pytest.mark.parametrize(
    "start", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"]
)
@pytest.mark.parametrize("open_loop", [True, False])
def test_a_reply_without_end_fails_at_its_time_out(start: bytes, open_loop: bool) -> None:
    def drip(connection: socket.socket, _: int) -> bool:
        connection.sendall(start)
        while not server.ended.wait(0.01):
            connection.sendall(
                b"1\r\nx\r\n" if b"chunked" in start else b"HTTP/1.1 200 OK\r\n"[:1] if not start else b"a"
            )
        return False

    with serving(drip) as server, engine(server, timeout_s=0.3) as made:
        seen = opened(made, [0.0, 0.1]) if open_loop else closed(made, 2, 2)
    assert len(seen["failure"]) == 2
    assert all(done >= 300_000 for done in seen["done_us"])


def test_a_kept_connection_that_the_server_closed_is_tried_once_on_a_fresh_one() -> None:
    with serving(sends(text("fine"), keep=False)) as server, engine(server) as made:
        seen = closed(made, 10)
        more = opened(made, [i / 1000 for i in range(10)])
    assert seen["failure"] == {}
    assert more["failure"] == {}


def test_a_server_that_hangs_up_on_every_request_is_asked_twice_and_not_more() -> None:
    def script(_: socket.socket, __: int) -> bool:
        return False

    with serving(script) as server, engine(server) as made:
        seen = closed(made, 1)
    assert seen["failure"] == {"0": "the server closed the connection without an answer"}
    assert seen["unreached"] == []
    assert len(server.questions) == 2


def test_a_reply_cut_in_the_middle_is_not_tried_again() -> None:
    with serving(sends(text("fine")[:-3], keep=False)) as server, engine(server) as made:
        seen = closed(made, 1)
    assert seen["failure"] == {
        "0": "the connection broke before the answer was whole: the server closed the connection"
    }
    assert len(server.questions) == 1


@pytest.mark.parametrize(
    "data", [text("x"), chunked(b"x"), until_close(b"x"), b"HTTP/1.1 100 Continue\r\n\r\n" + text("x")]
)
def test_every_framing_comes_through_both_loops(data: bytes) -> None:
    with serving(sends(data, keep=not data.startswith(until_close(b"")))) as server, engine(server) as made:
        assert closed(made, 8, 2)["failure"] == {}
        assert opened(made, [i / 1000 for i in range(8)])["failure"] == {}


def test_heads_that_never_repeat_come_through_both_loops_and_a_bad_one_among_them_is_told() -> None:
    def script(connection: socket.socket, number: int) -> bool:
        more = {30: "Transfer-Encoding: gzip", 35: "Connection: close"}.get(number, f"X-Request-Id: {number}") + "\r\n"
        connection.sendall(reply(b"a" * (number % 3), "200 OK", more))
        return number != 35

    with serving(script) as server, engine(server) as made:
        seen = closed(made, 20)
        assert [len(body) for body in bodies(seen)] == [number % 3 for number in range(20)]
        seen = closed(made, 20)
        assert opened(made, [i / 1000 for i in range(20)])["failure"] == {}
    assert list(seen["failure"]) == ["10"]
    assert "a transfer coding that nobody asked for" in seen["failure"]["10"]
    assert [len(body) for i, body in enumerate(bodies(seen)) if i != 10] == [n % 3 for n in range(20, 40) if n != 30]
    assert len(seen["replies"]) == 3


def test_a_stream_of_known_length_says_when_it_came_also_when_its_head_repeats() -> None:
    plan = [0]
    with serving(sends(text("fine"))) as server, engine(server) as made:
        book, start = made.closed_loop(plan, asks(1), 2, BOUND, 10, stream=True)
        seen: dict[str, Any] = book.columns(start, plan, made.timeout_s)
    assert len(seen["marks"]) == 10


def test_a_redirect_is_a_reply_like_any_other() -> None:
    moved = reply(b"", "302 Found", "Location: http://169.254.169.254/latest/meta-data\r\n")
    with serving(sends(moved)) as server, engine(server) as made:
        seen = closed(made, 3)
    assert [one["status"] for one in seen["replies"]] == [302]
    assert seen["first_us"] == [-1] * 3
    assert seen["failure"] == {}


def test_replies_in_pieces_are_put_together() -> None:
    def script(connection: socket.socket, _: int) -> bool:
        for byte in text("fine"):
            connection.sendall(bytes([byte]))
        return True

    with serving(script) as server, engine(server) as made:
        seen = closed(made, 5)
    assert seen["failure"] == {}
    assert len(seen["replies"]) == 1


def test_a_request_that_does_not_fit_into_the_socket_is_sent_to_its_end() -> None:
    with serving(sends(text("fine"))) as server, engine(server) as made:
        body = b"x" * 8_000_000
        book, start = made.closed_loop([0], [ASK % (len(body), body)], 2, BOUND, 4, stream=False)
        seen: dict[str, Any] = book.columns(start, [0], BOUND)
    assert seen["failure"] == {}
    assert [len(question) > 8_000_000 for question in server.questions] == [True] * 4


def test_what_a_server_says_behind_its_reply_is_nobodys_answer() -> None:
    with serving(sends(text("fine") + text("forged"))) as server, engine(server) as made:
        seen = closed(made, 5)
    assert seen["failure"] == {}
    assert len(seen["replies"]) == 1
