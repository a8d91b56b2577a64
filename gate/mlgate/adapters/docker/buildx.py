"""buildx, the docker command's builder: started, listened to, ended; what came of it is read from its own account."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlgate.adapters.docker.buildx_command import Order, command
from mlgate.adapters.docker.buildx_progress import LONGEST_LINE, BuildProgress
from mlgate.core.build import BuildStep, Underway
from mlgate.core.errors import AdapterError, ConfigError, ModelError

Watch = Callable[[Underway], None]

_BUILD_S = 2 * 3600
_ASK_S = 60
_GRACE_S = 15.0
"""How long buildx may take to end a build that is broken off."""
_TICK_S = 0.1
_CHUNK_BYTES = 1 << 16
_LARGEST_METADATA = 8 << 20
"""Bytes of the metadata that are read."""
_QUIET = {"BUILDX_METADATA_PROVENANCE": "disabled", "DOCKER_CLI_HINTS": "false"}
_REASONS = 6
"""Lines of buildx's own words in an error's message."""


class BuildFailed(ModelError):  # noqa: N818 - what happened, as its siblings are named
    """A step of the Dockerfile failed."""

    def __init__(self, step: BuildStep, printed: Sequence[str]) -> None:
        last = f"; it said last: {printed[-1]}" if printed else ""
        super().__init__(f"the image could not be built: {step.name} failed: {step.error}{last}")
        self.step = step
        self.printed = tuple(printed)
        """The last lines that the step printed. Hostile."""


@dataclass(frozen=True, slots=True)
class Built:
    """What buildx says of an image that it built."""

    digest: str
    """`sha256:…` of the manifest; empty where an old engine's builder tells none."""
    config: str
    """`sha256:…` of the configuration, which engines without a containerd store name images by."""
    steps: tuple[BuildStep, ...]
    seconds: float


def find(purpose: str = "building with measured layers") -> tuple[str, ...]:
    """Return the words that start buildx: the docker command's plugin, or the program itself.

    Raises ConfigError, which says the *purpose*.
    """
    docker = shutil.which("docker")
    if docker and _answers((docker, "buildx")):
        return (docker, "buildx")
    alone = shutil.which("buildx") or shutil.which("docker-buildx")
    if alone and _answers((alone,)):
        return (alone,)
    raise ConfigError(f"{purpose} needs buildx", hint="install docker-buildx-plugin")


def _answers(words: tuple[str, ...]) -> bool:
    try:
        asked = subprocess.run([*words, "version"], capture_output=True, check=False, timeout=_ASK_S)  # noqa: S603 - fixed words
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def build(buildx: Sequence[str], order: Order, watch: Watch) -> Built:
    """Fill the order; *watch* is told ten times a second how far it is.

    Raises BuildFailed when a step fails, ModelError for a Dockerfile that cannot be read or takes too long,
    AdapterError when the builder itself is at fault.
    """
    with tempfile.TemporaryDirectory(prefix="mlgate-") as folder:
        metadata = Path(folder, "metadata.json")
        progress, began = BuildProgress(), time.monotonic()
        code = _listen(command(buildx, order, metadata), progress, watch)
        seconds = time.monotonic() - began
        if code:
            raise _why(progress)
        told = _read(metadata)
    digest, config = told.get("containerimage.digest"), told.get("containerimage.config.digest")
    if not (digest or config):
        raise AdapterError("buildx did not say what it built", hint="use buildx 0.13 or newer: docker buildx version")
    return Built(str(digest or ""), str(config or ""), progress.steps(), seconds)


def _listen(words: Sequence[str], progress: BuildProgress, watch: Watch) -> int:
    began = time.monotonic()
    process = subprocess.Popen(  # noqa: S603 - a list, no shell; every value is joined to its option
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={"ACTIONS_CACHE_SERVICE_V2": "true", **os.environ, **_QUIET},  # GitHub's cache has no other version left
        start_new_session=True,  # Ctrl-C reaches the gate, and the gate ends the build
    )
    assert process.stderr is not None
    try:
        with process.stderr as pipe, selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            told = _Lines()
            while True:
                seconds = time.monotonic() - began
                if seconds > _BUILD_S:
                    raise ModelError(f"the image was not built within {_BUILD_S:,} s")
                if selector.select(_TICK_S):
                    data = os.read(pipe.fileno(), _CHUNK_BYTES)
                    for line in told.take(data):
                        progress.feed(line)
                    if not data:
                        break
                watch(progress.underway(seconds))
        return process.wait(_GRACE_S)
    except subprocess.TimeoutExpired as error:
        raise AdapterError("buildx closed its output and did not end") from error
    finally:
        _end(process)


class _Lines:
    """Bytes to lines; one that is too long is passed over, so that nothing grows without a bound."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._skips = False

    def take(self, data: bytes) -> list[bytes]:
        """Return the lines that *data* ends; with no data, what is left."""
        self._rest += data
        *whole, rest = self._rest.split(b"\n") if data else (self._rest, b"")
        self._rest = bytearray(rest)
        found = [bytes(line) for line in whole]
        if self._skips and found:
            found, self._skips = found[1:], False
        if len(self._rest) > LONGEST_LINE:
            self._rest, self._skips = bytearray(), True
        return found


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a build that is broken off: politely, so that the builder is told; then not."""
    if process.poll() is not None:
        return
    for number, grace in ((signal.SIGTERM, _GRACE_S), (signal.SIGKILL, None)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace)
            return


def _why(progress: BuildProgress) -> ModelError | AdapterError:
    if found := progress.failed():
        step, printed = found
        return BuildFailed(step, printed)
    said = [line for line in progress.said if line.strip()]
    reason = next((number for number, line in enumerate(said) if line.startswith("ERROR: ")), 0)
    text = " ".join(" ".join(said[reason:][:_REASONS]).removeprefix("ERROR: ").split())
    if "dockerfile parse error" in text or "failed to solve" in text:
        return ModelError(f"the image could not be built: {text}")
    return AdapterError(f"buildx: {text or 'failed without a word'}", hint="docker buildx ls shows the builders")


def _read(metadata: Path) -> dict[str, object]:
    try:
        with metadata.open("rb") as file:
            found = json.loads(file.read(_LARGEST_METADATA))
    except (OSError, ValueError, RecursionError) as error:
        raise AdapterError("buildx did not say what it built") from error
    return found if isinstance(found, dict) else {}
