"""`mlgate baseline`."""

from __future__ import annotations

from pathlib import Path

import click

from mlgate.cli import options
from mlgate.commands.run_options import RunOptions


@click.group()
def command() -> None:
    """See to what models are held against."""


@command.command()
@options.config
@options.output
def accept(*, config: Path, output: Path | None) -> int:
    """Make the last verdict's model the baseline, without asking it again.

    Its files are verified and judged again. With `baseline: {from: mlflow}` this is `mlgate promote`.
    """
    from mlgate.commands.promote import run_accept

    return run_accept(RunOptions(config, output))
