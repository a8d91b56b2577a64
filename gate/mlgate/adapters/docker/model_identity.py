"""What stands for a model in an image in provenance: what is in it, how it is started, and how it is asked."""

from __future__ import annotations

from mlgate.adapters.docker.hardening import SandboxOptions
from mlgate.adapters.models.identity import Asked, asked_of_form1
from mlgate.core.check import Json, digest_of
from mlgate.core.identity import CURRENT_FORM, FIRST_FORM, identity


def of_image(content: str, asked: Asked, started: SandboxOptions, cpus: int, form: int = CURRENT_FORM) -> str:
    """Return what stands for an image, whose *content* the engine names by digest.

    *cpus* is how many cores it is to have: which ones it gets is the machine's part, and no part of the model.
    """
    if form == FIRST_FORM:
        return digest_of([content, asked_of_form1(asked), _started1(started)])
    how: Json = {
        "sandbox": started.mode,
        "port": started.port,
        "memory_mb": started.memory_mb,
        "cpus": cpus,
        "command": list(started.command),
        "env": dict(started.env),
        "tmp_exec": started.tmp_exec,
        "gpus": started.gpus,
    }
    return identity("image", {"content": content, "started": how, "asked": asked})


def _started1(options: SandboxOptions) -> str:
    return (
        f"SandboxOptions(mode={options.mode!r}, port={options.port!r}, memory_mb={options.memory_mb!r}, "
        f"cpus={options.cpus!r}, driver_cpus={options.driver_cpus!r}, command={options.command!r}, "
        f"env={dict(options.env)!r}, tmp_exec={options.tmp_exec!r}, gpus={options.gpus!r}, shm_mb=256)"
    )
