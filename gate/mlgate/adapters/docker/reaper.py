"""What a killed run left in the engine, removed by the next one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from mlgate.adapters.docker.engine import engine_errors
from mlgate.adapters.docker.labels import OWNER, RUN, boot_time, is_dead, is_of_another_boot

if TYPE_CHECKING:
    from docker import DockerClient

_LOCAL = ("http+docker://localhost", "unix://")
_STOPPED = ("exited", "dead", "created")


def reap(client: DockerClient) -> tuple[str, ...]:
    """Remove containers and networks of runs whose process is dead; return what was removed, for a notice.

    What another live process owns stays, and so does what cannot be told to be dead: of another host, of another
    pid namespace.
    """
    with engine_errors("what earlier runs left in the engine cannot be removed"):
        return (*_containers(client), *_networks(client))


def _containers(client: DockerClient) -> list[str]:
    from docker.errors import APIError

    removed = []
    for found in client.api.containers(all=True, filters={"label": RUN}):
        labels = found["Labels"]
        stopped = found["State"] in _STOPPED
        if not is_dead(labels.get(OWNER, "")) and not (stopped and _is_of_an_earlier_boot(client, found, labels)):
            continue
        try:
            client.api.remove_container(found["Id"], force=True, v=True)
        except APIError:
            continue  # another run's reaper was faster, or the next one will
        removed.append(f"container {found['Id'][:12]} of run {labels[RUN]}")
    return removed


def _is_of_an_earlier_boot(client: DockerClient, found: Mapping[str, object], labels: Mapping[str, str]) -> bool:
    """Whether it was made in this host's engine before the host started last: whoever owned it, it is of no use."""
    local = client.api.base_url.startswith(_LOCAL)
    return local and is_of_another_boot(labels.get(OWNER, "")) and _seconds(found["Created"]) < boot_time()


def _seconds(created: object) -> float:
    """Return a time of the engine's, which writes them as a number or as text, in seconds since 1970."""
    return datetime.fromisoformat(created).timestamp() if isinstance(created, str) else float(str(created))


def _networks(client: DockerClient) -> list[str]:
    from docker.errors import APIError

    removed = []
    for found in client.api.networks(filters={"label": RUN}):
        labels = found["Labels"]
        if not is_dead(labels.get(OWNER, "")) and not _is_of_an_earlier_boot(client, found, labels):
            continue
        try:
            client.api.remove_network(found["Id"])
        except APIError:
            continue  # a container still uses it
        removed.append(f"network {found['Name']} of run {labels[RUN]}")
    return removed
