"""`mlgate explain`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mlgate.adapters.terminal.output import tell
from mlgate.cli import options
from mlgate.commands.publish import width
from mlgate.commands.replay import run_explain
from mlgate.commands.run_options import RunOptions
from mlgate.reports.terminal import segments


@click.command()
@click.argument("evidence", required=False, type=click.Path(path_type=Path))
@options.config
@click.option("--check", default="", metavar="ID", help="Of which check.  [the first that measures it]")
@click.option("-m", "--metric", default="", metavar="NAME", help="Which metric.  [the first rule's]")
@click.option("--count", type=click.IntRange(1, 1000), default=10, help="How many examples.  [10]")
def command(*, evidence: Path | None, config: Path, check: str, metric: str, count: int) -> int:
    """Show the examples that moved a metric most: input, reference, baseline's answer, candidate's answer.

    Reads EVIDENCE [.mlgate/evidence.jsonl.gz] and the baseline; asks no model.
    """
    found = run_explain(RunOptions(config), evidence, check=check, metric=metric, count=count)
    tell(sys.stdout, segments.render(found, width=width()).rstrip("\n"))
    return 0
