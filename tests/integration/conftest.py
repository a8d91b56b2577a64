"""A Docker engine for tests, and the promise that each leaves nothing in it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.support.images import READY

from mlgate.adapters.docker.engine import connect
from mlgate.adapters.docker.hardening import SandboxOptions
from mlgate.adapters.docker.labels import RUN
from mlgate.adapters.docker.server import ModelServer, start
from mlgate.adapters.load.channel import ProcessChannel

if TYPE_CHECKING:
    from docker import DockerClient

Start = Callable[..., ModelServer]

SMALL = SandboxOptions(memory_mb=256, shm_mb=4)


@pytest.fixture(scope="session")
def client() -> Iterator[DockerClient]:
    found = connect()
    yield found
    found.close()


@pytest.fixture
def run_id(client: DockerClient) -> Iterator[str]:
    """Name a run, of which nothing is left when the test is over."""
    name = f"test-{secrets.token_hex(8)}"
    yield name
    assert left_of(client, name) == []


def left_of(client: DockerClient, run_id: str) -> list[str]:
    """Return what there is of a run in the engine."""
    label = {"label": f"{RUN}={run_id}"}
    containers = [found["Id"] for found in client.api.containers(all=True, filters=label)]
    return containers + [found["Name"] for found in client.api.networks(filters=label)]


@pytest.fixture
def serve(client: DockerClient, run_id: str) -> Start:
    """Start a model with the settings of a test: `serve(image, SMALL)`."""
    return partial(start, client, run_id=run_id, readiness=READY, ready_s=30, outside=ProcessChannel)
