"""`mlgate status`."""

from __future__ import annotations

from pathlib import Path

import click

from mlgate.cli import options
from mlgate.commands.run_options import RunOptions


@click.command()
@options.config
def command(*, config: Path) -> int:
    """Show the service on the cluster: who has which traffic, what runs, and what keeps it from running.

    Exit codes: 0 a model serves and is ready, 3 not so, 2 the file.
    """
    from mlgate.commands.deploy.status import run_status

    return run_status(RunOptions(config))
