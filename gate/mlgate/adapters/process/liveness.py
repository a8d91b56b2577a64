"""Which process this is, for others on the same machine to see whether it still lives."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

_TOKEN = re.compile(r"([0-9]{1,10})\.([0-9]{1,20})\.([0-9a-f]{12})")
_START_FIELD = 19
"""Of /proc/PID/stat behind the name: when the process began. A number alone may be given to another process."""


def token() -> str:
    """Return a text that names this process among all of all machines; empty where /proc does not say."""
    start = _start(os.getpid())
    return f"{os.getpid()}.{start}.{_machine()}" if start and _machine() else ""


def is_dead(named: str) -> bool:
    """Whether the process that *named* has ended, for certain: it ran here, and does not any more."""
    found = _TOKEN.search(named)
    if not found or not _machine() or found[3] != _machine():
        return False
    return _start(int(found[1])) != found[2]


def _start(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    rest = stat.rpartition(")")[2].split()
    return "" if rest[0] == "Z" else rest[_START_FIELD]


def _machine() -> str:
    """Return what processes of this kernel and this PID namespace have in common: there a number means the same."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
        return hashlib.sha256(f"{boot}{Path('/proc/self/ns/pid').readlink()}".encode()).hexdigest()[:12]
    except OSError:
        return ""
