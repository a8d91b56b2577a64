"""Servers that a load generator meets: plain and TLS, keeping connections or not, and hostile on the wire."""

from __future__ import annotations

import atexit
import json
import shutil
import socket
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import trustme
from tests.support.raw_server import RawServer, Script, reply

FINE = json.dumps({"predictions": ["fine"]}).encode()


class TlsServer(RawServer):
    """The same, behind TLS."""

    @property
    def url(self) -> str:
        return super().url.replace("http:", "https:")

    def _serve(self, connection: socket.socket) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls_file())
        try:
            wrapped = context.wrap_socket(connection, server_side=True)
        except OSError:
            connection.close()
            return
        super()._serve(wrapped)


@cache
def tls_file() -> Path:
    """Return a file with a key and its certificate, for localhost and 127.0.0.1, and who vouches for it."""
    authority = trustme.CA()
    mine = authority.issue_cert("localhost", "127.0.0.1")
    path = Path(tempfile.mkdtemp(prefix="mlgate-tls-")) / "tls.pem"
    mine.private_key_and_cert_chain_pem.write_to_path(str(path))
    authority.cert_pem.write_to_path(str(path), append=True)
    atexit.register(shutil.rmtree, path.parent)
    return path


def trusting() -> ssl.SSLContext:
    """Return what a client needs that takes `tls_file` for genuine."""
    return ssl.create_default_context(cafile=tls_file())


@contextmanager
def serving_tls(script: Script) -> Iterator[TlsServer]:
    server = TlsServer(script)
    try:
        yield server
    finally:
        server.close()


def text(answer: str) -> bytes:
    return reply(json.dumps({"predictions": [answer]}).encode())


def chunked(body: bytes, size: int = 7, kind: str = "application/json") -> bytes:
    pieces = [body[i : i + size] for i in range(0, len(body), size)]
    framed = b"".join(b"%x;note=1\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head.encode() + framed + b"0\r\nX-Trailer: 1\r\n\r\n"


def until_close(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + body


def sends(data: bytes, *, keep: bool = True) -> Script:
    def script(connection: socket.socket, _: int) -> bool:
        connection.sendall(data)
        return keep

    return script


def asked_text(question: bytes) -> str:
    """Return the input that a KServe V1 request asks about."""
    return str(json.loads(question.partition(b"\r\n\r\n")[2])["instances"][0])


def delta(content: str | None, finish: str | None = None) -> bytes:
    value = {"choices": [{"index": 0, "delta": {"content": content}, "finish_reason": finish}]}
    return b"data: " + json.dumps(value).encode() + b"\n\n"


EVENTS_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
