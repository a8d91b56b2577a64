"""The end of a process of our own, after it was killed."""

from __future__ import annotations

import contextlib
import os
import subprocess


def reap(process: subprocess.Popen[bytes]) -> None:
    """Wait for a killed process and take its exit code.

    Not by `Popen.wait`: a signal that interrupts `Popen.poll` at the wrong moment leaves a lock held that it waits for.
    """
    if process.returncode is None:
        with contextlib.suppress(ChildProcessError):
            _, status = os.waitpid(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
