"""`mlgate sync`."""

from __future__ import annotations

from pathlib import Path

import click

from mlgate.cli import options
from mlgate.commands.run_options import RunOptions


@click.command()
@options.config
@options.output
def command(*, config: Path, output: Path | None) -> int:
    """Log the verdicts that MLflow did not take when they were made, and that wait in .mlgate/pending."""
    from mlgate.commands.track import run_sync

    return run_sync(RunOptions(config, output))
