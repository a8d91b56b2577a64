"""An engine of the load generator, what it asks, and a server that answers with what it was asked."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.support.raw_server import RawServer, Script, reply, serving
from tests.support.waiting import PATIENCE as BOUND

from mlgate.adapters.load.connection import Target
from mlgate.adapters.load.engine import Engine

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
