"""Starting the servers of a comparison at one moment: none of them may find the machine as the other one left it.

Of two containers of one image that start one after the other, the first is the slower one for as long as both live: it
gets the memory that lies about in small pieces, and the second gets what is whole. benchmarks/starts.py measures it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from mlgate.adapters.docker.server import ModelServer
from mlgate.core.errors import GateError

Start = Callable[[Callable[[], bool]], ModelServer]
"""Starts a server. Soon after what it is given returns true it gives up with a ModelError, leaving nothing behind."""


def start_together(starts: Sequence[Start]) -> list[ModelServer | GateError]:
    """Return each server, or why it did not start. After anything else, Ctrl-C too, none of them is left."""
    given_up = threading.Event()
    with ThreadPoolExecutor(len(starts)) as pool:
        pending = [pool.submit(start, given_up.is_set) for start in starts]
        try:
            wait(pending)
            return [_outcome(one) for one in pending]
        except BaseException:
            given_up.set()
            for one in pending:
                one.add_done_callback(_close)
            raise


def _outcome(done: Future[ModelServer]) -> ModelServer | GateError:
    try:
        return done.result()
    except GateError as error:
        return error


def _close(done: Future[ModelServer]) -> None:
    if done.exception() is None:
        done.result().close()
