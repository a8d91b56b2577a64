"""`mlgate build`."""

from __future__ import annotations

from pathlib import Path

import click

from mlgate.cli import options
from mlgate.core.build import CacheKind

_KINDS: tuple[CacheKind, ...] = ("registry", "gha", "inline", "none")


def _cache(text: str) -> tuple[CacheKind, str]:
    """Read where layers are kept: a kind, and the folder of `local:DIR`."""
    kind, _, folder = text.partition(":")
    if kind == "local" and folder and "\0" not in folder:
        return "local", folder
    for known in _KINDS:
        if text == known:
            return known, ""
    raise click.BadParameter(f"{text!r} is none of {', '.join(_KINDS)} and local:DIR")


@click.command()
@options.config
@click.option("--tag", metavar="NAME", envvar="MLGATE_TAG", help="The image's name.  [MODEL:candidate]")
@click.option("--push", metavar="REF", envvar="MLGATE_PUSH", help="Push it; without a tag: by its digest alone.")
@click.option(
    "--archive",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    envvar="MLGATE_ARCHIVE",
    help="Write it to a file, for `docker load`.",
)
@click.option(
    "--cache",
    type=_cache,
    metavar="KIND",
    envvar="MLGATE_CACHE",
    help="Where layers are kept: registry, gha, inline, local:DIR, none.  [registry if build.cache names one]",
)
@click.option("--scope", metavar="NAME", envvar="MLGATE_SCOPE", help="The scope of GitHub's cache.  [MODEL-PLATFORM]")
@click.option("--write-cache", is_flag=True, envvar="MLGATE_WRITE_CACHE", help="Write layers, too: on main only.")
@click.option("--attest", is_flag=True, envvar="MLGATE_ATTEST", help="Push it with provenance and an SBOM.")
@click.option("--builder", metavar="NAME", envvar="MLGATE_BUILDER", help="Which builder of buildx.  [the current one]")
@click.option("--no-cache", is_flag=True, envvar="MLGATE_NO_CACHE", help="Use no cached layer.")
@options.allow_forks
def command(
    *,
    config: Path,
    tag: str | None,
    push: str | None,
    archive: Path | None,
    cache: tuple[CacheKind, str] | None,
    scope: str | None,
    write_cache: bool,
    attest: bool,
    builder: str | None,
    no_cache: bool,
    allow_forks: bool,
) -> int:
    """Build the model's image from its Dockerfile, with cached layers, and say how much of it was cached.

    Without --push or --archive the image goes into the local engine.
    """
    if push and (tag or archive):
        raise click.UsageError("--push names the image and where it goes: leave out --tag and --archive")
    from mlgate.commands.build import BuildOptions, build

    kind, folder = cache or (None, "")
    return build(
        BuildOptions(
            config,
            tag=tag or "",
            push=push or "",
            archive=archive,
            cache=kind,
            folder=folder,
            scope=scope or "",
            write_cache=write_cache,
            attest=attest,
            builder=builder or "",
            fresh=no_cache,
            forks=allow_forks,
        )
    )
