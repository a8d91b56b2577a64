"""The load generator's connections to one server: opened before a block, kept between blocks. Standard library only."""

from __future__ import annotations

import select
import time

from mlgate.adapters.load.connection import CHUNK_BYTES, Connection, Target
from mlgate.adapters.load.http1_parser import Reader

CONNECT_S = 10.0
"""The longest that connections may take to come about before a block."""
UNDER_WAY = 64 << 20
"""The most bytes of all replies that are under way: a hostile server must not fill this machine's memory."""
_IN, _OUT = select.EPOLLIN, select.EPOLLOUT


class HostGone(Exception):  # noqa: N818 - what happened, caught by its one caller
    """The host has gone: there is nobody to measure for."""


class NoConnection(Exception):  # noqa: N818 - what happened, caught by its one caller
    """Not one connection could be opened before a block."""


class ConnectionPool:
    """Opens connections, watches them with epoll, and closes them. For one thread."""

    def __init__(self, target: Target, limit: int, lifeline: int = -1) -> None:
        """Prepare; nothing is opened yet. The end of the descriptor *lifeline* says that the host has gone."""
        self.target = target
        self.limit = limit
        """The most connections at once."""
        self.connections: dict[int, Connection] = {}
        """The open ones by descriptor, the oldest first."""
        self.free: list[Connection] = []
        """Those without a request; the last one gets the next request."""
        self.epoll = select.epoll()
        self.stamped = False
        """Whether the kernel says when bytes arrived."""
        self._address = ""
        self._held = 0
        """Bytes of the replies under way."""
        if lifeline >= 0:
            self.epoll.register(lifeline, 0)  # its hang-up is reported unasked

    def fill(self, n: int, within_s: float, *, stamped: bool) -> None:
        """Have *n* connections open and free, or as many as come about. Raises NoConnection when there is none."""
        self._weed()
        self.stamped = False
        why = ""
        if not self.connections:
            for address in self.target.addresses:
                self._address = address
                why = self._open(1, within_s)
                if self.connections:
                    break
            else:
                raise NoConnection(f"could not connect to {self.target.name}: {why}")
        self._open(min(n, self.limit) - len(self.connections), within_s)
        self.stamped = stamped
        for c in self.connections.values():
            c.kept = True
            c.stamp(on=stamped)
        # The oldest on top: a server with one worker answers nobody else while the first connection is open.
        self.free[:] = reversed(self.connections.values())

    def take(self) -> Connection | None:
        """Return a free connection or a new one; None: the server has to give one back first. Raises OSError."""
        if self.free:
            return self.free.pop()
        return self.dial() if len(self.connections) < self.limit else None

    def dial(self) -> Connection:
        """Begin to connect. Raises OSError."""
        c = Connection(self.target, self._address)
        if self.stamped:
            c.stamp(on=True)
        self.connections[c.fd] = c
        self.epoll.register(c.fd, _IN | _OUT)
        return c

    def at(self, fd: int) -> Connection:
        """Return the connection that epoll reports. Raises HostGone when it is the lifeline."""
        c = self.connections.get(fd)
        if c is None:
            raise HostGone
        return c

    def send_later(self, c: Connection) -> None:
        """Watch until the socket takes more of what is left to send."""
        self.epoll.modify(c.fd, _IN | _OUT)

    def send_rest(self, c: Connection) -> None:
        """Send what is left, now that the socket takes more. Raises OSError: no connection."""
        if not c.writable():
            self.epoll.modify(c.fd, _IN)

    def feed(self, reader: Reader, data: bytes, now: float) -> bool:
        """Give *reader* what came of its reply; return whether the reply is over: whole, or refused."""
        before = reader.held
        over = reader.feed(data, now)
        self._held += reader.held - before
        if not over and self._held > UNDER_WAY:
            reader.refuse(f"too much is under way: the replies that are not whole yet have {UNDER_WAY} bytes")
            over = True
        return over

    def forget(self, c: Connection) -> None:
        """Let go of what was read of a reply."""
        if c.reader is not None:
            self._held -= c.reader.held
            c.reader = None

    def drop(self, c: Connection) -> None:
        """Close a connection. May be called twice."""
        if self.connections.pop(c.fd, None) is None:
            return
        if c in self.free:
            self.free.remove(c)
        self.epoll.unregister(c.fd)
        self.forget(c)
        c.close()

    def close(self) -> None:
        """Hang up."""
        for c in list(self.connections.values()):
            self.drop(c)
        self.epoll.close()

    def _weed(self) -> None:
        """Drop the connections that the server has closed since the last block, or on which it speaks unasked."""
        for fd, flags in self.epoll.poll(0):
            c = self.at(fd)
            try:
                if flags & ~_IN:
                    self.send_rest(c)
                if flags & ~_OUT:
                    c.recv(CHUNK_BYTES)
                    self.drop(c)
            except BlockingIOError:
                pass
            except OSError:
                self.drop(c)

    def _open(self, n: int, within_s: float) -> str:
        """Open up to *n* more, together; return why one failed."""
        why = ""
        end = time.perf_counter() + min(CONNECT_S, within_s)
        try:
            fresh = [self.dial() for _ in range(n)]
        except OSError as error:
            return error_text(error)
        while fresh and (left := end - time.perf_counter()) > 0:
            for fd, flags in self.epoll.poll(left):
                why = self._grow(fd, flags) or why
            fresh = [c for c in fresh if c.fd in self.connections and not c.ready]
        for c in fresh:
            why = "it took too long"
            self.drop(c)
        return why

    def _grow(self, fd: int, flags: int) -> str:
        """One step of a connection that comes about before a block; return why it failed, if it did."""
        c = self.at(fd)
        try:
            if flags != _IN:
                self.send_rest(c)
            if flags & _IN and not c.recv(CHUNK_BYTES):
                self.drop(c)
                return "the server closed the connection"
        except BlockingIOError:
            pass
        except OSError as error:
            self.drop(c)
            return error_text(error)
        return ""


def error_text(error: BaseException) -> str:
    """Return what an error says, or its name when it says nothing."""
    return str(error) or type(error).__name__
