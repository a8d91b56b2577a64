"""How the gate talks with its load generator, a process of its own: one line of JSON there, one back."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any, Protocol

from mlgate.adapters.child import reap
from mlgate.core.errors import AdapterError

LONGEST = 1 << 29
"""The longest line that a worker may send, in bytes: a block's columns and the replies it keeps."""
TAIL = 1 << 14
"""How much of what the worker wrote on standard error last is kept, in bytes."""
GRACE_S = 1.0
"""How long a worker may take to end by itself."""
_CHUNK = 1 << 16
_POLL_S = 0.2


class Channel(Protocol):
    """A line to a worker that runs `python -m mlgate.adapters.load_worker`, wherever that is."""

    def call(self, command: Mapping[str, object], timeout_s: float) -> dict[str, Any]:
        """Send *command* and return the reply. Raises AdapterError: the worker is gone, silent, or says an error."""

    def close(self) -> None:
        """End the worker. May be called twice."""


def line_of(command: Mapping[str, object]) -> bytes:
    """Return *command* as the line that a worker reads."""
    return json.dumps(command, ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"


def reply_of(line: bytes | bytearray) -> dict[str, Any]:
    """Read a worker's line. Raises AdapterError when it is none, and for a worker's own `error`."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise AdapterError("the load generator did not answer in JSON") from error
    if not isinstance(value, dict):
        raise AdapterError("the load generator answered no object")
    if "error" in value:
        raise AdapterError(f"the load generator failed: {str(value['error'])[:500]}")
    return value


class ProcessChannel:
    """A worker on this machine: a child in a session of its own, which ends when its standard input does."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        """Start it, with *environment* in place of this process's own. Raises AdapterError when that fails."""
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "mlgate.adapters.load_worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env=None if environment is None else dict(environment),
                start_new_session=True,
            )
        except OSError as error:
            raise AdapterError(f"the load generator could not be started: {error}") from error
        pipes = (self._process.stdin, self._process.stdout, self._process.stderr)
        assert all(pipes)
        self._ask, self._told, self._noise = (pipe.fileno() for pipe in pipes if pipe)
        self._said = bytearray()
        self._open = True
        os.set_blocking(self._ask, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._told, selectors.EVENT_READ)
        self._selector.register(self._noise, selectors.EVENT_READ)

    def call(self, command: Mapping[str, object], timeout_s: float) -> dict[str, Any]:
        """Send *command*, return the reply. A worker that did not answer is ended: its answer would be the next's."""
        if not self._open:
            raise AdapterError("the load generator has been closed")
        try:
            line = self._exchange(line_of(command), timeout_s)
        except BaseException:
            self._end()
            raise
        return reply_of(line)

    def _exchange(self, line: bytes, timeout_s: float) -> bytearray:
        deadline = time.monotonic() + timeout_s
        rest, told = memoryview(line), bytearray()
        self._selector.register(self._ask, selectors.EVENT_WRITE)
        while True:
            over = self._process.poll() is not None  # asked first: what it said before it ended is still read below
            ready = {key.fd for key, _ in self._selector.select(0.0 if over else _POLL_S)}
            if self._ask in ready:
                rest = rest[self._send(rest) :]
                if not rest:
                    self._selector.unregister(self._ask)
            if self._noise in ready:
                self._said += self._read(self._noise)
                del self._said[:-TAIL]
            data = self._read(self._told) if self._told in ready else b""
            told += data
            if data.endswith(b"\n") and not rest:
                return told
            if len(told) > LONGEST:
                raise AdapterError(f"the load generator sent a line of more than {LONGEST} bytes")
            if over and not data:
                raise AdapterError(f"the load generator ended with exit code {self._process.returncode}{self._last()}")
            if time.monotonic() >= deadline:
                raise AdapterError(f"the load generator did not answer within {timeout_s:g} s{self._last()}")

    def _send(self, rest: memoryview) -> int:
        try:
            return os.write(self._ask, rest[:_CHUNK])
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            return len(rest)  # it no longer listens: its end says the rest

    def _read(self, pipe: int) -> bytes:
        data = os.read(pipe, _CHUNK)
        if not data:
            self._selector.unregister(pipe)
        return data

    def _last(self) -> str:
        lines = self._said.decode("utf-8", "replace").strip().splitlines()
        return f": {lines[-1][:300]}" if lines else ""

    def close(self) -> None:
        """End the worker: first by closing its standard input, after a moment by force. May be called twice."""
        if self._open and self._process.stdin:
            self._process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE_S)
        self._end()

    def _end(self) -> None:
        if not self._open:
            return
        self._open = False
        self._selector.close()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe:
                pipe.close()
        reap(self._process)
