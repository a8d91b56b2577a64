"""Blocks over connections that are kept, in plain and in TLS, until the host has gone."""

from __future__ import annotations

import os
import socket
import threading

import pytest
from tests.support.engines import ASK, closed, engine, opened, port
from tests.support.raw_server import serving
from tests.support.servers_load import chunked, sends, serving_tls, text, trusting, until_close
from tests.support.waiting import PATIENCE as BOUND

from mlgate.adapters.load.connection import Target
from mlgate.adapters.load.engine import Engine
from mlgate.adapters.load.pool import HostGone


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
