"""One question over HTTP, ended by a deadline that no server can stretch."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException, RemoteDisconnected
from typing import Self

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from mlgate.adapters.http.address import Address, refuse_forbidden

LARGEST_REPLY = 16 << 20
"""The longest reply, in bytes."""
CONNECT_S = 10.0
"""The longest that one connection may take to come about."""
_CHUNK_BYTES = 1 << 16


class Unreachable(Exception):  # noqa: N818 - what happened, caught by its one caller
    """Nothing was sent: the server was never there to be asked."""


class HungUp(Unreachable):
    """The gate itself has ended the line."""


class Broken(Exception):  # noqa: N818 - what happened, caught by its one caller
    """The question was sent, and no whole reply came back."""


class _Silent(Exception):  # noqa: N818 - what happened, caught by its one caller
    """The connection was closed before any of a reply was read."""


@dataclass(frozen=True)
class HttpReply:
    """A whole reply, whatever it says."""

    status: int
    kind: str
    """Its content type, without parameters."""
    body: bytes
    location: str = ""
    """Where it redirects to; empty where it does not, or nobody kept it."""
    retry_after: str = ""
    """When a busy server wants to be asked again, as it says it."""


class HttpConnection:
    """One connection to the server: opened when needed, kept while the server keeps it. For one thread at a time."""

    def __init__(self, address: Address, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        connect_s = min(CONNECT_S, timeout_s)
        self._connection = (
            HTTPSConnection(address.host, address.port, timeout=connect_s, ssl_context=ssl.create_default_context())
            if address.scheme == "https"
            else HTTPConnection(address.host, address.port, timeout=connect_s)
        )
        self._connect_s = connect_s
        self._ended = False

    def post(self, target: str, body: bytes, headers: Mapping[str, str]) -> HttpReply:
        """Send *body* and return the reply. Raises Unreachable or Broken; the line can be used again after both.

        A server may close a kept connection just when the next question is on its way. That question is asked again
        on a fresh connection, once, as HTTP clients do (RFC 9112, 9.3.1); a fresh connection is never tried twice.
        """
        for fresh in (False, True) if self._connection.is_connected else (True,):
            if fresh:
                self._open()
            try:
                return self._exchange(target, body, headers)
            except _Silent as error:
                self.close()
                if fresh:
                    raise Broken(str(error)) from error
            except BaseException:
                self.close()
                raise
        raise AssertionError

    def _open(self) -> None:
        self.close()
        if self._ended:
            raise HungUp("hung up")
        self._connection.timeout = self._connect_s
        try:
            self._connection.connect()
            refuse_forbidden(self._socket().getpeername()[0])
        except (HTTPError, OSError) as error:
            self.close()
            reason = error.__cause__ or error
            raise Unreachable(str(reason) or type(reason).__name__) from error
        except BaseException:
            self.close()
            raise

    def _exchange(self, target: str, body: bytes, headers: Mapping[str, str]) -> HttpReply:
        connection = self._connection
        connection.timeout = self._timeout_s
        with _Alarm(self._socket(), self._timeout_s) as alarm:
            try:
                # A server that has read enough may answer and close while the body is still being sent.
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    connection.request("POST", target, body, headers, preload_content=False, decode_content=False)
                with contextlib.closing(connection.getresponse()) as response:
                    reply = _read(response)  # closed whatever happens: else its socket waits for the collector
            except (HTTPError, HTTPException, OSError, ValueError) as error:
                if self._ended:
                    raise HungUp("hung up") from error
                late = isinstance(error, TimeoutError) or isinstance(error.__cause__, TimeoutError)
                if alarm.rang or late:
                    raise Broken(f"no answer within {self._timeout_s:g} s") from error
                if isinstance(error, RemoteDisconnected | ConnectionResetError):
                    raise _Silent("the server closed the connection without an answer") from error
                what = str(error) or type(error).__name__
                raise Broken(f"the connection broke before the answer was whole: {what}") from error
        if alarm.rang:  # the end that it made looks like the server's own, and headers or a body may end so
            raise Broken(f"no answer within {self._timeout_s:g} s")
        return reply

    def _socket(self) -> socket.socket:
        """Return the open socket. It is looked at before `_ended`, which hang_up sets before it looks: one sees it."""
        open_socket = self._connection.sock
        if open_socket is None or self._ended:
            raise HungUp("hung up")
        return open_socket

    def hang_up(self) -> None:
        """End the exchange that another thread is in the middle of, and any that it would begin."""
        self._ended = True
        if (open_socket := self._connection.sock) is not None:
            _shut(open_socket)

    def close(self) -> None:
        """Give the connection back. The next question opens another."""
        self._connection.close()


def _read(response: BaseHTTPResponse) -> HttpReply:
    announced = response.headers.get("content-length", "")
    if announced.isascii() and announced.isdecimal() and len(announced) < 30 and int(announced) > LARGEST_REPLY:  # noqa: PLR2004 - int() has limits
        raise Broken(f"the server announces {announced} bytes: more than {LARGEST_REPLY} are not taken")
    body = bytearray()
    for chunk in response.stream(_CHUNK_BYTES, decode_content=False):
        body += chunk
        if len(body) > LARGEST_REPLY:
            raise Broken(f"the server sends more than {LARGEST_REPLY} bytes")
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    told = (response.headers.get(name, "") for name in ("location", "retry-after"))
    return HttpReply(response.status, kind, bytes(body), *told)


def _shut(open_socket: socket.socket) -> None:
    # The plain socket's method, for TLS too: it wakes a reader in another thread and leaves its TLS state alone.
    with contextlib.suppress(OSError):
        socket.socket.shutdown(open_socket, socket.SHUT_RDWR)


class _Alarm:
    """Shuts a socket when the time is up: a socket's own timeout starts again with every byte of a slow server."""

    def __init__(self, open_socket: socket.socket, seconds: float) -> None:
        self._socket = open_socket
        self._lock = threading.Lock()
        self._over = False
        self.rang = False
        self._timer = threading.Timer(seconds, self._ring)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            self._over = True

    def _ring(self) -> None:
        with self._lock:
            if not self._over:
                self.rang = True
                _shut(self._socket)
