"""A model's image, running: from a digest to a server that answers, and back to nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

from mlgate.adapters.docker.generator_channel import ContainerChannel
from mlgate.adapters.docker.generator_image import GeneratorImage, driver_image
from mlgate.adapters.docker.hardening import SandboxOptions
from mlgate.adapters.docker.image import Image
from mlgate.adapters.docker.probe import probe
from mlgate.adapters.docker.sandbox import Sandbox
from mlgate.adapters.load.channel import Channel
from mlgate.core.errors import AdapterError, ModelError

if TYPE_CHECKING:
    from docker import DockerClient

Ready = Callable[[Channel, float], str]
"""Ask the server over the channel, within so many seconds; return why it is not ready, or nothing when it is."""

_OK = 200
_POLL_S = 0.02
_LOOK_S = 0.5
"""How often the engine is asked whether the container lives. While its port is silent nobody else says so."""
_CONNECT_S = 1.0
"""The longest that one question about the port may take: a dead container's address is only silent."""
_ASK_S = 5.0
"""The longest that one question about readiness may take."""
_LATE_S = 10.0
"""How much longer than its own limit a command may take until the load generator counts as gone."""


class ModelServer:
    """A model that is ready, the line to a load generator that reaches it, and how it came to be. A context."""

    def __init__(self, sandbox: Sandbox, channel: Channel, facts: Mapping[str, str | float], undo: ExitStack) -> None:
        self.sandbox = sandbox
        self.channel = channel
        self.host = sandbox.address
        """Where the channel's load generator reaches the model: an IP address."""
        self.port = sandbox.options.port
        self._facts = dict(facts)
        self._undo = undo

    def facts(self) -> dict[str, str | float]:
        """Return how it was started: image, sandbox, what the probe found, `start_s` and `load_s`.

        `start_s` is from the container's creation to an open port, `load_s` to readiness. Neither can be seen to be
        shorter than `driver_start_s`, when the load generator was there to look.
        """
        return dict(self._facts)

    def resources(self) -> dict[str, float]:
        """Return `server_cpu_s` since its start and `server_memory_mb`, at most so far. Raises ModelError: it ended."""
        return self.sandbox.resources()

    def oom_kills(self) -> int | None:
        """Return how many processes of the model were killed for want of memory; None: not known."""
        return self.sandbox.oom_kills()

    def why_dead(self) -> str:
        """Return how it ended and what it printed last; empty while it runs. Not escaped."""
        return self.sandbox.why_dead()

    def close(self) -> None:
        """Remove everything that was started. May be called twice."""
        self._undo.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def start(
    client: DockerClient,
    image: Image,
    options: SandboxOptions,
    *,
    run_id: str,
    readiness: str | Ready,
    ready_s: float,
    outside: Callable[[], Channel],
    given_up: Callable[[], bool] = lambda: False,
) -> ModelServer:
    """Run *image* and return it when it is ready: *readiness* is the path of a GET that answers 200, or a question.

    A strict sandbox is reached from a container in its network, any other one from here, over the channel that
    *outside* starts. Raises ModelError, with what the model printed last, when it ends or is not ready after
    *ready_s* seconds, or when nobody waits for it any more (*given_up*); Refused when the sandbox is not what it says.
    Nothing is left behind then, nor after Ctrl-C.
    """
    driver = driver_image(client)
    with ExitStack() as undo:
        began = time.monotonic()
        sandbox = undo.enter_context(Sandbox(client, image, options, run_id))
        sandbox.start()
        channel = ContainerChannel(client, sandbox, driver) if options.mode == "strict" else outside()
        undo.callback(channel.close)
        connected = time.monotonic()
        wait = _Wait(sandbox, channel, began, began + ready_s, given_up)
        opened = wait.for_port(readiness if isinstance(readiness, str) else "/")
        loaded = wait.for_answer(readiness)
        found = probe(client, sandbox, driver)
        facts: dict[str, str | float] = {
            **_image_facts(image, driver),
            **found,
            **_option_facts(options),
            "sandbox.warnings": " ".join(sandbox.container.warnings)[:300],
            "start_s": opened - began,
            "load_s": loaded - began,
            "driver_start_s": connected - began,
        }
        return ModelServer(sandbox, channel, facts, undo.pop_all())


