"""`mlgate reconcile`."""

from __future__ import annotations

from pathlib import Path

import click

from mlgate.cli import options
from mlgate.commands.run_options import RunOptions


@click.command()
@options.config
def command(*, config: Path) -> int:
    """Take back a rollout that nobody carries out and whose deadline is past, and remove what was left behind.

    For a CronJob or a scheduled workflow. Needs nothing but the Kubernetes API.
    """
    from mlgate.commands.deploy import run_recovery

    return run_recovery(RunOptions(config), only_late=True)
