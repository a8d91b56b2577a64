"""Servers that start at one moment: each is there or says why not, and after anything else none is left."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, cast

import pytest
from tests.support.waiting import PATIENCE

from mlgate.adapters.docker import start_together as module
from mlgate.adapters.docker.server import ModelServer
from mlgate.adapters.docker.start_together import Start, start_together
from mlgate.core.errors import ModelError, Refused


class Server:
    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def starts(server: Server, before: Callable[[], object] = lambda: None) -> Start:
    def start(_: Callable[[], bool]) -> ModelServer:
        before()
        return cast("ModelServer", server)

    return start


def fails(error: BaseException) -> Start:
    def start(_: Callable[[], bool]) -> ModelServer:
        raise error

    return start


def test_both_are_under_way_at_the_same_time() -> None:
    meeting = threading.Barrier(2, timeout=PATIENCE)
    one, other = Server(), Server()
    found: list[object] = [*start_together([starts(one, meeting.wait), starts(other, meeting.wait)])]
    assert found == [one, other]


@pytest.mark.parametrize("error", [ModelError("it ended"), Refused("its name points elsewhere")])
def test_one_that_does_not_start_says_why_and_leaves_the_other_one(error: Exception) -> None:
    server = Server()
    assert start_together([fails(error), starts(server)]) == [error, server]
    assert not server.closed


def test_after_an_error_of_our_own_none_is_left() -> None:
    server = Server()
    with pytest.raises(ZeroDivisionError):
        start_together([starts(server), fails(ZeroDivisionError())])
    assert server.closed == 1


def test_ctrl_c_gives_up_what_still_starts_and_ends_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    there, gone = Server(), threading.Event()

    def never(given_up: Callable[[], bool]) -> ModelServer:
        while not given_up():
            pass
        gone.set()
        raise ModelError("given up")

    def interrupted(pending: list[Any]) -> None:
        pending[0].result()
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        start_together([starts(there), never])
    assert gone.is_set()
    assert there.closed == 1
