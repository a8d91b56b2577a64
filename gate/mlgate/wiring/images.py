"""Models that run from images: found or built once a run, started in a sandbox, reached by a load generator."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlgate.adapters.docker import archive as docker_archive
from mlgate.adapters.docker import engine as docker_engine
from mlgate.adapters.docker import image, image_build, reaper
from mlgate.adapters.docker import server as docker_server
from mlgate.adapters.docker.generator_image import driver_image
from mlgate.adapters.docker.hardening import SandboxOptions
from mlgate.adapters.docker.image import Image
from mlgate.adapters.docker.image_build import Recipe
from mlgate.adapters.docker.model_identity import of_image
from mlgate.adapters.docker.server import ModelServer
from mlgate.adapters.docker.start_together import Start, start_together
from mlgate.adapters.http.address import Address
from mlgate.adapters.load.channel import Channel, ProcessChannel
from mlgate.adapters.load.http_load import HttpLoad
from mlgate.config.sections.image import Image as Section
from mlgate.config.sections.model import ModelSection
from mlgate.core.errors import GateError, ModelError, Refused
from mlgate.core.identity import CURRENT_FORM
from mlgate.wiring import models

if TYPE_CHECKING:
    from docker import DockerClient


@dataclass(eq=False)
class Images:
    """The images of one run: each is resolved to its content, or built, once; one line to the engine.

    The baseline is resolved before the candidate is looked up, built or loaded, and is its content from then on: what a
    change brings into the engine may bring names with it.
    """

    root: Path
    baseline: Section | None = None
    """The baseline's image, where it is asked beside the candidate's."""
    archive: Path | None = None
    """The file that holds the candidate's image, which is then named by its ID; None: it is in the engine already."""
    _found: dict[str, Image] = field(default_factory=dict)
    _lines: list[DockerClient] = field(default_factory=list)
    """More lines to the engine: each is for one thread at a time."""

    def digest(self, section: ModelSection, form: int = CURRENT_FORM) -> str:
        """Return what stands for an image model in provenance: its content, and how it is started and asked."""
        given = section.image
        assert given is not None
        asked = models.protocol(section, given).identity
        return of_image(self._image(given).id, asked, _options(given), given.cpus, form)

    def has(self, section: ModelSection) -> bool:
        """Return whether this run has found or built the section's image already."""
        return section.image is not None and _section_text(section.image) in self._found

    def reap(self) -> tuple[str, ...]:
        """Remove what killed runs left in the engine; return what was removed."""
        return reaper.reap(self._engine)

    def start(self, section: ModelSection, run: str) -> ModelServer:
        """Start the section's image in its sandbox and return it when it is ready."""
        return self._start_of(section, run, self._engine)(lambda: False)

    def start_together(self, sections: Sequence[ModelSection], run: str) -> list[ModelServer | GateError]:
        """Start several sections' images at one moment; return each when it is ready, or why it did not start."""
        driver_image(self._engine)  # made by one of them, not by all at once
        for _ in sections[len(self._lines) + 1 :]:
            self._lines.append(docker_engine.connect())
        lines = [self._engine, *self._lines]
        return start_together([self._start_of(one, run, line) for one, line in zip(sections, lines, strict=False)])

    def _start_of(self, section: ModelSection, run: str, engine: DockerClient) -> Start:
        given = section.image
        assert given is not None
        if given == self.baseline:
            self._hold_baseline()
        content, path = self._image(given), given.ready or given.usual_ready_path(section.served_name)
        return lambda given_up: docker_server.start(
            engine,
            content,
            _options(given),
            run_id=run,
            readiness=path or _port_is_enough,
            ready_s=given.ready_within.total_seconds(),
            outside=ProcessChannel,
            given_up=given_up,
        )

    def close(self) -> None:
        """Hang up."""
        engine = self.__dict__.pop("_engine", None)
        for line in [*self._lines, *([engine] if engine is not None else [])]:
            line.close()
        self._lines.clear()

    @cached_property
    def _engine(self) -> DockerClient:
        return docker_engine.connect()

    def _image(self, given: Section) -> Image:
        written = _section_text(given)
        if written not in self._found:
            if self.baseline is not None and given != self.baseline:
                self._image(self.baseline)
            self._found[written] = self._look_up(given)
            self._hold_baseline()
        return self._found[written]

    def _hold_baseline(self) -> None:
        """Refuse a baseline whose name points elsewhere by now."""
        given = self.baseline
        if given is None or given.ref is None:
            return
        known, now = self._image(given).id, image.found(self._engine, given.ref)
        if now is not None and now.id != known:
            raise Refused(
                f"the baseline's name {given.ref} was {known} when this run began, and is {now.id} now",
                hint="something gave its name to another image meanwhile: name the baseline by its digest",
            )

    def _look_up(self, given: Section) -> Image:
        if self.archive is not None and given != self.baseline:
            return docker_archive.take(self._engine, self.archive, given.ref or "")
        if given.build is None:
            assert given.ref is not None
            return image.resolve(self._engine, given.ref)
        how = given.build
        recipe = Recipe(self.root / how.context, how.dockerfile, how.args, how.target or "", cache=how.cache or "")
        return image_build.build(self._engine, recipe)


def load(section: ModelSection, server: ModelServer, run: str, *, stream: bool) -> HttpLoad:
    """Return a running image as a model to be asked, or put under load. Closing it leaves the server running."""
    given = section.image
    assert given is not None
    strict = given.sandbox == "strict"
    return HttpLoad(
        _Lent(server.channel),
        Address.of(f"http://{server.host}:{server.port}"),
        models.protocol(section, given, stream=stream),
        timeout_s=given.timeout.total_seconds(),
        stream=stream,
        facts={**server.facts(), "run": run},
        resources=lambda: _resources(server),
        gone=server.why_dead,
        concurrency=given.concurrency,
        cpus=None if strict else _cores(given.cpus)[1],
    )


def _section_text(given: Section) -> str:
    return given.model_dump_json(exclude_unset=True)


class _Lent:
    """A channel that outlives who uses it: the server's own."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def call(self, command: Mapping[str, object], timeout_s: float) -> dict[str, Any]:
        """Pass the command on."""
        return self._channel.call(command, timeout_s)

    def close(self) -> None:
        """Leave it open: it is the server's."""


def _resources(server: ModelServer) -> Mapping[str, float]:
    """Return what the container used; nothing when it has ended, which is told elsewhere."""
    try:
        return server.resources()
    except ModelError:
        return {}


def _port_is_enough(_: Channel, __: float) -> str:
    return ""


def _options(given: Section) -> SandboxOptions:
    server, generator = _cores(given.cpus)
    return SandboxOptions(
        mode=given.sandbox,
        port=given.port,
        memory_mb=given.memory,
        cpus=server,
        driver_cpus=generator,
        command=given.command or (),
        env=given.env,
        tmp_exec=given.tmp_exec,
        gpus=given.gpus,
    )


def _cores(wanted: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the model's cores and the generator's: apart where the machine has more than one."""
    there = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(there) < 2:  # noqa: PLR2004 - one core cannot be divided
        return tuple(there), tuple(there)
    return tuple(there[1 : 1 + wanted]), (there[0],)
