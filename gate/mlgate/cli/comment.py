"""`mlgate comment`."""

from __future__ import annotations

import re
from pathlib import Path

import click

from mlgate.wiring.comment import comment

_NAME = re.compile(r"[a-z0-9-]{1,40}")


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise click.BadParameter(f"{text!r} is not made of 1 to 40 of a-z, 0-9 and -")
    return text


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), envvar="MLGATE_REPORT")
@click.option(
    "--name",
    type=_name,
    default="mlgate",
    metavar="NAME",
    envvar="MLGATE_NAME",
    help="Tells the comments of several gates apart.  [mlgate]",
)
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
