"""`mlgate watch`."""

from __future__ import annotations

from pathlib import Path

import click

from mlgate.cli import options
from mlgate.commands.run_options import RunOptions


@click.command()
@options.config
def command(*, config: Path) -> int:
    """Look once whether the model that serves still serves as it should.

    It is held against the rules of deploy.analysis and against its own promotion, and asked by deploy.checks.

    Exit codes: 0 it serves as it should, 1 it is worse for certain, 3 it was not measured, 2 the file.
    """
    from mlgate.commands.deploy.watch import run_watch

    return run_watch(RunOptions(config))
