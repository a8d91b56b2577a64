"""`mlgate merge`."""

from __future__ import annotations

from pathlib import Path

import click

from mlgate.cli import options
from mlgate.wiring.run import Choice, run_merge


@click.command()
@click.argument("evidence", nargs=-1, required=True, type=click.Path(path_type=Path))
@options.config
@options.output
@options.bootstrap
def command(*, evidence: tuple[Path, ...], config: Path, output: Path | None, bootstrap: bool) -> int:
    """Join the EVIDENCE of shards and judge the whole, as one run would have been judged.

    A shard that is missing is a hole: its rules are never measured, and the verdict blocks.
    """
    return run_merge(Choice(config, output, bootstrap=bootstrap), evidence)
