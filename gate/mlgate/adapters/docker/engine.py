"""The Docker engine: how it is found, and what its errors mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlgate.core.errors import AdapterError, ConfigError, GateError

if TYPE_CHECKING:
    from docker import DockerClient

_START = "start it (systemctl start docker) or set DOCKER_HOST; your user may have to be in the group docker"
_TIMEOUT_S = 60
"""Of one call to the engine. A build or a pull has none: it says itself when it fails."""


def connect() -> DockerClient:
    """Return a client of the engine that DOCKER_HOST or the current Docker context names.

    Raises ConfigError when the Docker SDK is not installed, AdapterError when no engine answers.
    """
    try:
        import docker
        from docker.errors import DockerException
    except ImportError as error:
        raise ConfigError("an image needs the Docker SDK", hint="pip install 'mlgate[docker]'") from error
    try:
        client = docker.from_env(timeout=_TIMEOUT_S)
        client.ping()
    except (DockerException, OSError) as error:  # requests' errors are OSErrors
        raise AdapterError(f"no Docker engine answers: {_line(error)}", hint=_START) from error
    return client


@contextmanager
def engine_errors(doing: str, kind: type[GateError] = AdapterError, hint: str = "") -> Iterator[None]:
    """Turn what the SDK raises inside into a GateError of *kind* that says what was being done."""
    from docker.errors import DockerException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except GateError:
        raise
    except (DockerException, HTTPError, OSError) as error:
        raise kind(f"{doing}: {_line(error)}", hint=hint) from error


def _line(error: Exception) -> str:
    """Return the engine's own words where it said something, else the exception's, as one short line."""
    said = getattr(error, "explanation", None) or error
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return " ".join(text.split())[:300]
