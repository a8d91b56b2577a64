"""One child process with a Python model in it: how it is started, asked, timed and ended."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from mlgate.adapters.child import reap

WORKER = Path(__file__).with_name("python_worker.py")
TAIL = 1 << 16
"""How much of what the model printed last is kept, in bytes."""
GRACE_S = 1.0
"""How long a model that is done may take to end by itself."""
_POLL_S = 0.1
_CHUNK = 1 << 16


class Lost(Exception):  # noqa: N818 - what happened, caught by its one caller
    """The process ended, hung or spoke nonsense; it is of no more use."""


class PythonProcess:
    """Talks with the worker in lines, one there and one back. Ends the whole process group whatever happens."""

    def __init__(self, root: Path, environment: Mapping[str, str]) -> None:
        """Start it. Raises OSError when the operating system cannot."""
        self.printed = bytearray()
        """What the model printed last, at most TAIL bytes."""
        asked, self._ask = os.pipe()
        self._told, tell = os.pipe()
        lifeline, self._lifeline = os.pipe()
        self._noise, noise = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our interpreter, our file, no shell
                [sys.executable, "-u", "-P", str(WORKER), str(asked), str(tell), str(lifeline)],
                stdin=subprocess.DEVNULL,
                stdout=noise,
                stderr=noise,
                pass_fds=(asked, tell, lifeline),
                cwd=root,
                env=dict(environment),
                start_new_session=True,
            )
        except OSError:
            _close(self._ask, self._told, self._lifeline, self._noise)
            raise
        finally:
            _close(asked, tell, lifeline, noise)
        self._open = True
        os.set_blocking(self._ask, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._told, selectors.EVENT_READ)
        self._selector.register(self._noise, selectors.EVENT_READ)

    def exchange(self, line: bytes, seconds: float, limit: int) -> bytes:
        """Send *line* and return the line that answers it, of at most *limit* bytes. Raises Lost."""
        try:
            return self._exchange(line, time.monotonic() + seconds, seconds, limit)
        except BaseException:
            self.kill()  # an answer that is still to come must not be taken for the next one's
            raise

    def _exchange(self, line: bytes, deadline: float, seconds: float, limit: int) -> bytes:
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
                self._listen()
            if self._told in ready:
                told += self._read(self._told)
            if told.endswith(b"\n") and told.count(b"\n") == 1 and not rest:
                return bytes(told)
            if len(told) > limit or b"\n" in told:
                raise Lost("the model wrote on the gate's own pipe")
            if over and self._told not in ready:
                raise Lost(f"the model's process ended with {self._ending()}")
            if not over and time.monotonic() >= deadline:
                raise Lost(f"no answer within {seconds:g} s")

    def _send(self, rest: memoryview) -> int:
        try:
            return os.write(self._ask, rest[:_CHUNK])
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            return len(rest)  # it no longer listens: its end, or the deadline, says the rest

    def _read(self, pipe: int) -> bytes:
        data = os.read(pipe, _CHUNK)
        if not data:
            self._selector.unregister(pipe)
        return data

    def _listen(self) -> None:
        self.printed += self._read(self._noise)
        del self.printed[:-TAIL]

    def _ending(self) -> str:
        code = self._process.returncode
        if code is None or code >= 0:
            return f"exit code {code}"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = "unknown"
        return f"signal {-code} ({name})"

    def finish(self) -> None:
        """Let the model end by itself for a moment, then end it. May be called twice."""
        if self._open:
            _close(self._ask)
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
        reap(self._process)
        self._selector.close()
        _close(self._ask, self._told, self._lifeline, self._noise)


def _close(*pipes: int) -> None:
    for pipe in pipes:
        if pipe >= 0:
            os.close(pipe)
