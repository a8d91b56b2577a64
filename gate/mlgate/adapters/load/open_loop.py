"""The open loop: each request is sent when it is due, whatever has become of the others. Standard library only.

Latency counts from when a request was due, so a server that stalls is charged for every request that had to wait
(Tene: coordinated omission). Waits are made by select() on epoll's own descriptor, which knows microseconds;
epoll_wait rounds to milliseconds.
"""

from __future__ import annotations

import select
import time
from collections.abc import Sequence

from mlgate.adapters.load.block import Block

LEAD_S = 0.002
"""From the decision to begin until a block's time 0."""
_LONGEST_NAP_S = 1.0


def send_when_due(block: Block, due: Sequence[float]) -> float:
    """Send request i at *due[i]* seconds and wait for all replies; return the reading of the clock at 0 seconds."""
    clock, n, sent = time.perf_counter, len(due), 0
    start = clock() + LEAD_S
    at = [start + one for one in due]
    epoll = block.pool.epoll
    wake = [epoll.fileno()]
    check = start + block.timeout_s
    while sent < n or block.active:
        starved = False
        while sent < n and not starved and at[sent] <= clock():
            starved = not block.begin(sent, at[sent])  # a reply or a time-out makes room
            sent += not starved
        if not starved:
            block.starved = -1
        now = clock()
        pause = (check if starved or sent == n else min(check, at[sent])) - now
        if pause > 0:
            select.select(wake, (), (), min(pause, _LONGEST_NAP_S))
        events = epoll.poll(0)
        now = clock()
        for fd, flags in events:
            block.event(fd, flags, now)
        if now >= check:
            check = block.expire(now, at[sent] if sent < n else now)
    return start
