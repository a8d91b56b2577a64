"""The load generator: one thread, epoll, keep-alive connections. Open loop by a schedule, closed loop by concurrency.

Standard library only. In the open loop latency counts from when a request was due, so a server that stalls is charged
for every request that had to wait (Tene: coordinated omission). Waits are made by select() on epoll's own descriptor,
which knows microseconds; epoll_wait rounds to milliseconds.
"""

from __future__ import annotations

import gc
import select
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from mlgate.adapters.load.connection import CHUNK_BYTES, IDLE, SO_TIMESTAMPING, Connection, Target
from mlgate.adapters.load.http1_parser import SILENT, Reader
from mlgate.adapters.load.results import Results

CONNECT_S = 10.0
"""The longest that connections may take to come about before a block."""
MOST_UNREACHED = 5
"""After so many requests in a row that could not even be sent, a closed loop sends no more."""
LEAD_S = 0.002
"""From the decision to begin until a block's time 0."""
UNDER_WAY = 64 << 20
"""The most bytes of all replies that are under way: a hostile server must not fill this machine's memory."""
_LONGEST_NAP = 1.0
_SHORT_NAP = 0.1
"""In a closed loop: how late a time-out may be noticed. It is never noticed early."""
_FIRST_READ = 8192
"""Most replies are shorter, and a buffer of CHUNK bytes costs a fortieth of a request."""
_IN, _OUT = select.EPOLLIN, select.EPOLLOUT


class HostGone(Exception):  # noqa: N818 - what happened, caught by its one caller
    """The host has gone: there is nobody to measure for."""


class NoConnection(Exception):  # noqa: N818 - what happened, caught by its one caller
    """Not one connection could be opened before a block."""


