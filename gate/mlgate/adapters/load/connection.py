"""One connection of the load generator: plain or TLS behind the same two calls. Standard library only."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from mlgate.adapters.load.http1_parser import Reader

CHUNK_BYTES = 1 << 16
IDLE = -1
"""The slot of a connection that has no request."""
SO_TIMESTAMPING = 37
_RX_SOFTWARE = 1 << 3 | 1 << 4
"""Linux, asm-generic/socket.h and net_tstamp.h: stamp what is received, and report the stamps."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect: numeric addresses only, so that nothing is looked up behind the gate's back."""

    addresses: tuple[str, ...]
    """All checked by the host; the first that takes a connection is kept."""
    port: int
    name: str = ""
    """What people call it, for failures."""
    tls: ssl.SSLContext | None = None
    server_name: str = ""


class Connection:
    """A socket and the request that is on it."""

    __slots__ = (
        "begun", "connecting", "due", "fd", "kept", "reader", "recv", "rest", "send", "slot", "sock", "tls",
    )  # fmt: skip

    def __init__(self, target: Target, address: str) -> None:
        """Begin to connect. Raises OSError."""
        self.sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        try:
            self.sock.setblocking(False)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            code = self.sock.connect_ex((address, target.port))
            if code not in (0, errno.EINPROGRESS):
                raise OSError(code, os.strerror(code))  # noqa: TRY301 - the socket is closed below, in one place
        except BaseException:
            self.sock.close()
            raise
        self.fd = self.sock.fileno()
        self.tls = _Tls(self.sock, target.tls, target.server_name) if target.tls else None
        self.recv: Callable[[int], bytes] = self.tls.recv if self.tls else self.sock.recv
        """Returns what came, b"" at the end; raises BlockingIOError when nothing did, else OSError."""
        self.send: Callable[[bytes], int] = self.tls.send if self.tls else self.sock.send
        """Returns how much was taken; raises OSError."""
        self.connecting = True  # also when it is done already: one way only
        self.rest = b""
        """What could not be sent yet."""
        self.slot = IDLE
        """Which request of the block is on the way."""
        self.due = 0.0
        self.begun = 0.0
        """When the generator acted on the request: sent it, or began to connect for it."""
        self.reader: Reader | None = None
        """There from a reply's first piece on, when it did not come whole at once."""
        self.kept = False
        """Whether it was open before its request was due: the server may have closed it meanwhile."""

    def stamp(self, *, on: bool) -> None:
        """Let the kernel say when bytes arrived, where it can: a late wake-up is then not charged to the server."""
        with contextlib.suppress(OSError):
            self.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, _RX_SOFTWARE if on else 0)

    @property
    def ready(self) -> bool:
        """Whether a request would be on the wire at once."""
        return not self.connecting and (self.tls is None or self.tls.ready)

    def put(self, data: bytes) -> bool:
        """Send what can be sent of *data*; return whether something is left for later.

        An end of the connection is not told here: reading, which comes next, finds a last reply before it.
        """
        self.rest = data
        if not self.connecting:
            self._push()
        return self.busy

    def writable(self) -> bool:
        """Go on, now that the socket takes more; return whether something is left. Raises OSError: no connection."""
        if self.connecting:
            code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                raise OSError(code, os.strerror(code))
            self.connecting = False
            if self.tls:
                self.tls.begin()
        self._push()
        return self.busy

    @property
    def busy(self) -> bool:
        """Whether something waits to be sent."""
        return self.connecting or bool(self.rest) or bool(self.tls and self.tls.waiting)

    def _push(self) -> None:
        try:
            while self.rest:
                self.rest = self.rest[self.send(self.rest) :]
            if self.tls:
                self.tls.flush()
        except BlockingIOError:
            pass
        except OSError:
            self.rest = b""

    def close(self) -> None:
        """Give the socket back."""
        self.slot = IDLE
        self.reader = None
        self.sock.close()


class _Tls:
    """TLS over memory: epoll watches the bare socket, and nothing stays behind in a buffer that it cannot see."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, server_name: str) -> None:
        self._sock = sock
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._in, self._out, server_hostname=server_name)
        self._queue = b""
        self.ready = False
        self.waiting = b""
        """Ciphertext that the socket did not take yet."""

    def begin(self) -> None:
        self._shake()
        self.flush()

    def _shake(self) -> None:
        if self.ready:
            return
        with contextlib.suppress(ssl.SSLWantReadError):
            self._object.do_handshake()
            self.ready = True
            if self._queue:
                self._object.write(self._queue)
                self._queue = b""

    def send(self, data: bytes) -> int:
        if self.ready:
            self._object.write(data)
        else:
            self._queue += data
            self._shake()
        self.flush()
        return len(data)

    def flush(self) -> None:
        self.waiting += self._out.read()
        try:
            while self.waiting:
                self.waiting = self.waiting[self._sock.send(self.waiting) :]
        except BlockingIOError:
            pass

    def recv(self, size: int) -> bytes:
        data = self._sock.recv(size)
        if data:
            self._in.write(data)
        else:
            self._in.write_eof()
        plain = bytearray()
        try:
            if not self.ready:
                self._shake()
                if not self.ready and not data:
                    raise ConnectionResetError("the TLS handshake was cut off")
            while self.ready and (piece := self._object.read(CHUNK_BYTES)):
                plain += piece
            ended = self.ready
        except ssl.SSLWantReadError:
            ended = False
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            ended = True
        finally:
            with contextlib.suppress(OSError):
                self.flush()
        if plain:
            return bytes(plain)
        if ended or not data:
            return b""
        raise BlockingIOError
