"""`mlgate reconcile`."""

from __future__ import annotations

from pathlib import Path

import click

from mlgate.cli import options
from mlgate.commands.run_options import RunOptions


@click.command()
@options.config
@options.environment
def command(*, config: Path, environment: str) -> int:
    """Roll back a rollout that nobody carries out and whose deadline is past, and remove what was left behind.

    For a CronJob or a scheduled workflow. Needs mlgate.yaml and the Kubernetes API; where mlgate.yaml has `tracking`,
    the champion in MLflow's registry follows what serves. Exit codes: 0 the service is as it should be, or somebody
    alive is rolling it out; 3 not known; 2 the file.
    """
    from mlgate.commands.deploy.rollout import run_reconcile

    return run_reconcile(RunOptions(config, environment=environment))
