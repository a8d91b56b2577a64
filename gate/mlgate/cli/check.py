"""`mlgate check`."""

from __future__ import annotations

from pathlib import Path

import click

from mlgate.cli import options
from mlgate.wiring.run import Choice, run


@click.command()
@options.config
@options.output
@click.option(
    "-n",
    "--workers",
    type=options.workers,
    default="auto",
    metavar="N",
    help="Processes; 0: this one.  [auto]",
)
@click.option("--shard", type=options.shard, metavar="K/N", help="Observe part K of N only; `mlgate merge` judges.")
@click.option("--resume", is_flag=True, help="Go on from an interrupted run: ask only what is missing.")
@click.option("--save-baseline", is_flag=True, help="Make this run the baseline when it passes.")
@options.bootstrap
def command(
    *,
    config: Path,
    output: Path | None,
    workers: int,
    shard: tuple[int, int] | None,
    resume: bool,
    save_baseline: bool,
    bootstrap: bool,
) -> int:
    """Observe the model, judge it by the rules of mlgate.yaml, and say so by the exit code."""
    if shard and save_baseline:
        raise click.UsageError("a shard is not a baseline: `mlgate merge` judges first")
    return run(Choice(config, output, workers, shard, resume, save_baseline, bootstrap))
