"""A container's processor time and memory: from the kernel's own files where they are this host's, else by the engine.

Engine 20.10 takes up to a second for one reading, newer ones milliseconds, the files microseconds; a timed check reads
before and after every block, when the model is idle. So the most memory is not the greatest of those readings but what
the kernel says it was, wherever it keeps that: cgroup v1 does, v2 from Linux 5.19 on. The engine passes on v1's only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MEGA = 1e6
_NANO = 1e9
_MICRO = 1e6
_CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class CgroupFiles:
    """Where the kernel counts for one container."""

    cpu: Path
    """cgroup v1: nanoseconds in one number. v2: cpu.stat."""
    memory: Path
    """What is used now."""
    peak: Path | None
    """The most that was ever used; None: this kernel does not keep it, and there are only samples of *memory*."""
    detail: Path
    """memory.stat."""
    kills: Path
    """Where `oom_kill` counts. The engine's OOMKilled says nothing of a child while its parent lives on."""

    def read(self) -> dict[str, float]:
        """Return `server_cpu_s` and, used at most so far, `server_memory_mb`. Raises OSError: the container has ended.

        The kernel's peak counts the page cache of files, which no peak can be had without. A sample, where there is no
        peak, is what is used now, without the cache that nobody reads any more: less than the peak by any amount.
        """
        used = self.cpu.read_text()
        cpu = _pairs(used)["usage_usec"] / _MICRO if " " in used else int(used) / _NANO
        if self.peak is not None:
            return {"server_cpu_s": cpu, "server_memory_mb": int(self.peak.read_text()) / _MEGA}
        now = _memory(int(self.memory.read_text()), _pairs(self.detail.read_text()))
        return {"server_cpu_s": cpu, "server_memory_mb": now}

    def oom_kills(self) -> int:
        """Return how many processes were killed for want of memory. Raises OSError when the container has ended."""
        return _pairs(self.kills.read_text()).get("oom_kill", 0)


def find(pid: int, container_id: str, proc: Path = Path("/proc"), root: Path = _CGROUPS) -> CgroupFiles | None:
    """Return the files of the container whose first process is *pid*; None when they are not this host's to read."""
    try:
        lines = (proc / str(pid) / "cgroup").read_text().splitlines()
    except OSError:
        return None
    places = {name: path for _, names, path in (line.split(":", 2) for line in lines) for name in names.split(",")}
    if "memory" in places and "cpuacct" in places:
        cpu, memory = root / "cpuacct" / places["cpuacct"][1:], root / "memory" / places["memory"][1:]
        files = CgroupFiles(
            cpu / "cpuacct.usage",
            memory / "memory.usage_in_bytes",
            memory / "memory.max_usage_in_bytes",
            memory / "memory.stat",
            memory / "memory.oom_control",
        )
    else:
        own = root / places.get("", "/")[1:]
        peak = own / "memory.peak"
        files = CgroupFiles(
            own / "cpu.stat",
            own / "memory.current",
            peak if peak.exists() else None,
            own / "memory.stat",
            own / "memory.events",
        )
    ours = all(container_id in str(path) for path in (files.cpu, files.memory))
    try:
        return files if ours and files.read() else None
    except (OSError, ValueError, KeyError):
        return None


def of_engine(now: Mapping[str, Any]) -> dict[str, float]:
    """Return the same from what the engine's stats say; nothing for a container that has ended.

    Only on cgroup v1 do they say the peak (`max_usage`); on v2 the memory is a sample.
    """
    memory = now.get("memory_stats") or {}
    if "usage" not in memory:
        return {}
    cpu = float(now["cpu_stats"]["cpu_usage"]["total_usage"]) / _NANO
    peak = memory.get("max_usage")
    used = peak / _MEGA if peak else _memory(memory["usage"], memory.get("stats") or {})
    return {"server_cpu_s": cpu, "server_memory_mb": used}


def _memory(used: int, detail: Mapping[str, int]) -> float:
    """Return memory in use, without the page cache of files that nobody reads any more, as `docker stats` counts."""
    cache = detail.get("total_inactive_file", detail.get("inactive_file", 0))  # cgroup v1, else v2
    return max(0, used - cache) / _MEGA


def _pairs(text: str) -> dict[str, int]:
    return {name: int(value) for name, value in (line.split() for line in text.splitlines())}
