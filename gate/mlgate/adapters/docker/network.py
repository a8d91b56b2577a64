"""A network of its own for one container, so that no other container is beside it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mlgate.adapters.docker.engine import engine_errors

if TYPE_CHECKING:
    from docker import DockerClient

_REMOVALS = 20
_PAUSE_S = 0.05


class Network:
    """A bridge. *internal* has no way out of this host, but this host itself it reaches."""

    def __init__(self, client: DockerClient, labels: Mapping[str, str], *, internal: bool) -> None:
        """Create it. It exists until `remove`."""
        self._api = client.api
        self.name = f"mlgate-{secrets.token_hex(8)}"
        hint = "docker network prune removes networks that nothing uses"
        with engine_errors("the engine could not create a network", hint=hint):
            try:
                self._api.create_network(self.name, driver="bridge", internal=internal, labels=dict(labels))
            except BaseException:
                self.remove()
                raise

    def remove(self) -> None:
        """Delete it. May be called twice, and while a container's end is still on its way."""
        from docker.errors import APIError, NotFound

        with engine_errors(f"the network {self.name} could not be removed"):
            for left in reversed(range(_REMOVALS)):
                try:
                    self._api.remove_network(self.name)
                except NotFound:
                    return
                except APIError:
                    if not left:
                        raise
                    time.sleep(_PAUSE_S)
                else:
                    return