class Engine:
    """Keeps connections to one server and runs blocks of requests over them. For one thread."""

    def __init__(self, target: Target, timeout_s: float, limit: int, lifeline: int = -1) -> None:
        """Prepare; nothing is opened yet. The end of the descriptor *lifeline* ends a block with HungUp."""
        self.timeout_s = timeout_s
        """Of one request, from when it was due."""
        self._target = target
        self._limit = limit
        self._address = ""
        self._epoll = select.epoll()
        if lifeline >= 0:
            self._epoll.register(lifeline, 0)  # its hang-up is reported unasked
        self._lines: dict[int, Connection] = {}
        self._free: list[Connection] = []
        self._book = Results()
        self._plan: Sequence[int] = ()
        self._payloads: Sequence[bytes] = ()
        self._stream = False
        self._stamped = False
        self._active = 0
        self._unreached = 0
        self._held = 0
        """Bytes of the replies under way."""
        self._starved = -1
        """How many requests had ended when one that was due found no connection; negative: none waits for one."""

    def open_loop(
        self, due: Sequence[float], plan: Sequence[int], payloads: Sequence[bytes], connections: int, *, stream: bool
    ) -> tuple[Results, float]:
        """Send request i at *due[i]* seconds, whatever has become of the others. Return what came, and the start."""
        with self._block(plan, payloads, connections, stream=stream, stamped=self._target.tls is None):
            clock, n, sent = time.perf_counter, len(due), 0
            start = clock() + LEAD_S
            at = [start + one for one in due]
            wake = [self._epoll.fileno()]
            check = start + self.timeout_s
            while sent < n or self._active:
                starved = False
                while sent < n and not starved and at[sent] <= clock():
                    starved = not self._give(sent, at[sent])  # a reply or a time-out makes room
                    sent += not starved
                if not starved:
                    self._starved = -1
                now = clock()
                pause = (check if starved or sent == n else min(check, at[sent])) - now
                if pause > 0:
                    select.select(wake, (), (), min(pause, _LONGEST_NAP))
                events = self._epoll.poll(0)
                now = clock()
                for fd, flags in events:
                    self._event(fd, flags, now)
                if now >= check:
                    check = self._expire(now, at[sent] if sent < n else now)
        return self._book, start

    def closed_loop(  # noqa: C901, PLR0912, PLR0915 - the tight path stays in one piece: a call costs a tenth of a request
        self,
        plan: Sequence[int],
        payloads: Sequence[bytes],
        concurrency: int,
        seconds: float,
        count: int,
        *,
        stream: bool,
    ) -> tuple[Results, float]:
        """Keep *concurrency* requests under way until *seconds* are over or *count* are sent; wait for the rest."""
        with self._block(plan, payloads, concurrency, stream=stream, stamped=False):
            clock, poll, lines = time.perf_counter, self._epoll.poll, self._lines
            same, recognise, record = self._book.same, self._book.recognise, self._book.rows.append
            plain = self._target.tls is None and not stream
            turns, number, size = len(plan), 0, _FIRST_READ
            nap = min(_SHORT_NAP, self.timeout_s)
            start = now = clock()
            end, check = start + seconds, start + self.timeout_s
            while True:
                while self._active < concurrency and number < count and now < end and self._unreached < MOST_UNREACHED:
                    self._give(number, None)
                    number += 1
                if not self._active:
                    break
                events = poll(nap)
                now = clock()
                for fd, flags in events:
                    c = lines.get(fd)
                    if c is None or flags != _IN or c.reader is not None or c.slot < 0 or c.rest or not plain:
                        self._event(fd, flags, now)
                        continue
                    # The tight path: a reply that came whole, with a head that means what one before it meant.
                    try:
                        data = c.recv(size)
                    except OSError as error:
                        self._receive_error(c, error, now)
                        continue
                    if len(data) == size:
                        size = CHUNK_BYTES  # replies are longer here
                    seen = same.get(len(data))
                    known = seen[2].get(data[seen[1] :]) if seen and data.startswith(seen[0]) else None
                    place = recognise(data) if known is None else known
                    if place < 0:
                        self._take(c, data, now)
                        continue
                    record((c.slot, c.due, c.due, now, now, place))
                    c.kept = True
                    if number >= count or now >= end:
                        self._release(c)
                        continue
                    payload = payloads[plan[number % turns]]
                    c.slot = number
                    number += 1
                    c.due = c.begun = clock()
                    try:
                        taken = c.send(payload)
                    except BlockingIOError:
                        taken = 0
                    except OSError:
                        continue  # a last reply, or the end, is still to be read
                    if taken != len(payload) and c.put(payload[taken:]):
                        self._epoll.modify(fd, _IN | _OUT)
                if now >= check:
                    check = self._expire(now, now)
        return self._book, start

    @contextmanager
    def _block(
        self, plan: Sequence[int], payloads: Sequence[bytes], connections: int, *, stream: bool, stamped: bool
    ) -> Iterator[None]:
        self._book = Results()
        self._plan, self._payloads, self._stream = plan, payloads, stream
        self._active = self._unreached = 0
        self._starved = -1
        self._stamped = False
        self._fill(min(connections, self._limit))
        self._stamped = stamped
        for c in self._lines.values():
            c.stamp(on=stamped)
        gc.collect()
        gc.freeze()
        gc.disable()
        try:
            yield
        finally:
            gc.enable()
            gc.unfreeze()

    def _fill(self, n: int) -> None:
        """Open connections until there are *n*. Raises Unreachable when there is none in the end."""
        for fd, flags in self._epoll.poll(0):
            self._event(fd, flags, 0.0)
        why = ""
        if not self._lines:
            for address in self._target.addresses:
                self._address = address
                why = self._open(1)
                if self._lines:
                    break
            else:
                raise NoConnection(f"could not connect to {self._target.name}: {why}")
        self._open(n - len(self._lines))
        for c in self._lines.values():
            c.kept = True
        # The oldest on top: a server with one worker answers nobody else while the first connection is open.
        self._free[:] = reversed(self._lines.values())

    def _open(self, n: int) -> str:
        """Open up to *n* more, together; return why one failed."""
        why = ""
        end = time.perf_counter() + min(CONNECT_S, self.timeout_s)
        try:
            fresh = [self._dial() for _ in range(n)]
        except OSError as error:
            return _error_text(error)
        while fresh and (left := end - time.perf_counter()) > 0:
            for fd, flags in self._epoll.poll(left):
                why = self._grow(fd, flags) or why
            fresh = [c for c in fresh if c.fd in self._lines and not c.ready]
        for c in fresh:
            why = "it took too long"
            self._drop(c)
        return why

    def _grow(self, fd: int, flags: int) -> str:
        """One step of a connection that comes about before a block; return why it failed, if it did."""
        c = self._lines.get(fd)
        if c is None:
            raise HostGone
        try:
            if flags != _IN and not c.writable():
                self._epoll.modify(fd, _IN)
            if flags & _IN and not c.recv(CHUNK_BYTES):
                self._drop(c)
                return "the server closed the connection"
        except BlockingIOError:
            pass
        except OSError as error:
            self._drop(c)
            return _error_text(error)
        return ""

    def _dial(self) -> Connection:
        c = Connection(self._target, self._address)
        if self._stamped:
            c.stamp(on=True)
        self._lines[c.fd] = c
        self._epoll.register(c.fd, _IN | _OUT)
        return c

    def _drop(self, c: Connection) -> None:
        if self._lines.pop(c.fd, None) is None:
            return
        if c in self._free:
            self._free.remove(c)
        self._epoll.unregister(c.fd)
        self._forget(c)
        c.close()

    def _forget(self, c: Connection) -> None:
        """Let go of what was read of a reply."""
        if c.reader is not None:
            self._held -= c.reader.held
            c.reader = None

    def _give(self, slot: int, due: float | None) -> bool:
        """Begin a request, due now or when it says, on a free connection or a new one; False: none to be had yet."""
        begun = time.perf_counter()
        due = begun if due is None else due
        if self._free:
            c = self._free.pop()
        elif len(self._lines) < self._limit:
            try:
                c = self._dial()
            except OSError as error:
                self._fail_unreached(slot, due, begun, error)
                return True
        elif begun - due < self.timeout_s:
            self._starved = len(self._book.rows)
            return False
        else:
            self._book.waits[slot] = begun - due
            self._book.fail(slot, due, begun, begun, f"not sent: {self._limit} connections wait for an answer")
            return True
        if self._starved >= 0:
            self._book.waits[slot] = max(0.0, self._room(begun) - due)
        c.slot, c.due, c.begun = slot, due, begun
        self._active += 1
        self._put(c)
        return True

    def _room(self, now: float) -> float:
        """Return since when there is a connection for the request that waits: since the next one before it ended."""
        rows = self._book.rows
        return rows[self._starved][4] if self._starved < len(rows) else now

    def _put(self, c: Connection) -> None:
        if c.put(self._payloads[self._plan[c.slot % len(self._plan)]]) and not c.connecting:
            self._epoll.modify(c.fd, _IN | _OUT)

    def _event(self, fd: int, flags: int, now: float) -> None:
        c = self._lines.get(fd)
        if c is None:
            raise HostGone
        if flags & ~_IN:
            try:
                if not c.writable():
                    self._epoll.modify(fd, _IN)
            except OSError as error:
                self._cut(c, error, now)
                return
            if not flags & ~_OUT:
                return
        try:
            data, now = self._receive(c, now)
        except OSError as error:
            self._receive_error(c, error, now)
        else:
            self._take(c, data, now)

    def _receive(self, c: Connection, now: float) -> tuple[bytes, float]:
        if not self._stamped:
            return c.recv(CHUNK_BYTES), now
        data, notes, _, _ = c.sock.recvmsg(CHUNK_BYTES, 128)
        for level, kind, value in notes:
            if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPING:
                whole, nano = struct.unpack_from("qq", value)
                if whole:
                    age = time.clock_gettime(time.CLOCK_REALTIME) - (whole + nano * 1e-9)
                    now = min(now, max(c.begun, time.perf_counter() - age))
        return data, now

    def _take(self, c: Connection, data: bytes, now: float) -> None:
        """Take what came on *c*; nothing at all is its end."""
        if c.slot == IDLE:
            self._drop(c)  # closed, or a server that speaks unasked
        elif not data:
            self._cut(c, None, now)
        elif c.reader or c.busy or self._stream or (place := self._book.recognise(data)) < 0:
            self._read(c, data, now)
        else:
            self._unreached = 0
            self._book.rows.append((c.slot, c.due, c.begun, now, now, place))
            self._settle(c, reusable=True)

    def _read(self, c: Connection, data: bytes, now: float) -> None:
        """Read what came on *c* with care."""
        reader = c.reader
        if reader is None:
            reader = c.reader = Reader(stream=self._stream)
        before = reader.held
        over = reader.feed(data, now)
        self._held += reader.held - before
        if not over and self._held > UNDER_WAY:
            reader.refuse(f"too much is under way: the replies that are not whole yet have {UNDER_WAY} bytes")
            over = True
        if over:
            self._finish(c, reader, now)

    def _receive_error(self, c: Connection, error: OSError, now: float) -> None:
        if not isinstance(error, BlockingIOError):
            self._cut(c, error, now)

    def _cut(self, c: Connection, error: OSError | None, now: float) -> None:
        """The connection has ended. A kept one without a byte of reply: once more on a fresh one, not more.

        A server may close a kept connection just when the next request is on its way (RFC 9112, 9.3.1).
        """
        slot, due, begun, reader = c.slot, c.due, c.begun, c.reader
        reached = c.ready
        if slot == IDLE:
            self._drop(c)
        elif reader is not None:
            reader.end(_error_text(error) if error else "")
            self._finish(c, reader, now)
        elif c.kept:
            self._drop(c)
            try:
                fresh = self._dial()
            except OSError as failed:
                self._active -= 1
                self._fail_unreached(slot, due, begun, failed)
                return
            fresh.slot, fresh.due, fresh.begun = slot, due, begun
            self._put(fresh)
        else:
            self._drop(c)
            self._active -= 1
            if reached:
                self._unreached = 0
                self._book.fail(slot, due, begun, now, SILENT)
            else:
                self._fail_unreached(slot, due, begun, error or ConnectionResetError("closed at once"))

    def _fail_unreached(self, slot: int, due: float, begun: float, error: OSError) -> None:
        self._unreached += 1
        self._book.unreached.add(slot)
        why = f"could not connect to {self._target.name}: {_error_text(error)}"
        self._book.fail(slot, due, begun, time.perf_counter(), why)

    def _finish(self, c: Connection, reader: Reader, now: float) -> None:
        """The reply is over, whole or not."""
        book, place, failure = self._book, -1, reader.failure
        self._unreached = 0
        if reader.head and not failure:
            place = book.place(reader.head, bytes(reader.body))
            if place >= 0 and reader.marks and not book.mark(c.slot, reader.marks):
                place = -1
            failure = "" if place >= 0 else "not kept: the block's replies are too long"
            book.learn(reader, reader.head)
        book.rows.append((c.slot, c.due, c.begun, reader.first, now, place))
        if failure:
            book.failures[c.slot] = failure
        self._settle(c, reusable=reader.reusable and not c.busy)

    def _settle(self, c: Connection, *, reusable: bool) -> None:
        """The request is over: the next one may have the connection, or nobody."""
        if reusable:
            c.kept = True
            self._forget(c)
            self._release(c)
        else:
            self._active -= 1
            self._drop(c)

    def _release(self, c: Connection) -> None:
        c.slot = IDLE
        self._active -= 1
        self._free.append(c)

    def _expire(self, now: float, next_due: float) -> float:
        """Fail what is out of time; return when to look again."""
        over = now - self.timeout_s
        for c in [c for c in self._lines.values() if c.slot != IDLE and c.due <= over]:
            self._active -= 1
            self._book.fail(c.slot, c.due, c.begun, now, f"no answer within {self.timeout_s:g} s")
            self._drop(c)
        oldest = min((c.due for c in self._lines.values() if c.slot != IDLE), default=next_due)
        return max(min(oldest, next_due) + self.timeout_s, now + 0.001)

    def close(self) -> None:
        """Hang up."""
        for c in list(self._lines.values()):
            self._drop(c)
        self._epoll.close()


def _error_text(error: BaseException) -> str:
    return str(error) or type(error).__name__
