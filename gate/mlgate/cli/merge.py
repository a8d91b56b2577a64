"""`mlgate merge`."""

from __future__ import annotations

from pathlib import Path

import click

from mlgate.cli import options
from mlgate.cli.judging import Judging


@click.command(cls=Judging)
@click.argument("evidence", nargs=-1, required=True, envvar="MLGATE_EVIDENCE", type=click.Path(path_type=Path))
@options.config
@options.output
@options.save_baseline
@options.keep_baseline
@options.bootstrap
@options.base
@click.option(
    "--needs",
    default="",
    envvar="MLGATE_NEEDS",
    metavar="JSON",
    help="What the jobs of this CI run came to: GitHub's toJSON(needs).",
)
def command(
    *,
    evidence: tuple[Path, ...],
    config: Path,
    output: Path | None,
    save_baseline: bool,
    keep_baseline: bool,
    bootstrap: bool,
    base: str,
    approve_policy: bool,
    image: str,
    needs: str,
) -> int:
    """Join the EVIDENCE of shards and judge the whole, as one run would have been judged.

    EVIDENCE is files, or folders with them. A shard that is missing is a hole: its rules are never measured, and the
    verdict blocks.
    """
    from mlgate.commands.ci_jobs import CiJobs
    from mlgate.commands.merge import run_merge
    from mlgate.commands.run_options import RunOptions

    choice = RunOptions(
        config,
        output,
        save_baseline=save_baseline,
        keep_baseline=keep_baseline,
        bootstrap=bootstrap,
        base=base,
        approved=approve_policy,
        image=image,
    )
    return run_merge(choice, evidence, CiJobs.read(needs) if needs else None)
