"""`mlgate power`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mlgate.adapters.terminal.output import tell
from mlgate.cli import options
from mlgate.commands.publish import width
from mlgate.commands.replay import run_power
from mlgate.commands.run_options import RunOptions
from mlgate.reports.terminal import power


@click.command()
@click.argument("evidence", required=False, type=click.Path(path_type=Path))
@options.config
@options.base
def command(*, evidence: Path | None, config: Path, base: str, approve_policy: bool, image: str) -> int:
    """Say how many harmless changes would pass, by how much EVIDENCE [.mlgate/evidence.jsonl.gz] varied.

    A gate that stops harmless changes is switched off. For each rule that compares with a baseline: its margin, how
    well this run knows the difference, the share of harmless changes that would pass, and which budget, how many
    examples or which margin would let 95 of 100 pass. Asks no model, writes nothing.
    """
    found = run_power(RunOptions(config, base=base, approved=approve_policy, image=image), evidence)
    tell(sys.stdout, power.render(found, width()).rstrip("\n"))
    return 0
