"""A model that passed becomes what serves, step by step; and back."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from mlgate.adapters.process import clock
from mlgate.adapters.process.signals import SignalStop
from mlgate.adapters.terminal.output import tell
from mlgate.adapters.terminal.rollout_progress import RolloutLines
from mlgate.commands import unmerged_guard
from mlgate.commands.deploy import live_alias, rollout_report
from mlgate.commands.deploy import preflight as deploy_preflight
from mlgate.commands.run_options import RunOptions
from mlgate.commands.trust.attested_release import demand_no_older, last_release
from mlgate.config.load import load
from mlgate.core.deploy.mode import ONE_OBJECT, ROUTED
from mlgate.core.deploy.ports import Judgement
from mlgate.core.deploy.release import Deployed, ServiceRecord
from mlgate.core.deploy.rollout import ALL, Phase
from mlgate.core.errors import ConfigError, NothingBefore, Outdated
from mlgate.flow.deploy import rollout as flow
from mlgate.flow.deploy.first_check import FirstCheck
from mlgate.flow.deploy.leaving import NEVER, Leaving
from mlgate.flow.deploy.mirror_trial import judge_trial
from mlgate.flow.deploy.rollout import RolloutTools
from mlgate.flow.deploy.step_checks import StepChecks
from mlgate.flow.deploy.step_judge import RolloutJudge
from mlgate.reports.terminal import rollout as words
from mlgate.wiring import mirror_trial, rollout_traffic
from mlgate.wiring.deploy import Target, owner
from mlgate.wiring.github.deployment import shown_beside
from mlgate.wiring.trust import Trust

ROLLED_BACK = 4
NOT_DONE = 3

_FIRST = (
    "nothing serves yet: this first model goes back unless users ask it meanwhile; write deploy.analysis when it serves"
)


def run_deploy(
    choice: RunOptions,
    *,
    is_dry: bool = False,
    force_conflicts: bool = False,
    allow_older: bool = False,
    detaches: bool = False,
) -> int:
    """Roll the model of the last verdict out; *is_dry*: say what that would do. Return the exit code.

    *allow_older*: its commit may be older than the one that serves, also where the file has `trust`. *detaches*: end as
    soon as the first step holds, and leave the rest to `mlgate reconcile`.
    """
    unmerged_guard.refuse(choice.config.parent)
    target = Target.demanded(load(choice.config), force_conflicts=force_conflicts)
    deploy_preflight.demand_sound(target, choice)
    candidate = _candidate(target, choice)
    mode = target.mode
    demand_names_of_models(target, mode.name)
    tell(sys.stdout, f"{target.section.service} in {target.api.namespace}: mode {mode.name} ({mode.why})")
    target.demand_access(candidate)
    kept = target.records().load()
    if kept.accepted is not None:
        target.demand_access(kept.accepted)
    may_follow = partial(_demand_no_older, target, candidate, is_meant=allow_older)
    may_follow(kept)
    if kept.accepted is not None and not kept.is_under_way:  # what is under way goes on, or back, whatever is foretold
        for said in rollout_traffic.foretold(target, kept.accepted):
            tell(sys.stderr, f"mlgate: notice: {said}")
    if kept.accepted is None and target.section.analysis is not None and target.found(candidate) is None:
        tell(sys.stderr, f"mlgate: notice: {_FIRST}")
    deploy_preflight.demand_sound_cluster(target, candidate, kept.accepted)
    target.try_out(candidate)
    if is_dry:
        deploy_preflight.show_changes(candidate, kept.accepted if kept.mode else target.found(candidate))
        return 0
    live_alias.register_ahead(target, choice, candidate.release)
    return _rolled_out(target, choice, candidate, kept, may_follow, detaches=detaches)


def _rolled_out(
    target: Target,
    choice: RunOptions,
    candidate: Deployed,
    kept: ServiceRecord,
    may_follow: Callable[[ServiceRecord], None],
    *,
    detaches: bool,
) -> int:
    with judging(target, choice, kept) as judge:
        leaving, me = at_first_step(judge) if detaches else NEVER, owner()
        with rollout_tools(target, me, choice, judge) as tools:
            may_follow(tools.records.load())  # another rollout may have ended before this one had the lock
            record = flow.deploy(
                tools,
                candidate,
                target.plan(),
                mode=target.mode.name,
                owner=me,
                rules=target.step_rules,
                find=lambda: target.found(candidate),
                leaving=leaving,
            )
        if record is None:
            tell(sys.stdout, f"{candidate.name} serves already: nothing to do")
            return live_alias.follow(target, choice)
        return ended(target, choice, record, judge)


def run_recovery(choice: RunOptions) -> int:
    """End what a dead process left half-way: a promotion forward, everything else back. Return the exit code."""
    unmerged_guard.refuse(choice.config.parent)
    target = Target.demanded(load(choice.config))
    with rollout_tools(target, owner(), choice) as tools:
        record = tools.records.load()
        if record.is_detached:
            tell(sys.stdout, words.detached(target.section.service, record))
            return 0
        was_under_way = record.is_under_way
        record = flow.recover(tools, record, "its process is gone")
    return recovered(target, choice, record, was_under_way=was_under_way)


def run_cluster_rollback(choice: RunOptions) -> tuple[int, bool]:
    """Bring back what served before the last promotion; a rollout that is under way is ended first.

    Return the exit code, and whether the stable model changed: it did not, when a rollout was taken back.
    """
    target = Target.demanded(load(choice.config))
    with rollout_tools(target, owner(), choice) as tools:
        record = tools.records.load()
        if record.is_under_way:
            record = flow.recover(tools, record, "a person asked for it: mlgate rollback")
            print_ending(target, record)
            if _ended_as(record, Phase.RESTORED):
                return 0, False
        if record.previous is None:
            raise NothingBefore(
                f"there is nothing to go back to: {target.section.service} has no model before the one that serves",
                hint="what serves? mlgate status",
            )
        back, plan = record.previous, replace(target.plan(), steps=(ALL,), hold=0.0, opening=None)
        ended = flow.deploy(tools, back, plan, mode=record.mode, owner=owner())
    assert ended is not None  # the model before is another one than the one that serves
    print_ending(target, ended, is_rollback=True)
    return (0, True) if _ended_as(ended, Phase.PROMOTED) else (NOT_DONE, False)


def _demand_no_older(target: Target, candidate: Deployed, record: ServiceRecord, *, is_meant: bool) -> None:
    """Raise Refused where an attested model is older than what serves, or than what a rollout is about to put there."""
    if candidate.release.attestation and not is_meant:
        demand_no_older(target.config.root, candidate.release, record.accepted, record.rising)


def _candidate(target: Target, choice: RunOptions) -> Deployed:
    """Return what the last verdict lets onto the cluster. Of a rollout that goes on it was fresh when that began."""
    try:
        return candidate_at(target, choice, datetime.now(UTC))
    except Outdated:
        kept = target.records().load()
        if not kept.is_under_way:
            raise
        assert kept.rollout is not None
        found = candidate_at(target, choice, datetime.fromtimestamp(kept.rollout.began, UTC))
        if not flow.is_this(kept, found, target.plan(), target.mode.name, rules=target.step_rules, now=clock.seconds()):
            raise  # it would go back, and begin anew
        return found


def candidate_at(target: Target, choice: RunOptions, now: datetime) -> Deployed:
    """Return what the last verdict lets onto the cluster at that time. Raises Refused for what it does not."""
    max_age = target.section.max_age
    return target.candidate(last_release(choice, Trust.of(target.config), now=now, max_age=max_age))


@contextmanager
def judging(target: Target, choice: RunOptions, kept: ServiceRecord) -> Iterator[RolloutJudge]:
    """Judge by what the file has: online checks, and rules for users' requests. *kept*: the record as it is before."""
    section = target.section

    def trial(record: ServiceRecord) -> Judgement:
        assert record.candidate is not None
        return judge_trial(partial(mirror_trial.statuses, section, record.candidate))

    if not section.checks:
        yield RolloutJudge(traffic=target.traffic_rules(), trial=trial)
        return
    from mlgate.commands.deploy.online_check import OnlineRounds  # most of mlgate

    with OnlineRounds(choice) as rounds:
        every, patience = section.check_every.total_seconds(), section.patience.total_seconds()
        before = kept.handover.asked_until(clock.seconds()) if kept.handover is not None else None
        checks = StepChecks(rounds, every, patience, clock.seconds, before)
        first = FirstCheck(partial(rounds.first, target.config), clock.seconds, patience)
        yield RolloutJudge(first.judge, target.traffic_rules(), checks, trial)


