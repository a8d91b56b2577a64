"""A model that passed becomes what serves, step by step; and back."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from mlgate.adapters.github import environment
from mlgate.adapters.kubernetes.lease import Lease
from mlgate.adapters.kubernetes.service_records import ConfigMapRecords
from mlgate.adapters.process.signals import SignalStop
from mlgate.adapters.terminal.output import tell
from mlgate.adapters.terminal.rollout_progress import RolloutLines
from mlgate.commands import deploy_preflight, unmerged_guard
from mlgate.commands.online_check import judge_online
from mlgate.commands.promote import verified
from mlgate.commands.run_options import RunOptions
from mlgate.config.load import load
from mlgate.core.deploy.ports import Judgement
from mlgate.core.deploy.release import Deployed, ServiceRecord
from mlgate.core.deploy.rollout import Phase
from mlgate.core.errors import GateError
from mlgate.flow import deploy as flow
from mlgate.flow.deploy import RolloutTools
from mlgate.flow.release import release_of
from mlgate.flow.step_judge import FactsJudge
from mlgate.reports.terminal import rollout as words
from mlgate.wiring.deploy import Target, owner

ROLLED_BACK = 4
UNDER_WAY = 3


def run_deploy(choice: RunOptions, *, is_dry: bool = False, takes_over: bool = False) -> int:
    """Roll the model of the last verdict out; *is_dry*: say what that would do. Return the exit code."""
    unmerged_guard.refuse(choice.config.parent)
    target = Target.demanded(load(choice.config), takes_over=takes_over)
    deploy_preflight.demand_sound(target, choice)
    candidate = _candidate(target, choice)
    mode, me = target.mode, owner()
    tell(sys.stdout, f"{target.section.service} in {target.api.namespace}: mode {mode.name} ({mode.why})")
    if is_dry:
        record = ConfigMapRecords(target.api, target.section.service).load()
        deploy_preflight.dry_run(target, candidate, record.accepted or target.found())
        return 0
    check = (lambda record: judge_online(target, choice, record)) if target.section.checks else None
    with _carried(target, me, check) as tools:
        found = target.found()
        record = flow.deploy(tools, candidate, target.plan(), mode=mode.name, owner=me, found=found)
    if record.rollout is None or record.candidate != candidate:
        tell(sys.stdout, f"{candidate.name} serves already: nothing to do")
        return 0
    return _told(target, record)


def run_recovery(choice: RunOptions, *, only_late: bool) -> int:
    """End what a dead process left half-way; *only_late*: past its deadline, and tidy up. Return the exit code."""
    unmerged_guard.refuse(choice.config.parent)
    target = Target.demanded(load(choice.config))
    with _carried(target, owner()) as tools:
        record = tools.records.load()
        was_under_way = record.is_under_way
        record = flow.reconcile(tools, record) if only_late else flow.recover(tools, record, "its process is gone")
    if record.is_under_way:
        tell(sys.stdout, f"{target.section.service}: a rollout is under way, and its deadline is to come")
        return UNDER_WAY
    if not was_under_way:
        tell(sys.stdout, f"{target.section.service}: no rollout is under way")
        return 0
    return _told(target, record)


def run_cluster_rollback(choice: RunOptions) -> int:
    """Bring back what served before the last promotion; end a rollout that is under way. Return the exit code."""
    target = Target.demanded(load(choice.config))
    with _carried(target, owner()) as tools:
        record = tools.records.load()
        if record.is_under_way:
            record = flow.recover(tools, record, "a person asked for it: mlgate rollback")
            _told(target, record)
            return 0 if _is(record, Phase.RESTORED) else ROLLED_BACK
        if record.previous is None:
            raise GateError(
                f"there is nothing to go back to: {target.section.service} has no model before the one that serves",
                hint="what serves? mlgate status",
            )
        back, plan = record.previous, replace(target.plan(), steps=(100,), hold=0.0)
        record = flow.deploy(tools, back, plan, mode=record.mode, owner=owner())
    code = _told(target, record)
    return 0 if code == 0 else UNDER_WAY


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


@contextmanager
def _carried(
    target: Target, me: str, check: Callable[[ServiceRecord], Judgement] | None = None
) -> Iterator[RolloutTools]:
    """Hold the service's lock, take signals as wishes, and show how it goes; *check*: the online checks."""
    lines = RolloutLines(sys.stdout, words.state_line, words.status_line)
    lock: Lease = target.lock(me)
    with SignalStop() as stop, lock, lines:
        yield target.tools(lock, FactsJudge(check), stop, lines)


def _told(target: Target, record: ServiceRecord) -> int:
    tell(sys.stdout, words.ending(target.section.service, record))
    return 0 if _is(record, Phase.PROMOTED) else ROLLED_BACK


def _is(record: ServiceRecord, phase: Phase) -> bool:
    return record.rollout is not None and record.rollout.state.phase is phase
