"""A model that mlgate starts itself, from a container image, in a sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from mlgate.config.sections.duration import Duration, lasting
from mlgate.config.sections.memory_size import Memory, amount
from mlgate.config.sections.section import EnvName, Given, Section, Written, complaint
from mlgate.config.sections.served import GRPC, Served
from mlgate.config.yaml.fault import describe

Gpus = int | Literal["all"]
SANDBOXES = ("strict", "internal", "open")
"""Tightest first."""

_MOST_GPUS = 64
_BuildPath = Annotated[
    str,
    Written(
        r"(?!-)(?!.*://)[^\x00-\x1f\x7f]{1,4096}",
        "must be a path, and not begin with -",  # the engine's command would take it for an option, or fetch an address
        "relative to the configuration's folder",
    ),
]
_Argument = Annotated[str, Written(r"[^\x00]{1,4096}", "must be text of at most 4096 characters")]

_LayersRef = Annotated[
    str,
    Written(
        r"(?=.{1,300}$)[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+"
        r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?",
        "is no name in a registry",
        "e.g. cache: ghcr.io/acme/summarizer:buildcache",
    ),
]


def _gpus(value: object) -> object:
    if value != "all" and (type(value) is not int or not 0 <= value <= _MOST_GPUS):
        raise complaint(f"must be all or a number of GPUs, but is {describe(value)}", f"0 to {_MOST_GPUS}, or all")
    return value


class Build(Section):
    """How an image is built from a Dockerfile."""

    short: ClassVar[str] = "context"
    written_as: ClassVar[str] = "a folder or a mapping"

    context: _BuildPath = Field(examples=["."])
    """The folder that is sent to the engine, relative to the configuration's."""
    dockerfile: _BuildPath = "Dockerfile"
    """The Dockerfile, relative to the context."""
    args: Mapping[EnvName, _Argument] = Field(default_factory=dict)
    """Build arguments by name. They can be read from the image: no secrets."""
    target: Given[Annotated[str, Written(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}", "is no build stage's name")]] = None
    """The stage to build. Left out: the last."""
    cache: Given[_LayersRef] = None
    """Where layers are kept between machines: a name in a registry, `ghcr.io/acme/summarizer:buildcache`.

    They are read whenever the image is built, and written by `mlgate build --write-cache` only.
    """


class Source(Section):
    """Which image: one that there is, or one to be built."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["ref"]}, {"required": ["build"]}]})

    ref: Given[
        Annotated[str, Written(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,499}", "is no image's name", "e.g. ref: summarizer:pr")]
    ] = None
    """The image's name: `summarizer:pr`, or with its digest `summarizer@sha256:…`. Or `build`."""
    build: Given[Build] = None
    """How the image is built: a folder with a Dockerfile, or a mapping. Or `ref`."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.ref is None and self.build is None:
            raise complaint("needs one of ref and build", "e.g. ref: summarizer:pr, or build: .")
        if self.ref is not None and self.build is not None:
            raise complaint("has ref and build: an image is there, or is built", "keep one of them")
        return self


class Image(Served, Source):
    """A model in a container image, started in a sandbox of mlgate's own."""

    port: int = Field(8080, ge=1, le=65_535)
    """The port that the server listens on inside the container."""
    ready: Given[
        Annotated[str, Written(r"/(?!/)[\x21\x22\x24-\x7e]{0,499}", "must be a path like /healthz", "begin with /")]
    ] = None
    """The path that answers 200 once the model is loaded. Left out: the protocol's own; for `json` the open port."""
    ready_within: Duration = lasting("60s")
    """How long the model may take until then."""
    command: Given[Annotated[tuple[_Argument, ...], Field(strict=False, min_length=1)]] = None
    """The command in place of the image's own, as a list of texts: `[python, -m, server]`."""
    env: Mapping[EnvName, _Argument] = Field(default_factory=dict)
    """Variables for the container, written out. The candidate can read them: no secrets."""
    sandbox: Literal["strict", "internal", "open"] = "strict"
    """`strict`: no network at all. `internal`: no internet, but this machine is reachable. `open`: all is reachable."""
    tmp_exec: bool = False
    """Files in /tmp may be executed, for compilers that cache code there."""
    memory: Memory = amount("2GB")
    """The most memory that the container may use: `2GB`, `512MB`."""
    cpus: int = Field(1, ge=1, le=256)
    """The cores that the container has to itself."""
    gpus: Annotated[
        Gpus,
        BeforeValidator(_gpus),
        WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0, "maximum": _MOST_GPUS}, {"const": "all"}]}),
    ] = 0
    """How many GPUs the container sees: a number, or `all`."""

    @model_validator(mode="after")
    def _over_http(self) -> Self:
        if self.protocol == GRPC:
            raise complaint("is for endpoints: a sandbox is asked over HTTP", "use kserve-v2", at=("protocol",))
        return self

    @model_validator(mode="after")
    def _nothing_preloaded(self) -> Self:
        if "LD_PRELOAD" in self.env:
            raise complaint("is emptied by the sandbox", "delete it", at=("env", "LD_PRELOAD"))
        return self
