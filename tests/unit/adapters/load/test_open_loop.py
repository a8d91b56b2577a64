"""The open loop against real sockets: requests go out when they are due, and who is late is told apart."""

from __future__ import annotations

import socket
import threading
from statistics import median
from typing import Any

from tests.support.engines import asks, bodies, echoing, engine, opened, which
from tests.support.raw_server import RawServer, serving
from tests.support.servers_load import text
from tests.support.waiting import PATIENCE as BOUND


def test_in_an_open_loop_every_request_gets_its_own_reply_and_its_due_time() -> None:
    due = [i / 2000 for i in range(100)]
    with echoing() as server, engine(server) as made:
        seen = opened(made, due)
    assert bodies(seen) == [str(i) for i in range(100)]
    assert seen["due_us"] == [round(one * 1e6) for one in due]
    assert seen["failure"] == {}
    times = zip(seen["late_us"], seen["first_us"], seen["done_us"], strict=True)
    assert all(0 <= late < first <= done for late, first, done in times)


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


def test_what_cannot_be_sent_in_time_is_a_failure_and_says_why() -> None:
    def hang(_: socket.socket, __: int) -> bool:
        return server.ended.wait(BOUND) and False

    with serving(hang) as server, engine(server, timeout_s=0.3, limit=2) as made:
        seen = opened(made, [0.0] * 4, 2)
    assert [seen["failure"][str(i)] for i in (0, 1)] == ["no answer within 0.3 s"] * 2
    assert len(seen["failure"]) == 4
    assert min(seen["done_us"]) >= 300_000