def _image_facts(image: Image, driver: GeneratorImage) -> dict[str, str | float]:
    return {
        "image": image.id,
        "image.repo_digest": image.repo_digest,
        "image.platform": image.platform,
        "image.env": " ".join(image.env_names),
        "image.volumes": " ".join(sorted(image.volumes)),
        "image_mb": image.size_mb,
        "driver.image": driver.image_id,
    }


def _option_facts(options: SandboxOptions) -> dict[str, str | float]:
    return {
        "sandbox.memory_mb": float(options.memory_mb),
        "sandbox.cpus": ",".join(map(str, options.cpus)) or "all",
        "sandbox.driver_cpus": ",".join(map(str, options.driver_cpus)) or "all",
        "sandbox.tmp_exec": "yes" if options.tmp_exec else "no",
        "sandbox.gpus": str(options.gpus),
    }


class _Wait:
    """Waiting for a server, with an eye on its container."""

    def __init__(
        self, sandbox: Sandbox, channel: Channel, began: float, deadline: float, given_up: Callable[[], bool]
    ) -> None:
        self._sandbox = sandbox
        self._channel = channel
        self._began = began
        self._deadline = deadline
        self._given_up = given_up
        self._looked = began

    def for_port(self, path: str) -> float:
        """Return when the port was open, asked for *path*. Raises ModelError when that does not happen."""
        options, address = self._sandbox.options, self._address()
        hello = {"do": "hello", "host": address, "addresses": [address], "port": options.port, "timeout_s": _ASK_S}
        cpus = list(options.driver_cpus) or None
        self._call({**hello, "tls": False, "cpus": cpus if options.mode != "strict" else None, "connections": 1})
        while True:
            asked = time.monotonic()
            seen = self._call({"do": "ready", "path": path, "within_s": _CONNECT_S})
            if seen["connected"]:
                return asked if seen["status"] else min(time.monotonic(), asked + _POLL_S)
            self._pause(f"nothing listens on its port {options.port}")

    def for_answer(self, readiness: str | Ready) -> float:
        """Return when it was ready. Raises ModelError when it never is."""
        while True:
            try:
                why = (
                    self._ask(readiness)
                    if isinstance(readiness, str)
                    else readiness(self._channel, self._seconds_left())
                )
            except AdapterError as error:
                raise self._gone(error) from error
            if not why:
                return time.monotonic()
            self._pause(why)

    def _ask(self, path: str) -> str:
        seen = self._call({"do": "ready", "path": path, "within_s": self._seconds_left()})
        if seen["status"] == _OK:
            return ""
        said = f"status {seen['status']}" if seen["status"] else str(seen["failure"])[:200]
        return f"GET {path} gives {said}"

    def _address(self) -> str:
        address = self._sandbox.address
        if not address:  # the engine gives it back when a container ends
            raise self._sandbox.dead()
        return address

    def _seconds_left(self) -> float:
        """Return how long one question may take: the last one long enough to hear why the model is not ready."""
        return min(_ASK_S, max(_CONNECT_S, self._deadline - time.monotonic()))

    def _call(self, command: Mapping[str, object]) -> dict[str, Any]:
        try:
            return self._channel.call(command, _ASK_S + _LATE_S)
        except AdapterError as error:
            raise self._gone(error) from error

    def _gone(self, error: AdapterError) -> AdapterError | ModelError:
        return error if self._sandbox.alive() else self._sandbox.dead()

    def _pause(self, why: str) -> None:
        """Wait for a moment. Raises ModelError when the container has ended, or the time is over: *why*."""
        if self._given_up():
            raise ModelError(f"starting the model was given up: {why}")
        now = time.monotonic()
        if now - self._looked >= _LOOK_S or now >= self._deadline:
            self._looked = now
            if not self._sandbox.alive():
                raise self._sandbox.dead()
        if now >= self._deadline:
            said = self._sandbox.log_tail()
            tail = f"; it printed last:\n{said}" if said else ", and it printed nothing"
            raise ModelError(
                f"the model is not ready after {self._deadline - self._began:g} s: {why}{tail}",
                hint=f"it must listen on 0.0.0.0:{self._sandbox.options.port}, also on loopback; or give it more time",
            )
        time.sleep(_POLL_S)
