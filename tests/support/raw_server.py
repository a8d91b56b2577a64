"""A server that does on the wire what no HTTP library would, and the model that asks it."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.waiting import PATIENCE

from mlgate.adapters.models.http_model import HttpModel
from mlgate.adapters.protocols.kserve import KServeV1
from mlgate.core.check import Example
from mlgate.core.ports import Answer, Failure

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
        self._connections: list[socket.socket] = []
        self._is_dead = False
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
            with self._lock:
                if self._is_dead:
                    connection.close()
                    return
                self._connections.append(connection)
            self._spawn(lambda connection=connection: self._serve(connection))  # type: ignore[misc]

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                while (asked := question(connection)) is not None:
                    with self._lock:
                        number = len(self.questions)
                        self.questions.append(asked)
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

    def die(self) -> None:
        """Be gone at once, as a process that was killed: nobody can connect, and every open connection ends."""
        self.stop_listening()
        with self._lock:
            self._is_dead = True
            for connection in self._connections:
                with contextlib.suppress(OSError):  # it is closed already
                    connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.ended.set()
        self.stop_listening()
        for thread in self._threads:
            thread.join()


def question(connection: socket.socket) -> bytes | None:
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
        if not (piece := connection.recv(65536)):
            return None
        body += piece
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


def ask(url: str, n: int = 1, **options: Any) -> list[str | Answer | Failure]:
    settings: dict[str, Any] = {"timeout_s": PATIENCE, "retries": 0, **options}
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
