"""The image of mlgate's load generator: made here from the running Python, pulled from nowhere."""

from __future__ import annotations

import json
import os
import platform
import sys
import tarfile
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from mlgate.adapters.docker.engine import engine_errors
from mlgate.adapters.docker.generator_files import PACKAGE_HOME, digest, files
from mlgate.adapters.docker.image import resolve
from mlgate.core.errors import AdapterError, ConfigError, GateError

if TYPE_CHECKING:
    from docker import DockerClient

REPOSITORY = "mlgate-driver"
LABEL = "mlgate.driver"
"""The label whose value is the digest of what is in the image."""
VARIABLE = "MLGATE_DRIVER_IMAGE"
"""Names an image to take instead: its ENTRYPOINT is a Python 3.11 or newer, and `import mlgate` works in it."""
_HINT = f"set {VARIABLE} to an image whose ENTRYPOINT is a Python in which `import mlgate` works"
_MEGA = 1e6
_IDLE_S = 3600.0
"""An older image that is younger than this may be another run's, which is about to start a container of it."""
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}


@dataclass(frozen=True, slots=True)
class GeneratorImage:
    """The image in which the load generator and the probe run."""

    image_id: str
    size_mb: float
    built_s: float
    """How long it took to make, in seconds; 0 when it was there."""


def driver_image(client: DockerClient) -> GeneratorImage:
    """Return the driver's image, made when this engine does not have it yet.

    Raises ConfigError where this machine's Python cannot run in the engine's containers.
    """
    named = os.environ.get(VARIABLE)
    if named:
        image = resolve(client, named)
        return GeneratorImage(image.id, image.size_mb, 0)
    _demand_same_machine(client)
    started = time.monotonic()
    found, content = _contents()
    tag = content[:16]
    known = _existing_image(client, tag, content)
    if known:
        return known
    with engine_errors("the driver's image could not be made", hint=_HINT), tempfile.TemporaryFile() as archive:
        pack(found, archive)
        archive.seek(0)
        changes = [*_changes(), f"LABEL {LABEL}={content}"]
        said = client.api.import_image(src=archive, repository=REPOSITORY, tag=tag, changes=changes)
    made = _existing_image(client, tag, content)
    if made is None:
        raise AdapterError(f"the driver's image could not be made: {str(said)[-300:]}", hint=_HINT)
    took = time.monotonic() - started
    forget(client, REPOSITORY, made.image_id, time.time() - _IDLE_S)
    return GeneratorImage(made.image_id, made.size_mb, took)


@cache
def _contents() -> tuple[Mapping[PurePosixPath, Path], str]:
    """Return the files and their digest. They are read once: this process's own code does not change under it."""
    found = files()
    return found, digest(found, "\n".join(_changes()))


def _changes() -> list[str]:
    return [
        f"ENTRYPOINT {json.dumps([os.path.realpath(sys.executable)])}",
        f"ENV PYTHONPATH={PACKAGE_HOME}",
        "ENV PYTHONDONTWRITEBYTECODE=1",
        "ENV PYTHONUTF8=1",
        f"WORKDIR {PACKAGE_HOME}",
        "USER 65532:65532",
    ]


def _existing_image(client: DockerClient, tag: str, content: str) -> GeneratorImage | None:
    from docker.errors import ImageNotFound

    with engine_errors("the driver's image cannot be inspected"):
        try:
            found = client.images.get(f"{REPOSITORY}:{tag}").attrs
        except ImageNotFound:
            return None
    labels = (found.get("Config") or {}).get("Labels") or {}
    return GeneratorImage(str(found["Id"]), float(found["Size"]) / _MEGA, 0) if labels.get(LABEL) == content else None


def forget(client: DockerClient, repository: str, keep: str, before: float) -> None:
    """Remove the images of *repository* that were made *before* (seconds since 1970) and that no container uses.

    Only what carries the driver's label and no name of anybody else's. Best effort: the next version tries again.
    """
    with suppress(GateError), engine_errors("older images of the driver cannot be listed"):
        for found in client.api.images(name=repository, filters={"label": LABEL}):
            names = found.get("RepoTags") or ()
            if found["Id"] == keep or found["Created"] >= before:
                continue
            if names and all(name.startswith(f"{repository}:") for name in names):
                _remove(client, found["Id"])


def _remove(client: DockerClient, image_id: str) -> None:
    """Remove one image. The engine refuses where a container uses it, or where it has a second name."""
    with suppress(GateError), engine_errors("an older image of the driver cannot be removed"):
        client.api.remove_image(image_id, force=False)


def _demand_same_machine(client: DockerClient) -> None:
    with engine_errors("the engine does not say what it is"):
        engine = client.version()
    ours = (sys.platform, _MACHINES.get(platform.machine(), platform.machine()))
    theirs = (str(engine.get("Os")), str(engine.get("Arch")))
    if ours != theirs:
        here, there = "/".join(ours), "/".join(theirs)
        raise ConfigError(
            f"the load generator cannot go into a container: this is {here}, the engine {there}", hint=_HINT
        )


def pack(found: Mapping[PurePosixPath, Path], archive: IO[bytes]) -> None:
    """Write the files as a tar, readable for everyone. Times stay: compiled modules name their source's."""
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for place in sorted(found):
            info = tar.gettarinfo(arcname=str(place).lstrip("/"), fileobj=(file := found[place].open("rb")))
            with file:
                info.uid = info.gid = 0
                info.uname = info.gname = ""
                info.type, info.linkname = tarfile.REGTYPE, ""  # two names of one file: each is written
                info.size = found[place].stat().st_size
                info.mode = 0o755 if info.mode & 0o111 else 0o644
                tar.addfile(info, file)
