"""The closed loop: so many requests under way, the next when one is done. Standard library only."""

from __future__ import annotations

import select
import time
from collections.abc import Sequence

from mlgate.adapters.load.block import Block
from mlgate.adapters.load.connection import CHUNK_BYTES

MOST_UNREACHED = 5
"""After so many requests in a row that could not even be sent, no more are sent."""
_LONGEST_NAP_S = 0.1
"""How late a time-out may be noticed. It is never noticed early."""
_FIRST_READ = 8192
"""Most replies are shorter, and a buffer of CHUNK_BYTES costs a fortieth of a request."""
_IN = select.EPOLLIN


class ClosedLoop:
    """Keeps *concurrency* requests of a block under way until the clock reads *end* or *count* are sent."""

    def __init__(self, block: Block, concurrency: int, end: float, count: int) -> None:
        self._block = block
        self._concurrency = concurrency
        self._end = end
        self._count = count
        self._number = 0
        """Of the next request."""
        self._read_size = _FIRST_READ
        self._plain = block.pool.target.tls is None and not block.stream

    def run(self, start: float) -> None:
        """Send and receive from *start*, the clock's reading now, until nothing is under way any more."""
        block, poll, clock = self._block, self._block.pool.epoll.poll, time.perf_counter
        nap = min(_LONGEST_NAP_S, block.timeout_s)
        check = start + block.timeout_s
        self._top_up(start)
        while block.active:
            events = poll(nap)
            now = clock()
            self._on_events(events, now)
            if now >= check:
                check = block.expire(now, now)
            if block.active < self._concurrency:
                self._top_up(now)

    def _top_up(self, now: float) -> None:
        """Begin requests until there are enough under way."""
        block = self._block
        while (
            block.active < self._concurrency
            and self._number < self._count
            and now < self._end
            and block.unreached < MOST_UNREACHED
            and block.begin(self._number, None)
        ):
            self._number += 1

    def _on_events(self, events: Sequence[tuple[int, int]], now: float) -> None:
        """Take what came, and send the next request on each connection that brought a whole reply."""
        block, connections, results = self._block, self._block.pool.connections, self._block.results
        for fd, flags in events:
            c = connections.get(fd)
            if c is None or flags != _IN or c.reader is not None or c.slot < 0 or c.rest or not self._plain:
                block.event(fd, flags, now)
                continue
            # What follows, for heads that mean what one before them meant, is inline: a call costs a tenth of a request
            try:
                data = c.recv(self._read_size)
            except OSError as error:
                block.receive_error(c, error, now)
                continue
            seen = results.same.get(len(data))
            known = seen[2].get(data[seen[1] :]) if seen and data.startswith(seen[0]) else None
            place = results.recognise(data) if known is None else known
            if place < 0:
                if len(data) == self._read_size:
                    self._read_size = CHUNK_BYTES  # replies are longer here
                block.take(c, data, now)
                continue
            results.rows.append((c.slot, c.due, c.due, now, now, place))
            c.kept = True
            if self._number >= self._count or now >= self._end:
                block.release(c)
                continue
            payload = block.payloads[block.plan[self._number % len(block.plan)]]
            c.slot = self._number
            self._number += 1
            c.due = c.begun = time.perf_counter()
            try:
                taken = c.send(payload)
            except BlockingIOError:
                taken = 0
            except OSError:
                continue  # a last reply, or the end, is still to be read
            if taken != len(payload) and c.put(payload[taken:]):
                block.pool.send_later(c)
