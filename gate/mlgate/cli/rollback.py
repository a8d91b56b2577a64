"""`mlgate rollback`."""

from __future__ import annotations

from pathlib import Path

import click

from mlgate.cli import options
from mlgate.commands.run_options import RunOptions


@click.command()
@options.config
@options.alias("--alias", "The alias to move back.")
@click.option(
    "--to",
    type=click.IntRange(min=1),
    default=None,
    envvar="MLGATE_ROLLBACK_TO",
    metavar="VERSION",
    help="To this version, which was live once.  [the one before]",
)
@options.environment
def command(*, config: Path, alias: str, to: int | None, environment: str) -> int:
    """Go back to the model before: on the cluster, in MLflow's registry, or both, as mlgate.yaml has them.

    On the cluster it needs nothing but the Kubernetes API. Then the alias goes to the version of what serves there. A
    rollout that is under way is rolled back, and that is all. Exit codes: 0 done, 3 there is nothing to go back to, or
    it could not be done, 5 --to names a version that was never live, or that the cluster does not serve.
    """
    from mlgate.commands.deploy.rollback import run_rollback

    return run_rollback(RunOptions(config, environment=environment), alias, to or 0)
