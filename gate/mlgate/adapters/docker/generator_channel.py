"""The line to a load generator that runs in a container of its own, inside the model's network."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlgate.adapters.docker.container import Container
from mlgate.adapters.docker.frames import Frames
from mlgate.adapters.docker.generator_image import GeneratorImage
from mlgate.adapters.docker.hardening import identity, limits
from mlgate.adapters.docker.sandbox import Sandbox
from mlgate.adapters.load.channel import LOG_TAIL, LONGEST_LINE, last_line, line_of, reply_of
from mlgate.core.errors import AdapterError, ModelError

if TYPE_CHECKING:
    from docker import DockerClient

_MEMORY_MB = 2048
"""Of the load generator: it keeps every reply of a block."""
_CHUNK_BYTES = 1 << 18
_POLL_S = 0.2
_GLANCE_S = 0.001


class ContainerChannel:
    """A Channel whose worker runs in the driver's image, in the network of *sandbox*, hardened like the model itself.

    The worker ends when this process does: its standard input ends with the connection to the engine.
    """

    def __init__(self, client: DockerClient, sandbox: Sandbox, driver: GeneratorImage) -> None:
        """Start it. Raises ModelError when the model is dead already: a dead container's network cannot be joined."""
        self._sandbox = sandbox
        self._frames = Frames()
        self._said = bytearray()
        self._stream: Any = None
        self._socket: Any = None
        who = identity(sandbox.labels, {}, ["-m", "mlgate.adapters.load.worker"])
        network = f"container:{sandbox.container.id}"
        host = limits(network=network, memory_mb=_MEMORY_MB, shm_mb=1, cpus=sandbox.options.driver_cpus, log=False)
        self._container = Container(client, driver.image_id, who=who, host=host, attach=True)
        try:
            self._stream = self._container.attach()
            self._socket = getattr(self._stream, "_sock", self._stream)
            self._container.start()
        except BaseException as error:
            self.close()
            if isinstance(error, AdapterError) and not sandbox.alive():
                raise sandbox.dead() from error
            raise

    def call(self, command: Mapping[str, object], timeout_s: float) -> dict[str, Any]:
        """Send *command* and return the reply. A worker that did not answer is ended: its answer would be the next's.

        Raises ModelError when the model died and the worker with it, AdapterError for any other failure.
        """
        if self._socket is None:
            raise AdapterError("the load generator has been closed")
        try:
            line = self._exchange(line_of(command), timeout_s)
        except BaseException:
            self.close()
            raise
        return reply_of(line)

    def _exchange(self, line: bytes, timeout_s: float) -> bytearray:
        deadline = time.monotonic() + timeout_s
        rest, told = memoryview(line), bytearray()
        try:
            while True:
                if time.monotonic() >= deadline:
                    raise AdapterError(f"the load generator did not answer within {timeout_s:g} s{self._last()}")
                rest = rest[self._send(rest) :] if rest else rest
                out = self._receive(deadline, wait=not rest)
                told += out
                if out.endswith(b"\n") and not rest:
                    return told
                if len(told) > LONGEST_LINE:
                    raise AdapterError(f"the load generator sent a line of more than {LONGEST_LINE} bytes")
        except OSError as error:
            raise AdapterError(f"the line to the load generator broke: {error}{self._last()}") from error

    def _send(self, rest: memoryview) -> int:
        """Send some of *rest*. While the worker is slow to read, what it says is read: neither waits for the other."""
        self._socket.settimeout(_POLL_S)
        try:
            return int(self._socket.send(rest[:_CHUNK_BYTES]))
        except TimeoutError:
            return 0

    def _receive(self, deadline: float, *, wait: bool) -> bytearray:
        """Return what came on stdout by now, or what comes next. Raises AdapterError or ModelError at the end."""
        left = max(0.0, deadline - time.monotonic()) if wait else 0.0
        self._socket.settimeout(left or _GLANCE_S)
        try:
            data = self._socket.recv(_CHUNK_BYTES)
        except TimeoutError:
            return bytearray()
        if not data:
            raise self._end_error()
        out, said = self._frames.feed(data)
        self._said += said
        del self._said[:-LOG_TAIL]
        return out

    def _end_error(self) -> AdapterError | ModelError:
        if not self._sandbox.alive():
            return self._sandbox.dead()
        state = self._container.state()
        memory = f", out of {_MEMORY_MB} MB of memory" if state.oom_killed else ""
        return AdapterError(f"the load generator ended with exit code {state.exit_code}{memory}{self._last()}")

    def _last(self) -> str:
        return last_line(self._said)

    def close(self) -> None:
        """End the worker and remove its container. May be called twice."""
        streams, self._stream, self._socket = (self._socket, self._stream), None, None
        for stream in streams:  # the socket and what the SDK reads it through: it closes when both are closed
            with contextlib.suppress(OSError, AttributeError):
                stream.close()
        self._container.remove()
