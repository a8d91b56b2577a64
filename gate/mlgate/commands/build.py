"""`mlgate build`: the model's image from its Dockerfile, with the same layers at a desk and in CI."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from mlgate.adapters.docker import buildx, engine, image_build
from mlgate.adapters.docker.buildx import Built
from mlgate.adapters.docker.buildx_command import Cache, Order
from mlgate.adapters.docker.image import split
from mlgate.adapters.docker.image_build import Recipe
from mlgate.adapters.github import step_files
from mlgate.adapters.terminal.build_progress import BuildStatus
from mlgate.adapters.terminal.output import tell
from mlgate.commands.fork_guard import refuse_strangers
from mlgate.commands.publish import width
from mlgate.config.config import Config
from mlgate.config.load import load
from mlgate.config.sections.image import Build as Section
from mlgate.core.build import CacheKind, ImageBuild, ImageDestination, outputs
from mlgate.core.errors import AdapterError, ConfigError, Refused
from mlgate.reports import build_summary

_TOKENS = ("ACTIONS_RUNTIME_TOKEN", "ACTIONS_RESULTS_URL")
"""What GitHub's cache asks for. A workflow gives it to actions in JavaScript, not to `run:`."""
_NO_TOKEN = "mlgate's action/build hands them on; elsewhere use --cache registry"  # noqa: S105 - a hint


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What a person asked for on the command line."""

    config: Path
    tag: str = ""
    """Empty: the model's name, and `candidate`."""
    push: str = ""
    archive: Path | None = None
    cache: CacheKind | None = None
    """None: the registry that mlgate.yaml names, if it names one."""
    folder: str = ""
    """Of the cache `local`."""
    scope: str = ""
    """Of the cache `gha`; empty: the model's name and this machine's kind."""
    write_cache: bool = False
    attest: bool = False
    builder: str = ""
    fresh: bool = False
    forks: bool = False
    """A fork's Dockerfile may run on a self-hosted machine."""


def build(choice: BuildOptions, out: TextIO | None = None, err: TextIO | None = None) -> int:
    """Build the image and say what was cached; return 0. Raises GateError."""
    out, err = out or sys.stdout, err or sys.stderr
    refuse_strangers(allowed=choice.forks)
    config = load(choice.config)
    order = _order(choice, config, _section(config))
    if not order.recipe.file.is_file():
        where = config.where("model", "image", "build")
        raise ConfigError(f"there is no Dockerfile {order.recipe.file}", where=where, hint="write it, or name it")
    _spare_baseline(config, order)
    words = buildx.find()
    try:
        with BuildStatus(err, lambda underway: build_summary.line(underway, width() - 1)) as line:
            built = buildx.build(words, order, line.show)
    except buildx.BuildFailed as error:
        tell(err, build_summary.failure(error.step, error.printed).rstrip("\n"))
        with _beside(err):
            step_files.write_summary(build_summary.failure_markdown(error.step, error.printed))
        raise
    done = _done(order, built)
    tell(out, build_summary.render(done).rstrip("\n"))
    with _beside(err):
        step_files.write_summary(build_summary.to_markdown(done))
    step_files.write_outputs(outputs(done))
    return 0


def _spare_baseline(config: Config, order: Order) -> None:
    """Refuse a build that gives the baseline's name in this engine to the candidate: it would be its own baseline."""
    past = config.baseline_model
    ref = past.image.ref if past is not None and past.image is not None else None
    if ref and not order.push and order.archive is None and split(ref) == split(order.recipe.tag):
        raise Refused(
            f"the image would be named {ref}, which is the baseline's name", hint="choose another: --tag NAME"
        )


def _section(config: Config) -> Section:
    """Return how the model's image is built. Raises ConfigError when it is not built."""
    image = config.model.image
    if image is None:
        raise ConfigError(
            "the model is no image: there is nothing to build",
            where=config.where("model"),
            hint="write model: {image: {build: .}}",
        )
    if image.build is None:
        raise ConfigError(
            "the model's image is there already: there is nothing to build",
            where=config.where("model", "image", "ref"),
            hint="write build: . in place of ref",
        )
    return image.build


def _order(choice: BuildOptions, config: Config, how: Section) -> Order:
    slug = _slug(config.model.name)
    tag = choice.tag or f"{slug}:candidate"
    return Order(
        Recipe(config.root / how.context, how.dockerfile, how.args, how.target or "", tag),
        _cache(choice, config, how, slug),
        push=choice.push,
        archive=choice.archive,
        attest=choice.attest,
        builder=choice.builder,
        fresh=choice.fresh,
    )


def _slug(name: str) -> str:
    """Return a model's name as registries allow it."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower())[:100].strip("-") or "model"


def _cache(choice: BuildOptions, config: Config, how: Section, slug: str) -> Cache:
    inside = all(os.environ.get(name) for name in _TOKENS)
    kind = choice.cache or ("registry" if how.cache else "gha" if inside else "none")
    if kind == "none" and choice.write_cache:
        raise ConfigError("there is no cache to write", hint="write build.cache, or name one: --cache")
    if kind == "gha":
        if absent := [name for name in _TOKENS if not os.environ.get(name)]:
            raise ConfigError(f"GitHub's cache needs {' and '.join(absent)} in the environment", hint=_NO_TOKEN)
        return Cache(kind, choice.scope or f"{slug}-{platform.system().lower()}-{_machine()}", choice.write_cache)
    if kind == "local":
        return Cache(kind, str(Path(choice.folder).absolute()), choice.write_cache)
    if kind == "none":
        return Cache()
    if not how.cache:
        raise ConfigError(
            f"--cache {kind} needs a place for layers",
            where=config.where("model", "image", "build"),
            hint="write cache: ghcr.io/acme/summarizer:buildcache below build",
        )
    return Cache(kind, how.cache, choice.write_cache)


def _machine() -> str:
    name = platform.machine().lower()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(name, name)


def _done(order: Order, built: Built) -> ImageBuild:
    place: ImageDestination = "registry" if order.push else "archive" if order.archive else "engine"
    match place:
        case "registry":
            name, kept = order.push, order.repository
            image = f"{order.repository}@{built.digest}"
        case "archive":
            name, kept = order.recipe.tag, str(order.archive)
            image = built.config or built.digest
        case "engine":
            name, kept = order.recipe.tag, ""
            image = _image_id(built, name)
    digest = built.digest or built.config
    return ImageBuild(name, image, digest, place, kept, built.seconds, built.steps, _layers(order))


def _image_id(built: Built, tag: str) -> str:
    with contextlib.closing(engine.connect()) as client:
        return image_build.loaded(client, (built.config, built.digest), tag).id


def _layers(order: Order) -> str:
    cache = order.cache
    if cache.kind == "none":
        return ""
    read = "not read" if order.fresh else "read"
    return f"{cache.kind} {cache.place}: {read}, {'written' if cache.write else 'not written'}"


@contextlib.contextmanager
def _beside(err: TextIO) -> Iterator[None]:
    """Tell what fails here and go on: a page that cannot be written is no failed build."""
    try:
        yield
    except AdapterError as error:
        tell(err, f"mlgate: warning: {error}")
