"""The generator's loops against real sockets: order, connections, time-outs, and servers that misbehave."""

from __future__ import annotations

import base64
import os
import select
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any

import pytest
from tests.support.raw_server import RawServer, Script, reply, serving
from tests.support.servers_load import chunked, sends, serving_tls, text, tls_file, until_close
from tests.support.waiting import PATIENCE as BOUND

from mlgate.adapters.load import pool, results
from mlgate.adapters.load.closed_loop import MOST_UNREACHED
from mlgate.adapters.load.connection import Target
from mlgate.adapters.load.engine import Engine
from mlgate.adapters.load.pool import HostGone, NoConnection

ASK = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b"


def asks(n: int) -> list[bytes]:
    return [ASK % (len(str(i)), str(i).encode()) for i in range(n)]


def which(server: RawServer, number: int) -> str:
    return server.questions[number].rpartition(b"\r\n")[2].decode()


@contextmanager
def engine(server: RawServer, timeout_s: float = BOUND, limit: int = 64, **more: Any) -> Iterator[Engine]:
    made = Engine(Target(("127.0.0.1",), port(server), "the model", **more), timeout_s, limit)
    try:
        yield made
    finally:
        made.close()


def port(server: RawServer) -> int:
    return int(server.url.rpartition(":")[2])


def closed(made: Engine, n: int, concurrency: int = 1) -> dict[str, Any]:
    plan = list(range(n))
    book, start = made.closed_loop(plan, asks(n), concurrency, BOUND, n, stream=False)
    return book.columns(start, plan, made.timeout_s)


def opened(made: Engine, due: Sequence[float], connections: int = 4) -> dict[str, Any]:
    plan = list(range(len(due)))
    book, start = made.open_loop(due, plan, asks(len(due)), connections, stream=False)
    return book.columns(start, plan, made.timeout_s)


def echo(server_of: list[RawServer]) -> Script:
    def script(connection: socket.socket, number: int) -> bool:
        connection.sendall(reply(which(server_of[0], number).encode()))
        return True

    return script


def bodies(columns: dict[str, Any]) -> list[str]:
    return [
        base64.b64decode(columns["replies"][place]["body"]).decode() if place >= 0 else "" for place in columns["reply"]
    ]


@contextmanager
def echoing() -> Iterator[RawServer]:
    own: list[RawServer] = []
    with serving(echo(own)) as server:
        own.append(server)
        yield server


@pytest.mark.parametrize("concurrency", [1, 3, 16])
def test_in_a_closed_loop_every_request_gets_its_own_reply(concurrency: int) -> None:
    with echoing() as server, engine(server) as made:
        seen = closed(made, 50, concurrency)
    assert bodies(seen) == [str(i) for i in range(50)]
    assert seen["payload"] == list(range(50))
    assert seen["failure"] == {}
    assert set(seen["late_us"]) == {0}
    assert all(0 < first <= done for first, done in zip(seen["first_us"], seen["done_us"], strict=True))


def test_in_an_open_loop_every_request_gets_its_own_reply_and_its_due_time() -> None:
    due = [i / 2000 for i in range(100)]
    with echoing() as server, engine(server) as made:
        seen = opened(made, due)
    assert bodies(seen) == [str(i) for i in range(100)]
    assert seen["due_us"] == [round(one * 1e6) for one in due]
    assert seen["failure"] == {}
    times = zip(seen["late_us"], seen["first_us"], seen["done_us"], strict=True)
    assert all(0 <= late < first <= done for late, first, done in times)


def test_connections_are_kept_within_a_block_and_between_blocks() -> None:
    peers: set[object] = set()

    def script(connection: socket.socket, _: int) -> bool:
        peers.add(connection.getpeername())
        connection.sendall(text("fine"))
        return True

    with serving(script) as server, engine(server) as made:
        for _ in range(3):
            closed(made, 20, 2)
        opened(made, [0.0] * 2, 2)
    assert len(peers) == 2


