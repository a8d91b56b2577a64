"""A model that passed becomes what serves, step by step; and back."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from mlgate.adapters.github import environment
from mlgate.adapters.process.signals import SignalStop
from mlgate.adapters.terminal.output import tell
from mlgate.adapters.terminal.rollout_progress import RolloutLines
from mlgate.commands import unmerged_guard
from mlgate.commands.deploy import preflight as deploy_preflight
from mlgate.commands.deploy.online_check import judge_online
from mlgate.commands.promote import verified
from mlgate.commands.run_options import RunOptions
from mlgate.config.load import load
from mlgate.core.deploy.mode import ROUTED
from mlgate.core.deploy.ports import Judgement
from mlgate.core.deploy.release import Deployed, ServiceRecord
from mlgate.core.deploy.rollout import ALL, Phase
from mlgate.core.errors import Busy, ConfigError, GateError
from mlgate.flow.deploy import rollout as flow
from mlgate.flow.deploy.release import release_of
from mlgate.flow.deploy.rollout import RolloutTools
from mlgate.flow.deploy.step_judge import OnlineChecksJudge
from mlgate.reports.terminal import rollout as words
from mlgate.wiring.deploy import Target, owner

ROLLED_BACK = 4
NOT_DONE = 3


def run_deploy(choice: RunOptions, *, is_dry: bool = False, force_conflicts: bool = False) -> int:
    """Roll the model of the last verdict out; *is_dry*: say what that would do. Return the exit code."""
    unmerged_guard.refuse(choice.config.parent)
    target = Target.demanded(load(choice.config), force_conflicts=force_conflicts)
    deploy_preflight.demand_sound(target, choice)
    candidate = _candidate(target, choice)
    mode, me = target.mode, owner()
    _demand_route_for_checks(target)
    tell(sys.stdout, f"{target.section.service} in {target.api.namespace}: mode {mode.name} ({mode.why})")
    if is_dry:
        kept = target.records().load()
        deploy_preflight.dry_run(target, candidate, kept.accepted if kept.mode else target.found(candidate))
        return 0
    check = (lambda record: judge_online(target, choice, record)) if target.section.checks else None
    with _rollout_tools(target, me, check) as tools:
        record = flow.deploy(
            tools, candidate, target.plan(), mode=mode.name, owner=me, find=lambda: target.found(candidate)
        )
    if record is None:
        tell(sys.stdout, f"{candidate.name} serves already: nothing to do")
        return 0
    return _print_ending(target, record)


def run_recovery(choice: RunOptions) -> int:
    """End what a dead process left half-way: a promotion forward, everything else back. Return the exit code."""
    unmerged_guard.refuse(choice.config.parent)
    target = Target.demanded(load(choice.config))
    with _rollout_tools(target, owner()) as tools:
        record = tools.records.load()
        if not record.is_under_way:
            tell(sys.stdout, f"{target.section.service}: no rollout is under way")
            return 0
        record = flow.recover(tools, record, "its process is gone")
    return _print_ending(target, record)


def run_reconcile(choice: RunOptions) -> int:
    """Roll back what nobody carries out and whose deadline is past; remove leftovers. Return the exit code.

    0 when the service is as it should be afterwards, also when somebody alive is rolling it out.
    """
    unmerged_guard.refuse(choice.config.parent)
    target = Target.demanded(load(choice.config))
    try:
        with _rollout_tools(target, owner()) as tools:
            before = tools.records.load()
            record = flow.reconcile(tools, before) if before.mode else before
    except Busy as error:
        tell(sys.stdout, f"{target.section.service}: {error.message}")
        return 0
    if record.is_under_way:
        assert record.rollout is not None
        until = datetime.fromtimestamp(record.rollout.plan.deadline, UTC).strftime("%H:%M UTC")
        tell(
            sys.stdout,
            f"{target.section.service}: a rollout stopped half-way; after its deadline ({until}) this rolls it back\n"
            "  next: to end it now, mlgate deploy --resume-or-rollback",
        )
    elif before.is_under_way:
        _print_ending(target, record)
    else:
        tell(sys.stdout, f"{target.section.service}: no rollout is under way")
    return 0


def run_cluster_rollback(choice: RunOptions) -> tuple[int, bool]:
    """Bring back what served before the last promotion; a rollout that is under way is ended first.

    Return the exit code, and whether the stable model changed: it did not, when a rollout was taken back.
    """
    target = Target.demanded(load(choice.config))
    with _rollout_tools(target, owner()) as tools:
        record = tools.records.load()
        if record.is_under_way:
            record = flow.recover(tools, record, "a person asked for it: mlgate rollback")
            _print_ending(target, record)
            if _ended_as(record, Phase.RESTORED):
                return 0, False
        if record.previous is None:
            raise GateError(
                f"there is nothing to go back to: {target.section.service} has no model before the one that serves",
                hint="what serves? mlgate status",
            )
        back, plan = record.previous, replace(target.plan(), steps=(ALL,), hold=0.0)
        ended = flow.deploy(tools, back, plan, mode=record.mode, owner=owner())
    assert ended is not None  # the model before is another one than the one that serves
    _print_ending(target, ended, is_rollback=True)
    return (0, True) if _ended_as(ended, Phase.PROMOTED) else (NOT_DONE, False)


def _candidate(target: Target, choice: RunOptions) -> Deployed:
    """Return what the last verdict lets onto the cluster."""
    _, report, content = verified(choice)
    run = environment.here()
    release = release_of(
        report,
        hashlib.sha256(content).hexdigest(),
        choice.folder.verdict().judged,
        now=datetime.now(UTC),
        max_age=target.section.max_age,
        link=run.url if run else "",
    )
    return target.candidate(release)


def _demand_route_for_checks(target: Target) -> None:
    """Raise ConfigError for online checks in a mode that cannot name the model that is asked."""
    if target.section.checks and target.mode.name not in ROUTED:
        raise ConfigError(
            f"online checks need mode route or deployment; in mode {target.mode.name} nothing says which model answers",
            where=target.config.where("deploy", "checks"),
            hint="delete deploy.checks; the same checks were held against the image before: mlgate check",
        )


@contextmanager
def _rollout_tools(
    target: Target, me: str, check: Callable[[ServiceRecord], Judgement] | None = None
) -> Iterator[RolloutTools]:
    """Hold the service's lock, take signals as wishes, and show how it goes; *check*: the online checks."""
    lines = RolloutLines(sys.stdout, words.state_line, words.status_line)
    lock = target.lock(me)
    with SignalStop() as stop, lock, lines:
        yield target.tools(lock, OnlineChecksJudge(check), stop, lines)


def _print_ending(target: Target, record: ServiceRecord, *, is_rollback: bool = False) -> int:
    tell(sys.stdout, words.ending(target.section.service, record, is_rollback=is_rollback))
    return 0 if _ended_as(record, Phase.PROMOTED) else ROLLED_BACK


def _ended_as(record: ServiceRecord, phase: Phase) -> bool:
    return record.rollout is not None and record.rollout.state.phase is phase