def demand_names_of_models(target: Target, mode: str) -> None:
    """Raise ConfigError for what needs to tell the two models apart, in a mode that cannot."""
    if target.section.analysis and mode in ONE_OBJECT:
        raise ConfigError(
            f"analysis needs mode route, deployment or replicas; in mode {mode} both models have one name",
            where=target.config.where("deploy", "analysis"),
            hint="write mode: route and a gateway; or delete deploy.analysis",
        )
    for name in ("shadow", "audience"):
        if getattr(target.section, name) and mode not in ROUTED:
            raise ConfigError(
                f"{name} needs mode route or deployment; in mode {mode} no gateway of mlgate's is asked",
                where=target.config.where("deploy", name),
                hint=f"write mode: route and a gateway; or delete deploy.{name}",
            )
    if target.section.checks and mode not in ROUTED:
        raise ConfigError(
            f"online checks need mode route or deployment; in mode {mode} nothing says which model answers",
            where=target.config.where("deploy", "checks"),
            hint="delete deploy.checks; the same checks were held against the image before: mlgate check",
        )


@contextmanager
def rollout_tools(
    target: Target, me: str, choice: RunOptions, judge: RolloutJudge | None = None
) -> Iterator[RolloutTools]:
    """Hold the service's lock, take signals as wishes, and show how it goes. Without *judge*, ready is good enough."""
    lines = RolloutLines(sys.stdout, words.state_line, words.status_line)
    lock = target.lock(me)

    def end(record: ServiceRecord) -> str:
        return words.ending(target.section.service, record).partition("\n")[0]

    with SignalStop() as stop, shown_beside(lines, choice.environment, end) as shown, lock, lines:
        yield target.tools(lock, judge or RolloutJudge(), stop, shown)


