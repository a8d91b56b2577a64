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
        self._read_size = _FIRST_READ
        self._plain = block.pool.target.tls is None and not block.stream
        results = block.results
        self._bound = (block.pool.connections, results.same, results.recognise, results.rows.append, time.perf_counter)
        """What the tight path uses for each request: looked up here, once."""

    def run(self, start: float) -> None:
        """Send and receive from *start*, the clock's reading now, until nothing is under way any more."""
        block, poll, clock = self._block, self._block.pool.epoll.poll, time.perf_counter
        nap = min(_LONGEST_NAP_S, block.timeout_s)
        check = start + block.timeout_s
        number = self._top_up(0, start)
        while block.active:
            events = poll(nap)
            now = clock()
            number = self._on_events(events, number, now)
            if now >= check:
                check = block.expire(now, now)
            if block.active < self._concurrency:
                number = self._top_up(number, now)

    def _top_up(self, number: int, now: float) -> int:
        """Begin requests from *number* on until there are enough under way; return the number of the next one."""
        block = self._block
        while (
            block.active < self._concurrency
            and number < self._count
            and now < self._end
            and block.unreached < MOST_UNREACHED
            and block.begin(number, None)
        ):
            number += 1
        return number

    def _on_events(self, events: Sequence[tuple[int, int]], number: int, now: float) -> int:
        """Take what came; after a whole reply send request *number*. Return the number of the next one."""
        connections, same, recognise, record, clock = self._bound
        block, plain, size, count = self._block, self._plain, self._read_size, self._count if now < self._end else 0
        plan, payloads, turns = block.plan, block.payloads, len(block.plan)
        for fd, flags in events:
            c = connections.get(fd)
            if c is None or flags != _IN or c.reader is not None or c.slot < 0 or c.rest or not plain:
                block.event(fd, flags, now)
                continue
            try:  # The tight path is inline: a call costs a tenth of a request.
                data = c.recv(size)
            except OSError as error:
                block.receive_error(c, error, now)
                continue
            seen = same.get(len(data))
            known = seen[2].get(data[seen[1] :]) if seen and data.startswith(seen[0]) else None
            place = recognise(data) if known is None else known
            if place < 0:  # to be read with care; the next one by larger pieces, if this one did not fit
                self._read_size = size = CHUNK_BYTES if len(data) == size else size
                block.take(c, data, now)
                continue
            record((c.slot, c.due, c.due, now, now, place))
            c.kept = True
            if number >= count:
                block.release(c)
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
                block.pool.send_later(c)
        return number
