"""Whose container it is: labels that let a later run find what a killed one left behind."""

from __future__ import annotations

import os
from pathlib import Path

RUN = "mlgate.run"
"""The label that everything mlgate makes in an engine carries; its value is the run's id."""
OWNER = "mlgate.owner"
"""`<pid>:<start time in clock ticks>:<boot id>:<pid namespace>` of the process that will remove it, or `unknown`."""
UNKNOWN = "unknown"
"""The owner where there is no /proc to tell processes apart by. It is never taken for dead."""

_PROC = Path("/proc")
_STATE, _START = 0, 19
"""Positions in /proc/PID/stat behind the command's name, which may hold anything: proc(5), fields 3 and 22."""
_FIELDS = 4


def labels(run_id: str) -> dict[str, str]:
    """Return the labels of what this process makes for a run."""
    return {RUN: run_id, OWNER: owner(os.getpid())}


def owner(pid: int) -> str:
    """Return what tells a process from every other one, also after its pid is given out again."""
    started, here = _start_time(pid), _here()
    return f"{pid}:{started}:{here[0]}:{here[1]}" if started and here else UNKNOWN


def is_dead(text: str) -> bool:
    """Whether the owner *text* names certainly runs no more: it was of this boot and of this pid namespace.

    Another boot id may be another host that shares the engine, and another namespace's pids mean nothing here.
    """
    pid, *rest = text.split(":")
    here = _here()
    if here is None or len(rest) != _FIELDS - 1 or not pid.isdecimal() or tuple(rest[1:]) != here:
        return False
    return _start_time(int(pid)) != rest[0]


def is_of_another_boot(text: str) -> bool:
    """Whether the owner *text* names ran before this host started last, or on another host."""
    here, parts = _here(), text.split(":")
    return here is not None and len(parts) == _FIELDS and parts[2] != here[0]


def boot_time() -> float:
    """Return when this host started, in seconds since 1970; 0 where that is not known."""
    try:
        lines = (_PROC / "stat").read_text().splitlines()
    except OSError:
        return 0.0
    return next((float(line.split()[1]) for line in lines if line.startswith("btime ")), 0.0)


def _here() -> tuple[str, str] | None:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        space = (_PROC / "self/ns/pid").readlink().name
    except OSError:
        return None
    return boot, "".join(filter(str.isdecimal, space))


def _start_time(pid: int) -> str:
    """Return the start time of a process that runs; empty when it does not, or only waits to be reaped."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[_STATE] in "ZX" else fields[_START]
