"""What buildx is told: an order as options, each value joined to its own, so that none can be taken for another one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mlgate.adapters.docker.image_build import Recipe
from mlgate.core.build import CacheKind
from mlgate.core.errors import ConfigError

REFERENCE = re.compile(
    r"(?=.{1,300}\Z)(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?/)?"
    r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
)
"""A name in a registry, with a tag or without (distribution/reference). A digest is never the name of what is built."""

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


@dataclass(frozen=True, slots=True)
class Cache:
    """Where layers are kept between machines."""

    kind: CacheKind = "none"
    place: str = ""
    """A registry's reference, a scope of GitHub's cache, or a folder."""
    write: bool = False
    """Write them, too. Who may write decides what everybody builds from: main, not a pull request."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is built, from which layers, and where the image goes: `push`, `archive` or the local engine."""

    recipe: Recipe
    cache: Cache = Cache()
    push: str = ""
    """A reference; without a tag the image is pushed by its digest alone."""
    archive: Path | None = None
    """The file to write, for `docker load`."""
    attest: bool = False
    """Add provenance and a list of what is in it. The image's digest then changes with every build."""
    builder: str = ""
    """Which of buildx's builders; empty: the current one."""
    fresh: bool = False
    """Use no cached layer."""

    def __post_init__(self) -> None:
        """Refuse names that registries and buildx would refuse, or read as something else. Raises ConfigError."""
        named = [("tag", self.recipe.tag), ("push", self.push)]
        if self.cache.kind in ("registry", "inline"):
            named.append(("cache", self.cache.place))
        for option, name in named:
            if name and not REFERENCE.fullmatch(name):
                raise ConfigError(f"{option}: {name!r} is no image's name", hint="e.g. ghcr.io/acme/summarizer:pr")
        if self.cache.kind == "gha" and not _WORD.fullmatch(self.cache.place):
            raise ConfigError(f"scope: {self.cache.place!r} is no scope's name", hint="letters, digits, _ . -")
        if self.builder and not _WORD.fullmatch(self.builder):
            raise ConfigError(f"builder: {self.builder!r} is no builder's name", hint="docker buildx ls shows them")
        if self.attest and not self.push:
            raise ConfigError("only an image that is pushed can be attested", hint="add --push REF")

    @property
    def repository(self) -> str:
        """Return the name that is pushed to, without its tag."""
        found = REFERENCE.fullmatch(self.push)
        return self.push[: -len(found["tag"]) - 1] if found and found["tag"] else self.push


def command(buildx: Sequence[str], order: Order, metadata: Path) -> list[str]:
    """Return the command that fills an order and writes what came of it to the file *metadata*."""
    recipe = order.recipe
    options = [
        f"--file={recipe.file}",
        f"--metadata-file={metadata}",
        "--progress=rawjson",
        f"--output={output(order)}",
    ]
    options += [f"--build-arg={name}={value}" for name, value in sorted(recipe.args.items())]
    options += [f"--target={recipe.target}"] * bool(recipe.target)
    options += [f"--builder={order.builder}"] * bool(order.builder)
    options += ["--no-cache"] * order.fresh
    options += ["--provenance=mode=max", "--sbom=true"] if order.attest else ["--provenance=false"]
    options += [f"--cache-from={source}" for source in sources(order.cache)]
    options += [f"--cache-to={target}" for target in targets(order.cache)]
    return [*buildx, "build", *options, "--", str(recipe.context.absolute())]


def output(order: Order) -> str:
    """Return where the image goes, as buildx's option has it."""
    if order.push:
        tagged = order.push != order.repository
        return _fields(type="image", name=order.push, push="true") + (
            "" if tagged else ",push-by-digest=true,name-canonical=true"
        )
    if order.archive is not None:
        return _fields(type="docker", name=order.recipe.tag, dest=str(order.archive.absolute()))
    return _fields(type="docker", name=order.recipe.tag)


def sources(cache: Cache) -> list[str]:
    """Return where layers are looked for, as buildx's option has it."""
    match cache.kind:
        case "registry" | "inline":
            return [_fields(type="registry", ref=cache.place)]
        case "gha":
            return [_fields(type="gha", scope=cache.place)]
        case "local":  # a first build has no such folder, and buildx would say so each time
            return [_fields(type="local", src=cache.place)] if Path(cache.place, "index.json").is_file() else []
        case "none":
            return []


def targets(cache: Cache) -> list[str]:
    """Return where layers are written, as buildx's option has it. A cache that cannot be written fails no build."""
    if not cache.write:
        return []
    match cache.kind:
        case "registry":
            place = _fields(type="registry", ref=cache.place, mode="max")
            return [f"{place},image-manifest=true,ignore-error=true"]
        case "gha":
            return [_fields(type="gha", scope=cache.place, mode="max") + ",ignore-error=true"]
        case "local":
            return [_fields(type="local", dest=cache.place, mode="max") + ",ignore-error=true"]
        case "inline":
            return ["type=inline"]
        case "none":
            return []


def _fields(**values: str) -> str:
    """Return fields as buildx reads them: a line of CSV, so that a comma in a path begins no other field."""
    return ",".join(_csv_field(f"{name}={value}") for name, value in values.items())


def _csv_field(field: str) -> str:
    return '"' + field.replace('"', '""') + '"' if any(char in field for char in ',"\r\n') else field
