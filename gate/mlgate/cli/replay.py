"""`mlgate replay`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mlgate.cli import options
from mlgate.commands.publish import desk_of, show
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
    """Judge EVIDENCE of an old run [.mlgate/evidence.jsonl.gz] by today's rules. Asks no model, writes nothing.

    EVIDENCE may be a kept rollout, too (.mlgate/rollout/rollout.json): then the users' requests that were counted in
    each step are held against today's deploy.analysis.rules. Exit codes: 0 promoted, 1 rolled back, 3 not decided.
    """
    if evidence is not None and options.is_rollout(evidence):
        from mlgate.commands.deploy.kept_rollout import run_rollout_replay

        if as_json:
            raise click.UsageError("--json is for evidence; of a rollout there is a page only")
        return run_rollout_replay(RunOptions(config), evidence)
    choice = RunOptions(config, bootstrap=bootstrap, base=base, approved=approve_policy, image=image)
    report = run_replay(choice, evidence)
    show(report, ("json",) if as_json else ("terminal",), sys.stdout, desk=desk_of(choice, evidence))
    return report.outcome.exit_code
