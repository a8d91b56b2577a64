"""`mlgate render`."""

from __future__ import annotations

from pathlib import Path

import click

from mlgate.cli import options
from mlgate.commands.run_options import RunOptions


@click.command()
@options.config
@options.output
@options.judged_image
@options.verdict
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    envvar="MLGATE_TO",
    metavar="FOLDER",
    help="Where the manifests go. What mlgate wrote there before and is none of them is removed; nothing else is.",
)
@click.option(
    "--step",
    type=click.IntRange(0, 100),
    envvar="MLGATE_STEP",
    metavar="PERCENT",
    help="Its share beside the model that the folder has: one of deploy.steps, or 0. Left out: it is alone.",
)
@options.attestations
@options.allow_older
def command(
    *,
    config: Path,
    output: Path | None,
    image: str,
    verdict: str,
    to: Path,
    step: int | None,
    attestations: tuple[Path, ...],
    allow_older: bool,
) -> int:
    """Write the manifests that a deploy of the last verdict's model would apply, for Argo CD or Flux.

    The verdict's files are verified first, and where the file has `trust`, its attestation, as by mlgate deploy. Needs
    no cluster: deploy.mode and deploy.namespace have to be written. Exit codes: 0 written, 2 the file or the manifest,
    3 not known, 5 refused.
    """
    from mlgate.commands.deploy.render import run_render

    choice = RunOptions(config, output, image=image, verdict=verdict, attestations=attestations)
    return run_render(choice, to, step, allow_older=allow_older)
