"""Stands between mlgate and a real API server: everything is passed on, but for the faults that a test asks for."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from tests.support.waiting import PATIENCE

WRITES = ("POST", "PUT", "PATCH", "DELETE")


@dataclass
class Fault:
    """An answer instead of the right one; 0: the connection is cut."""

    code: int
    body: str = '{"kind": "Status", "message": "a fault of the test", "reason": "Fault"}'
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Script:
    """What happens to writes, by their number from 1. Reviews and dry runs are none."""

    before: Callable[[int], Fault | None] = lambda _: None
    """A fault instead of passing the write on."""
    after: Callable[[int], Fault | None] = lambda _: None
    """A fault instead of the reply, when the write has been carried out."""
    writes: list[str] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    """Every request: method and path."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def number(self, method: str, path: str) -> int:
        """Count a write."""
        with self.lock:
            self.writes.append(f"{method} {path}")
            return len(self.writes)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    script: Script
    upstream: Callable[[], HTTPSConnection]
    token: str


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        counts = self.command in WRITES and "dryRun" not in self.path and "reviews" not in self.path
        counts = (counts and "/leases/" not in self.path) or (counts and self.command == "POST")
        self.server.script.requests.append((self.command, urlsplit(self.path).path))
        number = self.server.script.number(self.command, urlsplit(self.path).path) if counts else 0
        fault = self.server.script.before(number) if number else None
        if fault is None:
            code, kind, reply = self._ask(body)
            fault = self.server.script.after(number) if number else None
        if fault is None:
            self._answer(code, reply, {"Content-Type": kind})
        elif fault.code:
            self._answer(fault.code, fault.body.encode(), {"Content-Type": "application/json", **fault.headers})
        else:
            self.close_connection = True
            self.connection.close()

    def _ask(self, body: bytes) -> tuple[int, str, bytes]:
        line = self.server.upstream()
        try:
            headers = {"Authorization": f"Bearer {self.server.token}", "Accept": "application/json"}
            if "Content-Type" in self.headers:
                headers["Content-Type"] = self.headers["Content-Type"]
            line.request(self.command, self.path, body or None, headers)
            reply = line.getresponse()
            return reply.status, reply.headers.get("Content-Type", ""), reply.read()
        finally:
            line.close()

    def _answer(self, code: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass_on  # noqa: N815 - the names that the library calls

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def proxied(kubeconfig: Path, folder: Path, script: Script) -> Iterator[Path]:
    """Yield a kubeconfig whose cluster is reached through the proxy."""
    written: dict[str, Any] = yaml.safe_load(kubeconfig.read_text())
    cluster, user = written["clusters"][0]["cluster"], written["users"][0]["user"]
    place = urlsplit(cluster["server"])
    context = ssl.create_default_context(cafile=cluster["certificate-authority"])

    def upstream() -> HTTPSConnection:
        assert place.hostname
        return HTTPSConnection(place.hostname, place.port, context=context, timeout=PATIENCE)

    server = _Server(("127.0.0.1", 0), _Handler)
    server.script, server.upstream, server.token = script, upstream, user["token"]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    written["clusters"][0]["cluster"] = {"server": f"http://127.0.0.1:{server.server_address[1]}"}
    written["users"][0]["user"] = {}
    made = folder / "proxied-kubeconfig"
    made.write_text(yaml.safe_dump(written))
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
