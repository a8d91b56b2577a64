"""Building the image under test from its Dockerfile: by BuildKit where the docker command has it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlgate.adapters.docker.engine import engine_errors
from mlgate.adapters.docker.image import Image, describe
from mlgate.core.errors import ModelError

if TYPE_CHECKING:
    from docker import DockerClient

_BUILD_S = 3600
_ASK_S = 60
_LINES_SHOWN = 20
_LONGEST_LINE = 500


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is built, and how."""

    context: Path
    dockerfile: str = "Dockerfile"
    """Relative to *context*."""
    args: Mapping[str, str] = field(default_factory=dict)
    """Build arguments. They stay in the image's history: no secrets."""
    target: str = ""
    """The stage to stop at; empty: the last one."""
    tag: str = "mlgate-candidate"
    cache: str = ""
    """Where layers are kept, as a registry names it: read, never written. Empty: nowhere."""

    @property
    def file(self) -> Path:
        """Return the Dockerfile."""
        return (self.context / self.dockerfile).absolute()


def build(client: DockerClient, recipe: Recipe) -> Image:
    """Build the image and return it. What its Dockerfile runs meanwhile is not in mlgate's sandbox.

    Raises ModelError with the last lines of the output when the build fails.
    """
    if not recipe.file.is_file():
        raise ModelError("there is no such Dockerfile", where=str(recipe.file), hint="name it from the build's context")
    docker = shutil.which("docker")
    by_buildkit = docker is not None and _has_buildkit(docker)
    image_id = _by_command(docker, recipe) if docker and by_buildkit else _by_engine(client, recipe)
    with engine_errors("the image that was built is not there"):
        return describe(client.images.get(image_id).attrs, recipe.tag)


def loaded(client: DockerClient, names: Sequence[str], tag: str) -> Image:
    """Return the image that a builder put into the engine, which knows it by one of *names*: `sha256:…`, never a tag.

    Engines with a containerd store name an image by its manifest, others by its configuration. Raises ModelError.
    """
    from docker.errors import ImageNotFound

    with engine_errors("the image that was built is not there", ModelError):
        for name in filter(None, names):
            with contextlib.suppress(ImageNotFound):
                return describe(client.images.get(name).attrs, tag)
    raise ModelError("the engine has not got the image that was built", hint="is the builder of the same engine?")


def _has_buildkit(docker: str) -> bool:
    try:
        asked = subprocess.run([docker, "buildx", "version"], capture_output=True, check=False, timeout=_ASK_S)  # noqa: S603 - fixed words
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def command(docker: str, recipe: Recipe, ids: Path) -> list[str]:
    """Return the command that builds: each value joined to its option, so that none can be taken for another one."""
    options = [f"--file={recipe.file}", f"--tag={recipe.tag}", f"--iidfile={ids}", "--progress=plain", "--load"]
    options += [f"--build-arg={name}={value}" for name, value in sorted(recipe.args.items())]
    if recipe.target:
        options.append(f"--target={recipe.target}")
    if recipe.cache:
        options.append(f"--cache-from=type=registry,ref={recipe.cache}")
    return [docker, "build", *options, "--", str(recipe.context.absolute())]


def _by_command(docker: str, recipe: Recipe) -> str:
    with tempfile.TemporaryDirectory(prefix="mlgate-") as folder, Path(folder, "output").open("w+b") as output:
        ids = Path(folder, "id")
        try:
            done = subprocess.run(  # noqa: S603 - a list, no shell; every value is joined to its option
                command(docker, recipe, ids),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "DOCKER_BUILDKIT": "1"},
                check=False,
                timeout=_BUILD_S,
            )
        except subprocess.TimeoutExpired as error:
            raise ModelError(f"the image was not built within {_BUILD_S} s") from error
        if done.returncode:
            output.seek(max(0, output.seek(0, os.SEEK_END) - _LINES_SHOWN * _LONGEST_LINE))
            raise _build_error(output.read().decode("utf-8", "replace").splitlines())
        return ids.read_text().strip()


def _by_engine(client: DockerClient, recipe: Recipe) -> str:
    """Build with the engine's old builder, through the SDK: it knows no BuildKit syntax (`RUN --mount`)."""
    from docker.errors import BuildError

    with engine_errors("the image could not be built", ModelError):
        try:
            image, _ = client.images.build(
                path=str(recipe.context.absolute()),
                dockerfile=str(recipe.file),
                buildargs=dict(recipe.args),
                target=recipe.target or None,
                tag=recipe.tag,
                rm=True,
                forcerm=True,
                use_config_proxy=False,
                timeout=_BUILD_S,
            )
        except BuildError as error:
            raise _build_error([*_log_lines(error.build_log), str(error)]) from error
        return str(image.id)


def _log_lines(log: Iterable[Any]) -> list[str]:
    lines: list[str] = []
    for entry in log:
        if isinstance(entry, dict):
            lines += str(entry.get("stream") or "").splitlines()
    return [line for line in lines if line.strip()]


def _build_error(lines: list[str]) -> ModelError:
    last = "\n".join(line.rstrip()[:_LONGEST_LINE] for line in lines[-_LINES_SHOWN:])
    return ModelError(f"the image could not be built; the last lines were:\n{last}", hint="docker build shows it all")
