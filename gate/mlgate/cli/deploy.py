"""`mlgate deploy`."""

from __future__ import annotations

from pathlib import Path

import click

from mlgate.cli import options
from mlgate.commands.run_options import RunOptions


@click.command()
@options.config
@options.output
@click.option("--dry-run", is_flag=True, help="Change nothing: say what is wrong, and what would change.")
@click.option("--fix", is_flag=True, help="Only mend the manifest, where mlgate knows how.")
@click.option(
    "--resume-or-rollback",
    is_flag=True,
    help="Begin nothing. What a process that died left half-way: finish a promotion, roll everything else back.",
)
@click.option(
    "--attestation",
    "attestations",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The verdict's attestation, where the file has `trust`.  [those beside the verdict]",
)
@click.option("--allow-older", is_flag=True, help="With `trust`: the commit may be older than the one that serves.")
@click.option(
    "--force-conflicts",
    is_flag=True,
    help="Take over fields of the InferenceService that other managers own (modes knative and standard).",
)
@options.judged_image
@options.verdict
@options.environment
def command(
    *,
    config: Path,
    output: Path | None,
    dry_run: bool,
    fix: bool,
    resume_or_rollback: bool,
    force_conflicts: bool,
    image: str,
    verdict: str,
    attestations: tuple[Path, ...],
    allow_older: bool,
    environment: str,
) -> int:
    """Bring the model of the last verdict to the cluster, and give it traffic in steps.

    The verdict's files are verified first, and where the file has `trust`, its attestation. The rollout ends with all
    of the traffic on the new model, or on the one before. Where mlgate.yaml has `tracking`, the champion in MLflow's
    registry follows once the cluster has confirmed. Exit codes: 0 promoted, 4 rolled back, 2 the file, the manifest, or
    an object that the cluster refused, 3 not known, or tracking is required and the champion could not follow, 5
    refused.
    """
    if dry_run + fix + resume_or_rollback > 1:
        raise click.UsageError("use one of --dry-run, --fix and --resume-or-rollback")
    choice = RunOptions(
        config, output, image=image, verdict=verdict, environment=environment, attestations=attestations
    )
    if fix:
        from mlgate.commands.deploy.preflight import run_fix

        return run_fix(choice)
    from mlgate.commands.deploy.rollout import run_deploy, run_recovery

    if resume_or_rollback:
        return run_recovery(choice)
    return run_deploy(choice, is_dry=dry_run, force_conflicts=force_conflicts, allow_older=allow_older)
