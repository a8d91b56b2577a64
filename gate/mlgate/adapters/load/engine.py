"""The load generator: runs blocks of requests over keep-alive connections, in an open or a closed loop.

Standard library only. One thread and epoll; nothing collects garbage while a block runs.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from mlgate.adapters.load.block import Block
from mlgate.adapters.load.closed_loop import ClosedLoop
from mlgate.adapters.load.connection import Target
from mlgate.adapters.load.open_loop import send_when_due
from mlgate.adapters.load.pool import ConnectionPool
from mlgate.adapters.load.results import Results


class Engine:
    """Keeps connections to one server and runs blocks of requests over them. For one thread."""

    def __init__(self, target: Target, timeout_s: float, limit: int, lifeline: int = -1) -> None:
        """Prepare; nothing is opened yet. The end of the descriptor *lifeline* ends a block with HostGone."""
        self.timeout_s = timeout_s
        """Of one request, from when it was due."""
        self._pool = ConnectionPool(target, limit, lifeline)

    def open_loop(
        self, due: Sequence[float], plan: Sequence[int], payloads: Sequence[bytes], connections: int, *, stream: bool
    ) -> tuple[Results, float]:
        """Send request i at *due[i]* seconds, whatever has become of the others. Return what came, and the start."""
        stamped = self._pool.target.tls is None
        with self._block(plan, payloads, connections, stream=stream, stamped=stamped) as block:
            start = send_when_due(block, due)
        return block.results, start

    def closed_loop(
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
        with self._block(plan, payloads, concurrency, stream=stream, stamped=False) as block:
            start = time.perf_counter()
            ClosedLoop(block, concurrency, start + seconds, count).run(start)
        return block.results, start

    def close(self) -> None:
        """Hang up."""
        self._pool.close()

    @contextmanager
    def _block(
        self, plan: Sequence[int], payloads: Sequence[bytes], connections: int, *, stream: bool, stamped: bool
    ) -> Iterator[Block]:
        """Open connections before the block begins, and collect garbage before and after it. Raises NoConnection."""
        self._pool.fill(connections, self.timeout_s, stamped=stamped)
        block = Block(self._pool, plan, payloads, self.timeout_s, stream=stream)
        gc.collect()
        gc.freeze()
        gc.disable()
        try:
            yield block
        finally:
            gc.enable()
            gc.unfreeze()
