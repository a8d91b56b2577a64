"""How the gate talks with its load generator, a process of its own: one line of JSON there, one back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Protocol

from mlgate.adapters.process.child import Child, Ended, Lost, Silent
from mlgate.core.errors import AdapterError

LONGEST_LINE = 1 << 29
"""The longest line that a worker may send, in bytes: a block's columns and the replies it keeps."""
LOG_TAIL = 1 << 14
"""How much of what the worker wrote on standard error last is kept, in bytes."""


class Channel(Protocol):
    """A line to a worker that runs `python -m mlgate.adapters.load.worker`, wherever that is."""

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
        asked, ask = os.pipe()
        told, tell = os.pipe()
        heard, noise = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "mlgate.adapters.load.worker"],
                stdin=asked,
                stdout=tell,
                stderr=noise,
                env=None if environment is None else dict(environment),
                start_new_session=True,
            )
        except OSError as error:
            for pipe in (ask, told, heard):
                os.close(pipe)
            raise AdapterError(f"the load generator could not be started: {error}") from error
        finally:
            for pipe in (asked, tell, noise):
                os.close(pipe)
        self._child = Child(self._process, ask, told, heard, tail=LOG_TAIL)

    def call(self, command: Mapping[str, object], timeout_s: float) -> dict[str, Any]:
        """Send *command*, return the reply. A worker that did not answer is ended: its answer would be the next's."""
        if not self._child.open:
            raise AdapterError("the load generator has been closed")
        try:
            line = self._child.exchange(line_of(command), timeout_s, LONGEST_LINE)
        except Ended as error:
            raise AdapterError(f"the load generator ended with exit code {error.code}{self._last()}") from error
        except Silent as error:
            raise AdapterError(f"the load generator did not answer within {timeout_s:g} s{self._last()}") from error
        except Lost as error:
            raise AdapterError(f"the load generator sent a line of more than {LONGEST_LINE} bytes, or two") from error
        return reply_of(line)

    def _last(self) -> str:
        return last_line(self._child.printed)

    def close(self) -> None:
        """End the worker: first by closing its standard input, after a moment by force. May be called twice."""
        self._child.finish()


def last_line(said: bytes | bytearray) -> str:
    """Return the last line of what a worker wrote on standard error, to stand behind a reason; or nothing."""
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return f": {lines[-1][:300]}" if lines else ""