def at_first_step(judge: RolloutJudge) -> Leaving:
    """Return when a rollout is left that shall go on without this process: as soon as its first step holds."""
    return Leaving(clock.seconds, -math.inf, lambda: judge.asked)


def ended(target: Target, choice: RunOptions, record: ServiceRecord, judge: RolloutJudge) -> int:
    """Tell how it ended, keep the report, and return the exit code; of one that was left, tell who goes on."""
    if record.is_detached:
        tell(sys.stdout, words.detached(target.section.service, record))
        rollout_report.tell_github(choice, "detached")
        return 0
    code = print_ending(target, record)  # first: who waits for the end does not wait until Prometheus is asked again
    followed = 0 if code else live_alias.follow(target, choice)
    rollout_report.keep(target, choice, record, judge.asked)
    rollout_report.tell_github(choice, "rolled back" if code else "promoted")
    return code or followed


def recovered(target: Target, choice: RunOptions, record: ServiceRecord, *, was_under_way: bool) -> int:
    """Tell what became of what a dead process left, and return the exit code.

    It may have died after the rollout, before the alias moved.
    """
    if was_under_way:
        return print_ending(target, record) or live_alias.follow(target, choice)
    tell(sys.stdout, f"{target.section.service}: no rollout is under way")
    return live_alias.follow(target, choice)


def print_ending(target: Target, record: ServiceRecord, *, is_rollback: bool = False) -> int:
    """Tell how it ended, and return the exit code."""
    tell(sys.stdout, words.ending(target.section.service, record, is_rollback=is_rollback))
    return 0 if _ended_as(record, Phase.PROMOTED) else ROLLED_BACK


def _ended_as(record: ServiceRecord, phase: Phase) -> bool:
    return record.rollout is not None and record.rollout.state.phase is phase
