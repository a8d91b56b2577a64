"""A real server as a child of one test: silent, in a group of its own, and gone with it, whatever becomes of either."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from tests.support.waiting import GRACE, PATIENCE

TAIL = 4_000
"""Characters of a log that a failure shows."""


def begin(
    words: Sequence[str],
    log: Path,
    *,
    env: Mapping[str, str],
    user: str = "",
    dying: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a program whose words go to a file; when this process dies, even by SIGKILL, it is sent *dying* (Linux)."""
    with log.open("ab") as said:
        return subprocess.Popen(
            [*_leash(user, dying), *words],
            cwd=log.parent,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )


def ready(process: subprocess.Popen[bytes], is_ready: Callable[[], bool], log: Path, seconds: float = PATIENCE) -> None:
    """Return when it serves; fail with the end of its log when it ends instead, or never does."""
    over = time.monotonic() + seconds
    while time.monotonic() < over:
        if is_ready():
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
            break
    end(process)
    pytest.fail(f"{process.args!r} does not serve:\n{log.read_text(errors='replace')[-TAIL:]}", pytrace=False)


def end(process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM) -> None:
    """Ask it to end, and end its group if it does not; nothing of it is left."""
    with contextlib.suppress(subprocess.TimeoutExpired, ProcessLookupError):
        process.send_signal(how)
        process.wait(GRACE)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def listens(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


def is_there(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def as_user(user: str) -> list[str]:
    """Return the words that run a program as somebody else, which only root may; none for nobody else."""
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []


def _leash(user: str, dying: signal.Signals) -> list[str]:
    if not shutil.which("setpriv"):  # not Linux
        return []
    return [*(as_user(user) or ["setpriv"]), f"--pdeathsig={dying.name.removeprefix('SIG')}", "--"]