def test_an_open_loop_waits_for_nobody() -> None:
    """The first request hangs until the last was asked: with one connection a closed loop would never send that."""
    last = threading.Event()
    own: list[RawServer] = []

    def script(connection: socket.socket, number: int) -> bool:
        asked = which(own[0], number)
        if asked == "19":
            last.set()
        elif asked == "0":
            assert last.wait(BOUND)
        connection.sendall(text(asked))
        return True

    with serving(script) as server:
        own.append(server)
        with engine(server) as made:
            seen = opened(made, [i / 1000 for i in range(20)], 1)
    assert seen["failure"] == {}
    assert last.is_set()


def test_an_open_loop_makes_connections_up_to_its_bound_and_no_further() -> None:
    peers: set[object] = set()

    def script(connection: socket.socket, _: int) -> bool:
        peers.add(connection.getpeername())
        if len(peers) == 3:
            full.set()
        assert full.wait(BOUND)
        connection.sendall(text("fine"))
        return True

    full = threading.Event()
    with serving(script) as server, engine(server, limit=3) as made:
        seen = opened(made, [0.0] * 30, 1)
    assert len(peers) == 3
    assert seen["failure"] == {}
    assert len(seen["reply"]) == 30


def test_to_wait_for_a_connection_is_the_servers_doing_and_not_the_generators() -> None:
    def stall(connection: socket.socket, number: int) -> bool:
        if number < 2:
            server.ended.wait(0.9)
        connection.sendall(text("fine"))
        return True

    with serving(stall) as server, engine(server, limit=2) as made:
        seen = opened(made, [i / 400 for i in range(40)], 2)
        after = opened(made, [i / 400 for i in range(4)], 2)
    assert seen["failure"] == {}
    assert median(seen["done_us"]) > 800_000
    assert 4 * median(seen["late_us"]) < median(seen["done_us"])
    assert all(late <= done for late, done in zip(after["late_us"], after["done_us"], strict=True))


def test_where_connections_are_to_be_had_all_of_being_late_is_the_generators() -> None:
    with echoing() as server, engine(server) as made:
        book, start = made.open_loop([0.0] * 50, list(range(50)), asks(50), 50, stream=False)
        seen: dict[str, Any] = book.columns(start, list(range(50)), made.timeout_s)
    assert book.waits == {}
    assert seen["late_us"] == [round((begun - due) * 1e6) for _, due, begun, *_ in sorted(book.rows)]


def test_what_was_never_sent_for_want_of_a_connection_is_not_late() -> None:
    def hang(_: socket.socket, __: int) -> bool:
        return server.ended.wait(BOUND) and False

    with serving(hang) as server, engine(server, timeout_s=0.3, limit=1) as made:
        seen = opened(made, [0.0] * 3, 1)
    assert 4 * median(seen["late_us"]) < min(seen["done_us"])


