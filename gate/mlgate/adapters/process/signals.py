"""Signals that end a process, taken as a wish: what must not be left half-way is ended first."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Self

from mlgate.core.deploy.ports import Stopped
from mlgate.core.errors import GateError

_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_Handler = Callable[[int, FrameType | None], object] | int | None
_MOST = 2
"""Signals that are wishes; the SIGINT after them ends the process where it is."""


class SignalStop:
    """Whether a signal came. To be used in the main thread, in a `with`."""

    def __init__(self) -> None:
        self._why = ""
        self._count = 0
        self._came = threading.Event()
        self._interrupts = False
        self._before: dict[int, _Handler] = {}

    def __enter__(self) -> Self:
        """Take the signals."""
        for number in _ENDS:
            self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        """Give them back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @property
    def why(self) -> str:
        """Return which signal came; empty while none did."""
        return self._why

    def wait(self, seconds: float) -> None:
        """Wait, until a signal at the latest; after one, at most 0.2 s."""
        if self._why:
            threading.Event().wait(min(seconds, 0.2))
        else:
            self._came.wait(seconds)

    @contextlib.contextmanager
    def interrupts(self) -> Iterator[None]:
        """Raise Stopped inside as soon as a signal comes."""
        if self._why:
            raise Stopped
        self._interrupts = True
        try:
            yield
        finally:
            self._interrupts = False

    def _take(self, number: int, _: FrameType | None) -> None:
        self._count += 1
        self._why = self._why or f"stopped by {signal.Signals(number).name}"
        self._came.set()
        if self._count > _MOST and number == signal.SIGINT:
            raise GateError("interrupted: the traffic stays where it is", hint="mlgate deploy --resume-or-rollback")
        if self._interrupts:
            self._interrupts = False
            raise Stopped
