"""`mlgate check`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from mlgate.cli import options
from mlgate.cli.judging import Judging


@click.command(cls=Judging)
@options.config
@options.output
@click.option(
    "-n",
    "--workers",
    type=options.workers,
    default="auto",
    envvar="MLGATE_WORKERS",
    metavar="N",
    help="Processes; 0: this one.  [auto]",
)
@click.option(
    "--shard",
    type=options.shard,
    envvar="MLGATE_SHARD",
    metavar="K/N",
    help="Observe part K of N only; `mlgate merge` judges.",
)
@click.option(
    "--part",
    type=click.Choice(("accuracy", "image-accuracy", "latency")),
    envvar="MLGATE_PART",
    metavar="PART",
    help="Observe one part only: accuracy, of a model that is no image; image-accuracy, of one that is; or latency.",
)
@click.option(
    "--image-archive",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="MLGATE_IMAGE_ARCHIVE",
    metavar="FILE",
    help="Load --image, an ID, from this file of docker save.",
)
@click.option("--resume", is_flag=True, help="Go on from an interrupted run: ask only what is missing.")
@options.save_baseline
@options.keep_baseline
@options.bootstrap
@options.base
@options.allow_forks
def command(
    *,
    config: Path,
    output: Path | None,
    workers: int,
    shard: tuple[int, int] | None,
    part: str | None,
    image_archive: Path | None,
    resume: bool,
    save_baseline: bool,
    keep_baseline: bool,
    bootstrap: bool,
    base: str,
    approve_policy: bool,
    image: str,
    allow_forks: bool,
) -> int:
    """Observe the model, judge it by the rules of mlgate.yaml, and say so by the exit code."""
    from mlgate.commands.check import run_check
    from mlgate.commands.run_options import RunOptions

    if (shard or part) and save_baseline:
        raise click.UsageError("a shard is not a baseline: `mlgate merge` judges first")
    asked = RunOptions(
        config, output, workers, shard, resume, image=image, image_archive=image_archive, part=part or ""
    )
    judged = replace(asked, base=base, approved=approve_policy, bootstrap=bootstrap, forks=allow_forks)
    return run_check(replace(judged, save_baseline=save_baseline, keep_baseline=keep_baseline))