def test_replies_under_way_are_bounded_together_and_what_is_too_much_fails_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of three replies that stay under way only two have room: one is refused, and then the others go on."""
    monkeypatch.setattr(pool, "UNDER_WAY", 120_000)
    refused = threading.Event()
    data = reply(b"x" * 50_000)

    def script(connection: socket.socket, number: int) -> bool:
        if number < 3:
            connection.sendall(data[:45_000])
            while not refused.is_set():
                if select.select([connection], (), (), 0.01)[0]:
                    refused.set()
                    return False
            connection.sendall(data[45_000:])
        else:
            connection.sendall(data)
        return True

    with serving(script) as server, engine(server) as made:
        seen = closed(made, 3, 3)
        assert closed(made, 20, 2)["failure"] == {}
        assert made._pool._held == 0
    (why,) = seen["failure"].values()
    assert why == "too much is under way: the replies that are not whole yet have 120000 bytes"


def test_the_times_of_pieces_that_a_block_keeps_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MARKS", 5)
    with serving(sends(text("fine"))) as server, engine(server) as made:
        book, start = made.closed_loop([0], asks(1), 1, BOUND, 10, stream=True)
        seen: dict[str, Any] = book.columns(start, [0], made.timeout_s)
    assert sum(map(len, seen["marks"].values())) <= 5
    assert set(seen["failure"].values()) == {"not kept: the block's replies are too long"}


def test_what_cannot_be_sent_in_time_is_a_failure_and_says_why() -> None:
    def hang(_: socket.socket, __: int) -> bool:
        return server.ended.wait(BOUND) and False

    with serving(hang) as server, engine(server, timeout_s=0.3, limit=2) as made:
        seen = opened(made, [0.0] * 4, 2)
    assert [seen["failure"][str(i)] for i in (0, 1)] == ["no answer within 0.3 s"] * 2
    assert len(seen["failure"]) == 4
    assert min(seen["done_us"]) >= 300_000


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


def test_a_reply_that_comes_before_its_request_is_sent_whole_ends_the_connection() -> None:
    """The rest of that request would otherwise be lost, and the next one sent into the middle of it."""
    again = threading.Event()

    def script(connection: socket.socket, number: int) -> bool:
        connection.sendall(text("fine"))
        if number == 2:
            again.set()
        return number != 1 or (again.wait(BOUND) and False)

    with serving(script) as server, engine(server) as made:
        long = ASK % (0, b"") + b"x" * 8_000_000
        book, start = made.closed_loop([0, 1, 0], [*asks(1), long], 1, BOUND, 3, stream=False)
        seen: dict[str, Any] = book.columns(start, [0, 1, 0], made.timeout_s)
    assert seen["failure"] == {}
    assert len(server.questions) == 3


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


def test_a_server_that_dies_leaves_failures_that_say_so_and_a_closed_loop_that_ends() -> None:
    def script(connection: socket.socket, number: int) -> bool:
        if number == 3:
            server.die()
            return False
        connection.sendall(text("fine"))
        return True

    with serving(script) as server, engine(server) as made:
        seen = closed(made, 100)
        assert len(seen["reply"]) == 3 + MOST_UNREACHED
        assert seen["unreached"] == list(range(3, 3 + MOST_UNREACHED))
        assert seen["failure"]["3"].startswith("could not connect to the model: ")
        with pytest.raises(NoConnection, match="could not connect to the model"):
            closed(made, 1)


def test_what_a_server_says_behind_its_reply_is_nobodys_answer() -> None:
    with serving(sends(text("fine") + text("forged"))) as server, engine(server) as made:
        seen = closed(made, 5)
    assert seen["failure"] == {}
    assert len(seen["replies"]) == 1


def test_a_host_that_hangs_up_ends_a_block_at_once() -> None:
    asked = threading.Event()

    def hang(_: socket.socket, __: int) -> bool:
        asked.set()
        return server.ended.wait(BOUND) and False

    lifeline, host = os.pipe()

    def hang_up() -> None:
        asked.wait(BOUND)
        os.close(host)

    with serving(hang) as server:
        made = Engine(Target(("127.0.0.1",), port(server), "m"), BOUND, 8, lifeline)
        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(HostGone):
            closed(made, 1)
        thread.join()
        made.close()
        os.close(lifeline)


def trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=tls_file())


@pytest.mark.parametrize("data", [text("fine"), chunked(b"x" * 100_000), until_close(b"x" * 100_000)])
def test_tls_gives_the_same_replies(data: bytes) -> None:
    keep = not data.startswith(until_close(b""))
    with serving_tls(sends(data, keep=keep)) as server, engine(server, tls=trusting(), server_name="127.0.0.1") as made:
        assert closed(made, 10, 3)["failure"] == {}
        assert opened(made, [i / 1000 for i in range(10)])["failure"] == {}


def test_a_large_request_goes_through_tls_whole() -> None:
    with serving_tls(sends(text("fine"))) as server, engine(server, tls=trusting(), server_name="127.0.0.1") as made:
        body = b"x" * 3_000_000
        book, start = made.closed_loop([0], [ASK % (len(body), body)], 2, BOUND, 4, stream=False)
        assert book.columns(start, [0], BOUND)["failure"] == {}
