"""An MLflow server that can be as bad as a test wants: it stands before a real one, or alone, and follows a script."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.support.waiting import PATIENCE

API = "/api/2.0/mlflow"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"

_HOPS = ("connection", "transfer-encoding", "content-length", "keep-alive", "host", "date", "server")
"""Headers of one connection: each side has its own."""


@dataclass(frozen=True)
class Request:
    """What a client asked."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """By name in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Reply:
    """What is answered."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "application/json"})

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Cut(Exception):  # noqa: N818 - a script's word: `raise Cut`
    """Raised by a script in place of a reply: the connection is reset."""


class Silence(Exception):  # noqa: N818 - likewise
    """Raised by a script in place of a reply: nothing is said until the client gives up."""


Ask = Callable[[], Reply]
"""Carry the request out on the real server."""
Script = Callable[[Request, Ask], Reply]


class FakeMlflow:
    """Where it is, what it was asked, and what it does."""

    def __init__(self, real: str | None) -> None:
        self.uri = ""
        self.scripts: dict[tuple[str, str], Script] = {}
        """By method and path, either with `*` for anything; the last that fits is followed, and none: passed on."""
        self.requests: list[Request] = []
        """In their order, those cut off too."""
        self.broken: list[str] = []
        """What failed in the fake itself; nothing may."""
        self._real = real
        self._left: int | None = None
        self._lost = False
        self._lock = threading.Lock()

    def __setitem__(self, call: tuple[str, str], script: Script) -> None:
        self.scripts.pop(call, None)
        self.scripts[call] = script

    @property
    def calls(self) -> list[str]:
        """Return the requests as `POST /api/2.0/mlflow/runs/create`."""
        return [str(request) for request in self.requests]

    def count(self, method: str = "*", path: str = "*") -> int:
        """Return how many requests there were, of some kind or at all: round trips."""
        return sum(_fits((method, path), request) for request in self.requests)

    def cut_after(self, requests: int, *, lost: bool = False) -> None:
        """Answer so many requests more, then reset every connection and carry nothing out.

        *lost*: the first one cut off is still carried out, and only its reply is lost.
        """
        self._left, self._lost = requests, lost

    def mend(self) -> None:
        """Pass everything on again, and forget what was asked."""
        self.scripts.clear()
        self.requests.clear()
        self._left = None

    def answer(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            cut, ask = self._spent()
            fitting = [script for call, script in self.scripts.items() if _fits(call, request)]
        if cut:
            if ask:
                self._ask(request)
            raise Cut
        return fitting[-1](request, lambda: self._ask(request)) if fitting else self._ask(request)

    def _spent(self) -> tuple[bool, bool]:
        """Whether this request is cut off, and whether it is carried out all the same."""
        if self._left is None or self._left > 0:
            self._left = None if self._left is None else self._left - 1
            return False, False
        first, self._lost = self._lost, False
        return True, first

    def _ask(self, request: Request) -> Reply:
        if self._real is None:
            return error(404, "ENDPOINT_NOT_FOUND", f"nothing is scripted for {request}")
        line = HTTPConnection(urlsplit(self._real).netloc, timeout=PATIENCE)
        try:
            target = request.path + (f"?{request.query}" if request.query else "")
            headers = {name: text for name, text in request.headers.items() if name not in _HOPS}
            line.request(request.method, target, request.body or None, headers)
            reply = line.getresponse()
            kept = {name.lower(): text for name, text in reply.getheaders() if name.lower() not in _HOPS}
            return Reply(reply.status, reply.read(), kept)
        finally:
            line.close()


def error(status: int, code: str, message: str = "a fault of the tests") -> Reply:
    """Return an error as MLflow words it."""
    return Reply(status, json.dumps({"error_code": code, "message": message}).encode())


def _fits(call: tuple[str, str], request: Request) -> bool:
    return fnmatchcase(request.method, call[0]) and fnmatchcase(request.path, call[1])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    fake: FakeMlflow

    def do_GET(self) -> None:
        request = self._request()
        try:
            reply = self.fake.answer(request)
        except Cut:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # RST, not FIN
            self.close_connection = True
        except Silence:
            while self.connection.recv(1024):
                pass
            self.close_connection = True
        else:
            self._say(reply)

    do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = do_GET  # noqa: N815 - the names that http.server looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
        pass

    def _request(self) -> Request:
        headers = {name.lower(): text for name, text in self.headers.items()}
        chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        body = b"".join(self._chunks()) if chunked else self.rfile.read(int(headers.get("content-length", 0)))
        path, _, query = self.path.partition("?")
        return Request(self.command, path, query, headers, body)

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _say(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, text in reply.headers.items():
            self.send_header(name, text)
        if reply.status != 204:
            self.send_header("content-length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # joined at the end

    def __init__(self, fake: FakeMlflow) -> None:
        super().__init__(("127.0.0.1", 0), type("Handler", (_Handler,), {"fake": fake}))
        self._fake = fake
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        if request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8) == struct.pack("ii", 1, 0):
            request.close()  # a shutdown would be a polite end
        else:
            super().shutdown_request(request)

    def hang_up(self) -> None:
        """End every conversation, those too that a client keeps open for later."""
        for line in tuple(self._open):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - the server's signature
        problem = sys.exception()
        if not isinstance(problem, ConnectionError):  # a client may hang up
            self._fake.broken.append(repr(problem))


@contextmanager
def faking(real: str | None = None) -> Iterator[FakeMlflow]:
    """Yield a server that passes requests on to *real*, an address; without one it answers 404 to what is not scripted.

    Passwords are passed on too: give a client `fake.uri` with them.
    """
    fake = FakeMlflow(real)
    server = _Server(fake)
    fake.uri = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.hang_up()
        server.server_close()
        thread.join()
    assert not fake.broken, "\n".join(fake.broken)
