"""One container: created, started, read and removed, whatever happens in between."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlgate.adapters.docker.engine import engine_errors

if TYPE_CHECKING:
    from docker import DockerClient

LOG_LIMIT = 1 << 20
"""How much of a container's log is read, in bytes. The engine keeps no more either."""
_REMOVALS = 20
_CONFLICT = 409
_PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class ContainerState:
    """What the engine says of a container now."""

    running: bool
    exit_code: int
    oom_killed: bool
    """A process of it was killed for want of memory. The container may live on, or end with exit code 0."""
    pid: int
    """Of its first process, on the engine's host; 0 when it does not run."""
    error: str
    """Why the engine could not start it."""


class Container:
    """A container that exists from the constructor on and until `remove`. Its name is ours, known before it exists."""

    def __init__(
        self,
        client: DockerClient,
        image_id: str,
        *,
        who: Mapping[str, Any],
        host: Mapping[str, Any],
        attach: bool = False,
    ) -> None:
        """Create it, not started. *attach* gives it a stdin that ends with the first client that was attached."""
        from docker.errors import APIError

        self._api = client.api
        self.name = f"mlgate-{secrets.token_hex(8)}"
        with engine_errors("the engine could not create a container"):
            try:
                made = self._api.create_container(
                    image_id,
                    name=self.name,
                    host_config=self._api.create_host_config(**host),
                    detach=not attach,
                    stdin_open=attach,
                    **who,
                )
            except APIError:
                raise  # the engine said no: there is nothing to remove
            except BaseException:
                self._remove_late()
                raise
        self.id: str = made["Id"]
        self.warnings: tuple[str, ...] = tuple(made.get("Warnings") or ())
        """Limits that this engine cannot keep, in its words."""

    def start(self) -> None:
        """Start it. Raises AdapterError with the engine's reason; what was created is still to be removed."""
        with engine_errors("the engine could not start the container"):
            self._api.start(self.id)

    def inspect(self) -> Mapping[str, Any]:
        """Return all that the engine says of it."""
        with engine_errors("the container cannot be inspected"):
            found: Mapping[str, Any] = self._api.inspect_container(self.id)
            return found

    def state(self) -> ContainerState:
        """Return how it is now."""
        now = self.inspect()["State"]
        return ContainerState(
            bool(now["Running"]), int(now["ExitCode"]), bool(now["OOMKilled"]), int(now["Pid"]), str(now["Error"])
        )

    def wait(self, seconds: int) -> int:
        """Wait for its end and return the exit code. Raises AdapterError when it does not end in time."""
        with engine_errors(f"a container did not end within {seconds} s"):
            return int(self._api.wait(self.id, timeout=seconds)["StatusCode"])

    def log(self, *, stderr: bool = True) -> bytes:
        """Return the last of what it printed, at most LOG_LIMIT bytes, as it is: hostile."""
        kept = bytearray()
        with engine_errors("the container's log cannot be read"):
            parts = self._api.logs(self.id, stdout=True, stderr=stderr, stream=True, follow=False)
            try:
                for part in parts:
                    kept += part
                    del kept[:-LOG_LIMIT]
            finally:
                parts.close()  # the SDK leaves the socket open
        return bytes(kept)

    def stats(self) -> Mapping[str, Any]:
        """Return one reading of its counters, without the second that the engine waits for a difference."""
        with engine_errors("the container's counters cannot be read"):
            found: Mapping[str, Any] = self._api.stats(self.id, stream=False, one_shot=True)
            return found

    def pids(self) -> list[int]:
        """Return its processes' numbers on the engine's host; none where the engine cannot say."""
        from docker.errors import APIError

        with engine_errors("the container's processes cannot be listed"):
            try:
                table = self._api.top(self.id)
            except APIError:
                return []
        place = table["Titles"].index("PID")
        return [int(row[place]) for row in table["Processes"]]

    def attach(self) -> Any:
        """Return a socket to its stdin, stdout and stderr, the latter two in frames. To be called before `start`."""
        with engine_errors("the container's streams cannot be reached"):
            asked = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
            return self._api.attach_socket(self.id, params=asked)

    def remove(self) -> None:
        """End and delete it with its volumes, running, paused or never started. May be called twice."""
        from docker.errors import NotFound

        with engine_errors(f"the container {self.name} could not be removed"), suppress(NotFound):
            self._remove()

    def _remove(self) -> None:
        from docker.errors import APIError

        for left in reversed(range(_REMOVALS)):
            try:
                self._api.remove_container(self.name, force=True, v=True)
            except APIError as error:
                # 409: a removal is under way already; 500: the engine lost a race with the container's own end.
                if (error.is_client_error() and error.status_code != _CONFLICT) or not left:
                    raise
                time.sleep(_PAUSE_S)
            else:
                return

    def _remove_late(self) -> None:
        """Remove what the engine may still be creating: an interrupted call does not stop it."""
        from docker.errors import NotFound

        for _ in range(_REMOVALS):
            with suppress(NotFound):
                self._remove()
                return
            time.sleep(_PAUSE_S)


def printed(log: bytes, lines: int = 20, limit: int = 4096) -> str:
    """Return the last lines of a log as text, for an error's message. Still hostile: not escaped."""
    text = log[-limit:].decode("utf-8", "replace")
    return "\n".join(text.strip().splitlines()[-lines:])
