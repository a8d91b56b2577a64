"""The closed loop against real sockets: the next request when one is done, and an end when nobody is there."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest
from tests.support.engines import ASK, asks, bodies, closed, echoing, engine
from tests.support.raw_server import serving
from tests.support.servers_load import text
from tests.support.waiting import PATIENCE as BOUND

from mlgate.adapters.load.closed_loop import MOST_UNREACHED
from mlgate.adapters.load.pool import NoConnection


@pytest.mark.parametrize("concurrency", [1, 3, 16])
def test_in_a_closed_loop_every_request_gets_its_own_reply(concurrency: int) -> None:
    with echoing() as server, engine(server) as made:
        seen = closed(made, 50, concurrency)
    assert bodies(seen) == [str(i) for i in range(50)]
    assert seen["payload"] == list(range(50))
    assert seen["failure"] == {}
    assert set(seen["late_us"]) == {0}
    assert all(0 < first <= done for first, done in zip(seen["first_us"], seen["done_us"], strict=True))


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
