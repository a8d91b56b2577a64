"""The image under test: found or pulled once, and from then on only its digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlgate.adapters.docker.engine import engine_errors
from mlgate.core.errors import ModelError

if TYPE_CHECKING:
    from docker import DockerClient

_MEGA = 1e6


@dataclass(frozen=True, slots=True)
class Image:
    """What is known of an image before it runs."""

    id: str
    """`sha256:…`, of its configuration or manifest: the engine's own name of exactly this content."""
    repo_digest: str
    """`name@sha256:…` as a registry knows it; empty when it was built here and never pushed."""
    size_mb: float
    """Unpacked, of 10^6 bytes."""
    volumes: frozenset[str]
    env_names: tuple[str, ...]
    """Names only: values may be secrets."""
    user: str
    """Whom the image would run as. mlgate does not ask."""
    entrypoint: tuple[str, ...]
    platform: str
    """E.g. `linux/amd64`. One that is not the engine's is emulated, and slow, or does not start."""


def resolve(client: DockerClient, ref: str) -> Image:
    """Return the image that *ref* names: the one that is here, else the registry's. To be called once a run.

    Raises ModelError when there is none, or when the registry does not hand it out.
    """
    here = found(client, ref)
    if here is not None:
        return here
    hint = f"build it (docker build -t {ref} .), or log in to its registry (docker login)"
    if ref.startswith("sha256:"):
        raise ModelError(f"the image {ref} is not here", hint="name it with its repository: name@sha256:…")
    with engine_errors(f"the image {ref} is not here and cannot be pulled", ModelError, hint):
        repository, tag = split(ref)
        _pull(client, repository, tag)
        return describe(client.images.get(ref).attrs, ref)


def found(client: DockerClient, ref: str) -> Image | None:
    """Return the image that the engine has under *ref*; None when it has none. Raises ModelError."""
    from docker.errors import ImageNotFound

    with engine_errors(f"the image {ref} cannot be inspected", ModelError, "name it as `docker images` does: name:tag"):
        try:
            return describe(client.images.get(ref).attrs, ref)
        except ImageNotFound:
            return None


def _pull(client: DockerClient, repository: str, tag: str) -> None:
    """Pull one image. The engine answers 200 and then says in the stream what went wrong, which the SDK passes over."""
    from docker.errors import APIError

    for line in client.api.pull(repository, tag=tag, stream=True, decode=True):
        if "error" in line:
            raise APIError(str(line["error"]))


def split(ref: str) -> tuple[str, str]:
    """Return repository and tag, or digest, of a reference. Without either it is `latest`, as everywhere."""
    name, at, digest = ref.partition("@")
    head, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return head + slash + last, digest if at else tag or "latest"


def describe(found: Mapping[str, Any], ref: str) -> Image:
    """Return what the engine says of an image, of *ref*'s repository where it is known by several."""
    config = found.get("Config") or {}
    digests = sorted(found.get("RepoDigests") or ())
    own = [digest for digest in digests if digest.partition("@")[0] == split(ref)[0]]
    return Image(
        id=str(found["Id"]),
        repo_digest=str((own or digests or [""])[0]),
        size_mb=float(found["Size"]) / _MEGA,
        volumes=frozenset(config.get("Volumes") or ()),
        env_names=tuple(sorted(str(entry).partition("=")[0] for entry in config.get("Env") or ())),
        user=str(config.get("User") or ""),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        platform=f"{found.get('Os')}/{found.get('Architecture')}",
    )
