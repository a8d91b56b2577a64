"""`mlgate doctor`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mlgate.cli import options
from mlgate.reports.escape import terminal
from mlgate.wiring.doctor import examine
from mlgate.wiring.tell import tell

_MARKS = {"ok": "✓", "note": "·", "bad": "✗"}


@click.command()
@options.config
@click.option("--ask/--no-ask", default=True, help="Ask the model one example.  [ask]")
def command(*, config: Path, ask: bool) -> int:
    """Check this machine, mlgate.yaml, the data, the baseline and the model; say what to mend, in that order."""
    bad = 0
    for finding in examine(config, ask=ask):
        bad += finding.state == "bad"
        tell(sys.stdout, f"{_MARKS[finding.state]} {finding.what:<10} {terminal(finding.said, 500)}")
        if finding.hint:
            tell(sys.stdout, f"  {'':<10} next: {terminal(finding.hint, 500)}")
    return 3 if bad else 0
