"""`mlgate promote`."""

from __future__ import annotations

from pathlib import Path

import click

from mlgate.cli import options
from mlgate.commands.run_options import RunOptions


@click.command()
@options.config
@options.output
@options.alias("--to", "The alias to move; candidate: register only.")
def command(*, config: Path, output: Path | None, alias: str) -> int:
    """Make the model of the last verdict the champion, in MLflow's registry.

    The verdict's files are verified and judged again; then the model is registered as a version, `candidate` points to
    it and, once it is approved where mlgate.yaml asks for that, `champion`. Asks no model.

    Where mlgate.yaml has `deploy`, the champion is what the cluster serves: it is asked first, and a verdict on another
    model is refused (5). What a process that died left between the two is completed, also without the verdict's files.
    """
    from mlgate.commands.promote import run_promote

    return run_promote(RunOptions(config, output), alias)
