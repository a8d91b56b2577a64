"""`mlgate history`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mlgate.adapters.terminal.output import tell
from mlgate.cli import options
from mlgate.commands.run_options import RunOptions


@click.command()
@click.argument("model", required=False, default="")
@options.config
@options.alias("--alias", "Of which alias.")
def command(*, model: str, config: Path, alias: str) -> int:
    """Show what was live when: every version of MODEL [the file's] that was champion, the latest first."""
    from mlgate.adapters.process import clock
    from mlgate.commands.promote import past
    from mlgate.reports.terminal import history

    source, ledger = past(RunOptions(config), model)
    tell(sys.stdout, history.render(source, ledger, alias, clock.now()).rstrip("\n"))
    return 0
