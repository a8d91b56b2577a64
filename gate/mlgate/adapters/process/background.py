"""A process of ours that works beside this one, and ends with it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_GRACE_S = 2.0


class BackgroundProcess:
    """One module of mlgate's, run by itself. It reads nothing but the end of its standard input: see `lifeline`."""

    def __init__(self, module: str, words: Sequence[str], log: Path) -> None:
        """Start it. What it prints goes into *log*. Raises OSError when the system cannot."""
        with log.open("wb") as printed:
            self._process = subprocess.Popen(  # noqa: S603 - our interpreter, our module, no shell
                [sys.executable, "-P", "-m", module, *words],
                stdin=subprocess.PIPE,
                stdout=printed,
                stderr=printed,
                start_new_session=True,  # Ctrl-C reaches this process, which ends the other
            )

    def ended(self) -> int | None:
        """Return its exit code; None while it runs."""
        return self._process.poll()

    def end(self) -> None:
        """End it, and all that it started. May be called twice."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE_S)
        if self._process.stdin is not None:
            self._process.stdin.close()


def lifeline() -> None:
    """End this process as soon as the one that started it has ended: its end of standard input is closed then.

    To be called in a thread of its own, in the process that works beside.
    """
    with contextlib.suppress(OSError):
        while os.read(0, 1):
            pass
    os._exit(1)
