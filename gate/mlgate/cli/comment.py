"""`mlgate comment`."""

from __future__ import annotations

from pathlib import Path

import click

from mlgate.cli import options
from mlgate.commands.comment import comment


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), envvar="MLGATE_REPORT")
@options.name
@click.option(
    "--status/--no-status",
    default=False,
    envvar="MLGATE_STATUS",
    help="Set the commit's status mlgate/NAME, too.  [no]",
)
def command(*, folder: Path, name: str, status: bool) -> int:
    """Write the report in FOLDER as the one comment of its pull request. For workflows that `workflow_run` starts.

    FOLDER [$MLGATE_REPORT] is what actions/download-artifact unpacked. Nothing in it is believed but the numbers of its
    report, and the comment says whose word they are. The token comes from MLGATE_GITHUB_TOKEN, or GITHUB_TOKEN.
    """
    return comment(folder, name, status=status)
