"""The model's container: hardened, watched, and gone at the end."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from mlgate.adapters.docker.cgroups import CgroupFiles, find, of_engine
from mlgate.adapters.docker.container import Container, ContainerState, printed
from mlgate.adapters.docker.hardening import CONTAINER_USER, SandboxOptions, identity, limits
from mlgate.adapters.docker.image import Image
from mlgate.adapters.docker.labels import labels
from mlgate.adapters.docker.network import Network
from mlgate.adapters.files import safe_file
from mlgate.core.errors import AdapterError, ModelError, Refused

if TYPE_CHECKING:
    from docker import DockerClient

_KILLED = 137
_NOT_RUN = 126
_NOT_FOUND = 127
_HINTS = {
    _NOT_RUN: f"its command cannot be run as user {CONTAINER_USER}: mind its permissions",
    _NOT_FOUND: "its command is not in the image: mind `command` and the image's ENTRYPOINT",
}


class Sandbox:
    """A container of *image* that can reach what *options* says and nothing else. A context: closed, it is gone."""

    def __init__(self, client: DockerClient, image: Image, options: SandboxOptions, run_id: str) -> None:
        """Create it; `start` starts it. Raises Refused when the engine cannot keep a limit in a strict sandbox."""
        self.image = image
        self.options = options
        self.labels = labels(run_id)
        self.network: Network | None = None
        self._files: CgroupFiles | None = None
        with ExitStack() as undo:
            if options.mode != "strict":
                self.network = Network(client, self.labels, internal=options.mode == "internal")
                undo.callback(self.network.remove)
            host = limits(
                network=self.network.name if self.network else "none",
                memory_mb=options.memory_mb,
                shm_mb=options.shm_mb,
                cpus=options.cpus,
                volumes=image.volumes,
                tmp_exec=options.tmp_exec,
                gpus=options.gpus,
            )
            who = identity(self.labels, options.env, options.command)
            self.container = Container(client, image.id, who=who, host=host)
            undo.callback(self.container.remove)
            self._hold_limits()
            self._undo = undo.pop_all()

    def _hold_limits(self) -> None:
        lost = [line for line in self.container.warnings if "swap" not in line.lower()]
        if lost and self.options.mode == "strict":
            raise Refused(f"the engine cannot keep the sandbox's limits: {' '.join(lost)[:300]}")

    def start(self) -> None:
        """Start the model. Raises ModelError when its command cannot be run at all."""
        try:
            self.container.start()
        except AdapterError as error:
            why = self.container.state().error or str(error)
            raise ModelError(
                f"the model's container does not start: {why[:500]}", hint=_HINTS[_NOT_FOUND] if "exec" in why else ""
            ) from error
        self._files = find(self.container.state().pid, self.container.id)

    @property
    def address(self) -> str:
        """Return the IP address at which the model is reached: from inside its network when strict, else from here."""
        if self.network is None:
            return "127.0.0.1"
        networks = self.container.inspect()["NetworkSettings"]["Networks"]
        return str(networks[self.network.name]["IPAddress"])

    def alive(self) -> bool:
        """Whether its first process runs."""
        return self.container.state().running

    def why_dead(self) -> str:
        """Return how it ended and what it printed last; empty while it runs. What it printed is not escaped."""
        state = self.container.state()
        if state.running:
            return ""
        said = printed(self.container.log())
        text = f"the model's container ended with exit code {state.exit_code}{_cause(state, self.options.memory_mb)}"
        return f"{text}; it printed last:\n{said}" if said else f"{text}, and printed nothing"

    def dead(self) -> ModelError:
        """Return the error that says why it is dead."""
        state = self.container.state()
        hint = f"give it more than {self.options.memory_mb} MB" if state.oom_killed else self._hint(state.exit_code)
        return ModelError(self.why_dead() or "the model's container does not answer, but runs", hint=hint)

    def _hint(self, code: int) -> str:
        if code in _HINTS:
            return _HINTS[code]
        covered = f", and what it has under {', '.join(sorted(self.image.volumes))}" if self.image.volumes else ""
        return (
            f"it runs as user {CONTAINER_USER} on a read-only root, /tmp is empty{covered}; try it with the same flags"
        )

    def resources(self) -> dict[str, float]:
        """Return `server_cpu_s` and `server_memory_mb` (10^6 bytes): used since its start, and used at most since then.

        Where neither kernel nor engine keeps the most (cgroup v2 before Linux 5.19, or by the engine), it is a sample.

        Raises ModelError when the model is dead.
        """
        try:
            found = self._files.read() if self._files else of_engine(self.container.stats())
        except OSError:
            found = {}
        if not found:
            raise self.dead()
        return found

    def oom_kills(self) -> int | None:
        """Return how many processes of it were killed for want of memory while it lives; None: not known.

        A server that starts its killed workers again looks healthy to everyone else.
        """
        try:
            return self._files.oom_kills() if self._files else None
        except OSError:
            return None

    def log_tail(self) -> str:
        """Return the last lines that it printed. Not escaped."""
        return printed(self.container.log())

    def logs(self, path: Path) -> None:
        """Write what is kept of its output, at most 1 MB, to *path* as it is: whole, and never through a link there."""
        safe_file.write(path, self.container.log())

    def close(self) -> None:
        """Remove container and network, whatever state they are in. May be called twice."""
        self._undo.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _cause(state: ContainerState, memory_mb: int) -> str:
    if state.oom_killed:
        return f" after a process of it was killed for want of memory ({memory_mb} MB)"
    return " (killed)" if state.exit_code == _KILLED else ""
