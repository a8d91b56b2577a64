"""What every container of mlgate may not do: arguments for the engine, the same for the model and for the driver.

Each was tried against a hostile container. Never here: privileged, a host's network, pids or ipc, the engine's
socket, or a folder of the host.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from mlgate.core.errors import ConfigError

Mode = Literal["strict", "internal", "open"]
"""What the model can reach: nothing; this host and nothing beyond; whatever this host can."""

CONTAINER_USER = "65532"
"""Without a forced user an image runs as whatever it names, and that is mostly root."""
_MB = 1 << 20
_TMP_MB = 256
_VOLUME_MB = 64
_PIDS = 256
_FILES = 4096
_LOG = "1m"
_SMALLEST_MB = 16
_LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """What a model's container gets. Everything that is not here it does not get."""

    mode: Mode = "strict"
    port: int = 8080
    """Where the model listens, inside."""
    memory_mb: int = 4096
    """Of 2^20 bytes, /tmp, /dev/shm and volumes included. There is no swap."""
    cpus: tuple[int, ...] = ()
    """The cores it runs on; empty: all. Whole cores, because a quota throttles and makes latency noise."""
    driver_cpus: tuple[int, ...] = ()
    """The cores of the load generator; empty: all."""
    command: tuple[str, ...] = ()
    """Instead of the image's CMD."""
    env: Mapping[str, str] = field(default_factory=dict)
    tmp_exec: bool = False
    """Files in /tmp may be run: numba's and triton's caches need it. Recorded in the verdict."""
    gpus: Literal["all"] | int = 0
    shm_mb: int = 256

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            raise ConfigError(f"a sandbox is {', '.join(get_args(Mode))}, not {self.mode}")
        if not 1 <= self.port <= _LAST_PORT:
            raise ConfigError(f"a port is 1 to {_LAST_PORT}, not {self.port}")
        if self.memory_mb < _SMALLEST_MB:
            raise ConfigError(f"a model's container needs {_SMALLEST_MB} MB or more, not {self.memory_mb}")
        if self.gpus != "all" and self.gpus < 0:
            raise ConfigError(f"gpus is a number or all, not {self.gpus}")


def identity(labels: Mapping[str, str], environment: Mapping[str, str], command: Sequence[str]) -> dict[str, Any]:
    """Return who runs in a container, for `create_container`. *environment* goes over the image's own.

    An LD_PRELOAD of the image would go into our tools too; a HEALTHCHECK of the image would run beside the load;
    a proxy from this user's Docker configuration is none of the model's business.
    """
    return {
        "user": f"{CONTAINER_USER}:{CONTAINER_USER}",
        "environment": {"HOME": "/tmp", "LD_PRELOAD": "", **environment},  # noqa: S108 - inside: a tmpfs of its own
        "command": list(command) or None,
        "healthcheck": {"test": ["NONE"]},
        "labels": dict(labels),
        "use_config_proxy": False,
    }


def limits(
    *,
    network: str,
    memory_mb: int,
    shm_mb: int,
    cpus: Sequence[int] = (),
    volumes: Iterable[str] = (),
    tmp_exec: bool = False,
    gpus: Literal["all"] | int = 0,
    log: bool = True,
) -> dict[str, Any]:
    """Return what bounds a container, for `create_host_config`.

    *volumes* are the image's own: the engine would make each a writable folder of the host's disk, read-only root or
    not. *log* False keeps nothing of what it prints.
    """
    from docker.types import LogConfig, Ulimit

    config = {"max-size": _LOG, "max-file": "1"} if log else {}
    return {
        "network_mode": network,
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "pids_limit": _PIDS,
        "mem_limit": memory_mb * _MB,
        "memswap_limit": memory_mb * _MB,
        "cpuset_cpus": ",".join(map(str, cpus)) or None,
        "init": True,
        "ipc_mode": "private",
        "shm_size": shm_mb * _MB,
        "tmpfs": _tmpfs(volumes, tmp_exec=tmp_exec),
        "ulimits": [Ulimit(name="nofile", soft=_FILES, hard=_FILES), Ulimit(name="core", soft=0, hard=0)],
        "log_config": LogConfig(type="json-file" if log else "none", config=config),
        "device_requests": device_requests(gpus),
        "oom_score_adj": 500,  # when the whole host is short of memory, the model goes before the gate
    }


def _tmpfs(volumes: Iterable[str], *, tmp_exec: bool) -> dict[str, str]:
    closed = "rw,noexec,nosuid,nodev"
    covers = dict.fromkeys(sorted(volumes), f"{closed},size={_VOLUME_MB}m,mode=1777")
    run = "rw,exec,nosuid,nodev" if tmp_exec else closed
    return {**covers, "/tmp": f"{run},size={_TMP_MB}m,mode=1777"}  # noqa: S108 - inside: a tmpfs of its own


def device_requests(gpus: Literal["all"] | int) -> list[Any] | None:
    """Return what asks the engine for GPUs: every one, that many, or None."""
    from docker.types import DeviceRequest

    if gpus == 0:
        return None
    return [DeviceRequest(count=-1 if gpus == "all" else gpus, capabilities=[["gpu"]])]
