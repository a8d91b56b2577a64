"""A process of our own that answers a line with a line: asked under a deadline, and ended with all that it started."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time

GRACE_S = 1.0
"""How long a process may take to end by itself."""
_POLL_S = 0.1
_CHUNK_BYTES = 1 << 16


class Lost(Exception):  # noqa: N818 - what happened, caught by those who know whose process it was
    """The process is of no more use."""


class Ended(Lost):
    """It ended before it had answered."""

    def __init__(self, code: int | None) -> None:
        super().__init__(f"exit code {code}" if code is None or code >= 0 else f"signal {-code} ({_name(-code)})")
        self.code = code


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"


class Silent(Lost):
    """It did not answer in time."""


class Unruly(Lost):
    """It wrote more than one line, or a longer one than is taken."""


class Child:
    """A process and the pipes to it. It must be the leader of its own group: the whole group is ended with it."""

    def __init__(
        self, process: subprocess.Popen[bytes], ask: int, told: int, noise: int, *more: int, tail: int
    ) -> None:
        """Take over the pipes: *ask* is written to, *told* has its answers, *noise* all else; *more* are only closed.

        *tail*: how much of the noise is kept, in bytes.
        """
        self.printed = bytearray()
        """What it wrote beside its answers, the end of it."""
        self._process, self._tail = process, tail
        self._ask, self._told, self._noise, self._more = ask, told, noise, more
        self._open = True
        os.set_blocking(ask, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(told, selectors.EVENT_READ)
        self._selector.register(noise, selectors.EVENT_READ)

    @property
    def open(self) -> bool:
        """Whether it can be asked."""
        return self._open

    def exchange(self, line: bytes, seconds: float, limit: int) -> bytes:
        """Send *line* and return the line that answers it, of at most *limit* bytes. Raises Lost."""
        try:
            return self._exchange(line, time.monotonic() + seconds, limit)
        except BaseException:
            self.kill()  # an answer that is still to come must not be taken for the next one's
            raise

    def _exchange(self, line: bytes, deadline: float, limit: int) -> bytes:
        rest, told = memoryview(line), bytearray()
        self._selector.register(self._ask, selectors.EVENT_WRITE)
        while True:
            over = self._process.poll() is not None  # asked first: what it said before it ended is still read below
            wait = 0.0 if over else min(_POLL_S, max(0.0, deadline - time.monotonic()))
            ready = {key.fd for key, _ in self._selector.select(wait)}
            if self._ask in ready:
                rest = rest[self._send(rest) :]
                if not rest:
                    self._selector.unregister(self._ask)
            if self._noise in ready:
                self.printed += self._read(self._noise)
                del self.printed[: -self._tail]
            data = self._read(self._told) if self._told in ready else b""
            told += data
            end = data.find(b"\n")  # in the new part only: an answer may have a hundred megabytes
            if end >= 0 and end == len(data) - 1 and not rest:
                return bytes(told)
            if end >= 0 or len(told) > limit:
                raise Unruly
            if over and self._told not in ready:
                raise Ended(self._process.returncode)
            if not over and time.monotonic() >= deadline:
                raise Silent

    def _send(self, rest: memoryview) -> int:
        try:
            return os.write(self._ask, rest[:_CHUNK_BYTES])
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            return len(rest)  # it no longer listens: its end, or the deadline, says the rest

    def _read(self, pipe: int) -> bytes:
        data = os.read(pipe, _CHUNK_BYTES)
        if not data:
            self._selector.unregister(pipe)
        return data

    def finish(self) -> None:
        """Stop asking, let it end by itself for a moment, then end it. May be called twice."""
        if self._open:
            os.close(self._ask)
            self._ask = -1
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE_S)
        self.kill()

    def kill(self) -> None:
        """End the process and everything it started in its group, now. May be called twice."""
        if not self._open:
            return
        self._open = False
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._reap()
        self._selector.close()
        for pipe in (self._ask, self._told, self._noise, *self._more):
            if pipe >= 0:
                os.close(pipe)

    def _reap(self) -> None:
        """Take the killed process's exit code.

        Not by `Popen.wait`: a signal that interrupts `Popen.poll` at the wrong moment leaves a lock held that it needs.
        """
        if self._process.returncode is None:
            with contextlib.suppress(ChildProcessError):
                _, status = os.waitpid(self._process.pid, 0)
                self._process.returncode = os.waitstatus_to_exitcode(status)
