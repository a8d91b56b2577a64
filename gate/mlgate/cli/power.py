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
@click.option(
    "--rate",
    type=click.FloatRange(0, min_open=True),
    callback=options.finite,
    metavar="N",
    help="Foretell the steps of a rollout, at N requests/s.",
)
@click.option(
    "--error-rate",
    type=click.FloatRange(0, 1, max_open=True),
    callback=options.finite,
    metavar="SHARE",
    help="Which share of them fails.  [as in the kept rollout]",
)
def command(
    *,
    evidence: Path | None,
    config: Path,
    base: str,
    approve_policy: bool,
    image: str,
    rate: float | None,
    error_rate: float | None,
) -> int:
    """Say how many harmless changes would pass, by how much EVIDENCE [.mlgate/evidence.jsonl.gz] varied.

    A gate that stops harmless changes is switched off. For each rule that compares with a baseline: its margin, how
    well this run knows the difference, the share of harmless changes that would pass, and which budget, how many
    examples or which margin would let 95 of 100 pass. Asks no model, writes nothing.

    With --rate, or for a kept rollout (.mlgate/rollout/rollout.json): how long each rule of deploy.analysis takes in
    each step of the next rollout, for a candidate like what serves. The kept rollout says what that is like; without
    one, --error-rate does.
    """
    if rate is not None or error_rate is not None or (evidence is not None and options.is_rollout(evidence)):
        from mlgate.commands.deploy.kept_rollout import run_step_power

        return run_step_power(RunOptions(config), evidence, rate=rate, error_rate=error_rate)
    found = run_power(RunOptions(config, base=base, approved=approve_policy, image=image), evidence)
    tell(sys.stdout, power.render(found, width()).rstrip("\n"))
    return 0
