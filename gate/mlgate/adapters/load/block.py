"""One block of requests: which are under way, and what became of the others. Standard library only."""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Sequence

from mlgate.adapters.load.connection import CHUNK_BYTES, IDLE, SO_TIMESTAMPING, Connection
from mlgate.adapters.load.http1_parser import SILENT, Reader
from mlgate.adapters.load.pool import ConnectionPool, error_text
from mlgate.adapters.load.results import Results

_IN, _OUT = select.EPOLLIN, select.EPOLLOUT


class Block:
    """Begins requests over the pool's connections, and writes down how each ended."""

    def __init__(
        self, pool: ConnectionPool, plan: Sequence[int], payloads: Sequence[bytes], timeout_s: float, *, stream: bool
    ) -> None:
        """Prepare; nothing is sent yet. Request i is the payload of the number *plan[i]*, around again at its end."""
        self.pool = pool
        self.plan = plan
        self.payloads = payloads
        self.timeout_s = timeout_s
        self.stream = stream
        """Whether the time of each piece of a reply is kept."""
        self.results = Results()
        self.active = 0
        """Requests under way."""
        self.unreached = 0
        """How many requests in a row could not even be sent."""
        self.starved = -1
        """How many requests had ended when one that was due found no connection; negative: none waits for one."""

    def begin(self, slot: int, due: float | None) -> bool:
        """Begin a request, due now or when it says, on a free connection or a new one; False: none to be had yet."""
        begun = time.perf_counter()
        due = begun if due is None else due
        try:
            c = self.pool.take()
        except OSError as error:
            self._fail_unreached(slot, due, begun, error)
            return True
        if c is None and begun - due < self.timeout_s:
            self.starved = len(self.results.rows)
            return False
        if c is None:
            self.results.waits[slot] = begun - due
            self.results.fail(slot, due, begun, begun, f"not sent: {self.pool.limit} connections wait for an answer")
            return True
        if self.starved >= 0:
            self.results.waits[slot] = max(0.0, self._room(begun) - due)
        c.slot, c.due, c.begun = slot, due, begun
        self.active += 1
        self._put(c)
        return True

    def event(self, fd: int, flags: int, now: float) -> None:
        """Go on with the connection that epoll reports: send, or take what came. Raises HostGone."""
        c = self.pool.at(fd)
        if flags & ~_IN:
            try:
                self.pool.send_rest(c)
            except OSError as error:
                self._cut(c, error, now)
                return
            if not flags & ~_OUT:
                return
        try:
            data, now = self._receive(c, now)
        except OSError as error:
            self.receive_error(c, error, now)
        else:
            self.take(c, data, now)

    def take(self, c: Connection, data: bytes, now: float) -> None:
        """Take what came on *c*; nothing at all is its end."""
        if c.slot == IDLE:
            self.pool.drop(c)  # closed, or a server that speaks unasked
        elif not data:
            self._cut(c, None, now)
        elif c.reader or c.busy or self.stream or (place := self.results.recognise(data)) < 0:
            self._read(c, data, now)
        else:
            self.unreached = 0
            self.results.rows.append((c.slot, c.due, c.begun, now, now, place))
            self._settle(c, reusable=True)

    def receive_error(self, c: Connection, error: OSError, now: float) -> None:
        """Take note that nothing could be received: not yet, or never again."""
        if not isinstance(error, BlockingIOError):
            self._cut(c, error, now)

    def release(self, c: Connection) -> None:
        """The request is over, and its connection is free."""
        c.slot = IDLE
        self.active -= 1
        self.pool.free.append(c)

    def expire(self, now: float, next_due: float) -> float:
        """Fail what is out of time; return when to look again."""
        connections = self.pool.connections
        over = now - self.timeout_s
        for c in [c for c in connections.values() if c.slot != IDLE and c.due <= over]:
            self.active -= 1
            self.results.fail(c.slot, c.due, c.begun, now, f"no answer within {self.timeout_s:g} s")
            self.pool.drop(c)
        oldest = min((c.due for c in connections.values() if c.slot != IDLE), default=next_due)
        return max(min(oldest, next_due) + self.timeout_s, now + 0.001)

    def _room(self, now: float) -> float:
        """Return since when there is a connection for the request that waits: since the next one before it ended."""
        rows = self.results.rows
        return rows[self.starved][4] if self.starved < len(rows) else now

    def _put(self, c: Connection) -> None:
        if c.put(self.payloads[self.plan[c.slot % len(self.plan)]]) and not c.connecting:
            self.pool.send_later(c)

    def _receive(self, c: Connection, now: float) -> tuple[bytes, float]:
        """Return what came, and when: by the kernel's stamp where there is one."""
        if not self.pool.stamped:
            return c.recv(CHUNK_BYTES), now
        data, notes, _, _ = c.sock.recvmsg(CHUNK_BYTES, 128)
        for level, kind, value in notes:
            if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPING:
                whole, nano = struct.unpack_from("qq", value)
                if whole:
                    age = time.clock_gettime(time.CLOCK_REALTIME) - (whole + nano * 1e-9)
                    now = min(now, max(c.begun, time.perf_counter() - age))
        return data, now

    def _read(self, c: Connection, data: bytes, now: float) -> None:
        """Read what came on *c* with care."""
        reader = c.reader
        if reader is None:
            reader = c.reader = Reader(stream=self.stream)
        if self.pool.feed(reader, data, now):
            self._finish(c, reader, now)

    def _cut(self, c: Connection, error: OSError | None, now: float) -> None:
        """The connection has ended. A kept one without a byte of reply: once more on a fresh one, not more.

        A server may close a kept connection just when the next request is on its way (RFC 9112, 9.3.1).
        """
        slot, due, begun, reader = c.slot, c.due, c.begun, c.reader
        reached = c.ready
        if slot == IDLE:
            self.pool.drop(c)
        elif reader is not None:
            reader.end(error_text(error) if error else "")
            self._finish(c, reader, now)
        elif c.kept:
            self.pool.drop(c)
            self._ask_again(slot, due, begun)
        else:
            self.pool.drop(c)
            self.active -= 1
            if reached:
                self.unreached = 0
                self.results.fail(slot, due, begun, now, SILENT)
            else:
                self._fail_unreached(slot, due, begun, error or ConnectionResetError("closed at once"))

    def _ask_again(self, slot: int, due: float, begun: float) -> None:
        """Send a request once more, on a fresh connection."""
        try:
            c = self.pool.dial()
        except OSError as error:
            self.active -= 1
            self._fail_unreached(slot, due, begun, error)
            return
        c.slot, c.due, c.begun = slot, due, begun
        self._put(c)

    def _fail_unreached(self, slot: int, due: float, begun: float, error: OSError) -> None:
        self.unreached += 1
        self.results.unreached.add(slot)
        why = f"could not connect to {self.pool.target.name}: {error_text(error)}"
        self.results.fail(slot, due, begun, time.perf_counter(), why)

    def _finish(self, c: Connection, reader: Reader, now: float) -> None:
        """The reply is over, whole or not."""
        results, place, failure = self.results, -1, reader.failure
        self.unreached = 0
        if reader.head and not failure:
            place = results.place(reader.head, bytes(reader.body))
            if place >= 0 and reader.marks and not results.mark(c.slot, reader.marks):
                place = -1
            failure = "" if place >= 0 else "not kept: the block's replies are too long"
            results.learn(reader, reader.head)
        results.rows.append((c.slot, c.due, c.begun, reader.first, now, place))
        if failure:
            results.failures[c.slot] = failure
        self._settle(c, reusable=reader.reusable and not c.busy)

    def _settle(self, c: Connection, *, reusable: bool) -> None:
        """The request is over: the next one may have the connection, or nobody."""
        if reusable:
            c.kept = True
            self.pool.forget(c)
            self.release(c)
        else:
            self.active -= 1
            self.pool.drop(c)
