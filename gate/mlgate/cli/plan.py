"""`mlgate plan`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mlgate.adapters.terminal.output import tell
from mlgate.cli import options
from mlgate.commands.plan import plan
from mlgate.commands.run_options import RunOptions
from mlgate.reports.content.escape import terminal


@click.command()
@options.config
@options.bootstrap
@options.base
@click.option(
    "--shards",
    type=click.IntRange(1, 8),
    default=1,
    envvar="MLGATE_SHARDS",
    metavar="N",
    help="Into how many parts accuracy checks are divided.  [1]",
)
@options.name
def command(
    *, config: Path, bootstrap: bool, base: str, approve_policy: bool, image: str, shards: int, name: str
) -> int:
    """Say what a run would do, without asking the model: the jobs that CI runs side by side, and whose rules bind."""
    choice = RunOptions(config, bootstrap=bootstrap, base=base, approved=approve_policy, image=image)
    for line in plan(choice, shards, name):
        tell(sys.stdout, terminal(line, 500))
    return 0
