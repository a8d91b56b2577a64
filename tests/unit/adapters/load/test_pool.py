"""Connections before and between blocks: which are opened, which are kept, and which are of no use any more."""

from __future__ import annotations

import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.support.engines import closed, engine
from tests.support.raw_server import reply, serving
from tests.support.servers_load import sends, serving_tls, text, trusting
from tests.support.waiting import PATIENCE

from mlgate.adapters.load import pool as pool_module
from mlgate.adapters.load.connection import Target
from mlgate.adapters.load.pool import ConnectionPool, NoConnection


@contextmanager
def pooled(*addresses: str, port: int, limit: int = 8, **more: Any) -> Iterator[ConnectionPool]:
    made = ConnectionPool(Target(addresses, port, "the model", **more), limit)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def listening() -> Iterator[tuple[socket.socket, int]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener, listener.getsockname()[1]


def test_the_first_address_that_answers_is_taken() -> None:
    with listening() as (_, port), pooled("127.0.0.2", "127.0.0.1", port=port) as pool:
        pool.fill(2, PATIENCE, stamped=False)
        assert {c.sock.getpeername() for c in pool.connections.values()} == {("127.0.0.1", port)}
        assert len(pool.free) == 2


def test_where_nobody_listens_it_says_why() -> None:
    with listening() as (_, port):
        pass
    with pooled("127.0.0.1", port=port) as pool, pytest.raises(NoConnection, match="could not connect to the model: "):
        pool.fill(1, PATIENCE, stamped=False)


def test_it_opens_no_more_than_its_limit_and_no_more_than_are_asked_for() -> None:
    with listening() as (_, port), pooled("127.0.0.1", port=port, limit=3) as pool:
        pool.fill(2, PATIENCE, stamped=False)
        assert len(pool.connections) == 2
        pool.fill(5, PATIENCE, stamped=False)
        assert len(pool.connections) == 3
        assert [pool.take() for _ in range(4)] == [*pool.connections.values(), None]


def test_a_connection_that_was_dropped_makes_room() -> None:
    with listening() as (_, port), pooled("127.0.0.1", port=port, limit=1) as pool:
        pool.fill(1, PATIENCE, stamped=False)
        (old,) = pool.free
        pool.drop(old)
        pool.drop(old)
        fresh = pool.take()
        assert fresh is not None
        assert fresh is not old
        assert not fresh.kept


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\n\r\n"], ids=["closed", "speaks unasked"])
def test_a_connection_that_came_to_its_end_between_two_blocks_is_replaced(said: bytes) -> None:
    with listening() as (listener, port), pooled("127.0.0.1", port=port) as pool:
        pool.fill(2, PATIENCE, stamped=False)
        first, second = pool.connections.values()
        accepted, _ = listener.accept()
        accepted.sendall(said)
        with accepted:
            if not said:
                accepted.shutdown(socket.SHUT_WR)
            select.select([first.sock], (), (), PATIENCE)
            pool.fill(2, PATIENCE, stamped=False)
        assert first.sock.fileno() == -1
        assert next(iter(pool.connections.values())) is second
        assert len(pool.free) == 2


@pytest.mark.parametrize(
    ("context", "name", "why"),
    [
        (ssl.create_default_context, "127.0.0.1", "certificate verify failed"),
        (trusting, "elsewhere.example", "Hostname mismatch"),
    ],
)
def test_a_certificate_that_is_not_the_servers_is_not_accepted(context: Any, name: str, why: str) -> None:
    with serving_tls(sends(text("fine"))) as server:
        port = int(server.url.rpartition(":")[2])
        with (
            pooled("127.0.0.1", port=port, tls=context(), server_name=name) as pool,
            pytest.raises(NoConnection, match=why),
        ):
            pool.fill(1, PATIENCE, stamped=False)
    assert server.questions == []


def test_replies_under_way_are_bounded_together_and_what_is_too_much_fails_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of three replies that stay under way only two have room: one is refused, and then the others go on."""
    monkeypatch.setattr(pool_module, "UNDER_WAY", 120_000)
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
