"""`mlgate deploy`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from mlgate.cli import options
from mlgate.commands.run_options import RunOptions

_OF_THE_RUN = ("image", "verdict", "attestations", "environment")


def _observed(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add what says how a rollout is observed that somebody else moves."""
    for option in reversed(
        (
            click.option(
                "--observe-only", is_flag=True, help="Judge a rollout that somebody else moves. Write nothing."
            ),
            click.option(
                "--candidate",
                metavar="[KIND/]NAME",
                help="The new model: deployment/NAME, inferenceservice/NAME or replicaset/NAME. Left out: the record "
                "of a rollout says it, or rendered objects do.",
            ),
            click.option("--stable", metavar="[KIND/]NAME", help="The model that serves beside it."),
            click.option(
                "--route", metavar="NAME", help="The HTTPRoute or Service before both.  [mlgate-SERVICE, SERVICE]"
            ),
            click.option(
                "--since", type=options.span, metavar="SPAN", help="How long the weight has been what it is: 10m."
            ),
            click.option(
                "--for",
                "wait",
                type=options.span,
                metavar="SPAN",
                help="How long to wait for a decision.  [hold + patience]",
            ),
            click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON."),
            click.option(
                "--listen",
                type=options.address,
                metavar="[HOST:]PORT",
                help="Answer by HTTP until a signal comes: /verdict, /go-on, /passed, /failed.",
            ),
        )
    ):
        function = option(function)
    return function


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
@options.attestations
@options.allow_older
@click.option(
    "--force-conflicts",
    is_flag=True,
    help="Take over fields of the InferenceService that other managers own (modes knative and standard).",
)
@options.judged_image
@options.verdict
@options.environment
@click.option(
    "--detach",
    is_flag=True,
    envvar="MLGATE_DETACH",
    help="End when the first step has its traffic: mlgate reconcile goes on with the rollout.",
)
@_observed
def command(
    *,
    config: Path,
    output: Path | None,
    dry_run: bool,
    fix: bool,
    resume_or_rollback: bool,
    force_conflicts: bool,
    allow_older: bool,
    detach: bool,
    observe_only: bool,
    **more: Any,
) -> int:
    """Bring the model of the last verdict to the cluster, and give it traffic in steps.

    The verdict's files are verified first, and where the file has `trust`, its attestation. The rollout ends with all
    of the traffic on the new model, or on the one before. Where mlgate.yaml has `tracking`, the champion in MLflow's
    registry follows once the cluster has confirmed. Exit codes: 0 promoted, 4 rolled back, 2 the file, the manifest, or
    an object that the cluster refused, 3 not known, or tracking is required and the champion could not follow, 5
    refused. With --detach: 0 it has begun. With --observe-only: 0 the present step passed, 1 the candidate is worse, 3
    not known.
    """
    if dry_run + fix + resume_or_rollback + detach + observe_only > 1:
        raise click.UsageError("use one of --dry-run, --fix, --resume-or-rollback, --detach and --observe-only")
    choice = RunOptions(config, output, **{name: more.pop(name) for name in _OF_THE_RUN})
    if observe_only:
        return _observe(choice, **more)
    if any(value is not None and value is not False for value in more.values()):
        raise click.UsageError(
            "--candidate, --stable, --route, --since, --for, --json and --listen need --observe-only"
        )
    if fix:
        from mlgate.commands.deploy.preflight import run_fix

        return run_fix(choice)
    from mlgate.commands.deploy.rollout import run_deploy, run_recovery

    if resume_or_rollback:
        return run_recovery(choice)
    return run_deploy(choice, is_dry=dry_run, force_conflicts=force_conflicts, allow_older=allow_older, detaches=detach)


def _observe(
    choice: RunOptions,
    *,
    candidate: str | None,
    stable: str | None,
    route: str | None,
    since: float | None,
    wait: float | None,
    as_json: bool,
    listen: tuple[str, int] | None,
) -> int:
    if stable and not candidate:
        raise click.UsageError("--stable needs --candidate")
    from mlgate.commands.deploy.observe import ObserveOptions, run_observe
    from mlgate.wiring.gitops.observing import AskedStep

    asked = AskedStep(candidate or "", stable or "", route or "", since or 0.0)
    return run_observe(choice, ObserveOptions(asked, wait, as_json, listen))
