"""`mlgate replay`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mlgate.cli import options
from mlgate.commands.publish import show
from mlgate.commands.replay import run_replay
from mlgate.commands.run_options import RunOptions


@click.command()
@click.argument("evidence", required=False, type=click.Path(path_type=Path))
@options.config
@options.bootstrap
@options.base
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON instead.")
def command(
    *,
    evidence: Path | None,
    config: Path,
    bootstrap: bool,
    base: str,
    approve_policy: bool,
    image: str,
    as_json: bool,
) -> int:
    """Judge EVIDENCE of an old run [.mlgate/evidence.jsonl.gz] by today's rules. Asks no model, writes nothing."""
    report = run_replay(
        RunOptions(config, bootstrap=bootstrap, base=base, approved=approve_policy, image=image), evidence
    )
    show(report, ("json",) if as_json else ("terminal",), sys.stdout)
    return report.outcome.exit_code
