"""`mlgate reconcile`."""

from __future__ import annotations

from pathlib import Path

import click

from mlgate.cli import options
from mlgate.commands.run_options import RunOptions


@click.command()
@options.config
@options.output
@options.environment
@click.option(
    "--for",
    "seconds",
    type=options.span,
    default="10m",
    envvar="MLGATE_FOR",
    metavar="SPAN",
    help="How long to go on with a detached rollout.  [10m]",
)
def command(*, config: Path, output: Path | None, environment: str, seconds: float) -> int:
    """Go on with a rollout that was detached; roll back one that nobody carries out and whose deadline is past.

    What was left behind is removed, too. For a CronJob or a scheduled workflow. Needs mlgate.yaml and the Kubernetes
    API; where mlgate.yaml has `tracking`, the champion in MLflow's registry follows what serves. Exit codes: 0 the
    service is as it should be, a detached rollout goes on, or somebody alive is rolling it out; 4 a detached rollout
    went back; 3 not known; 2 the file.
    """
    from mlgate.commands.deploy.reconcile import run_reconcile

    return run_reconcile(RunOptions(config, output, environment=environment), seconds)
