"""What becomes of a rollout that no process carries out: one that was detached goes on, any other goes back in time."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime

from mlgate.adapters.process import clock
from mlgate.adapters.terminal.output import tell
from mlgate.commands import unmerged_guard
from mlgate.commands.deploy.rollout import (
    ROLLED_BACK,
    demand_names_of_models,
    ended,
    judging,
    recovered,
    rollout_tools,
)
from mlgate.commands.run_options import RunOptions
from mlgate.config.load import load
from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.errors import Busy
from mlgate.flow.deploy import rollout as flow
from mlgate.flow.deploy.detached import go_on
from mlgate.flow.deploy.leaving import Leaving
from mlgate.flow.deploy.rollout import RolloutTools
from mlgate.flow.deploy.step_judge import RolloutJudge
from mlgate.wiring.deploy import Target, owner


def run_reconcile(choice: RunOptions, seconds: float) -> int:
    """Go on with a detached rollout for *seconds*; roll back what is overdue; remove leftovers. Return the exit code.

    0 when the service is as it should be afterwards, also when somebody alive is rolling it out; 4 when a detached
    rollout went back.
    """
    unmerged_guard.refuse(choice.config.parent)
    target = Target.demanded(load(choice.config))
    judge, me = RolloutJudge(), owner()
    try:
        with rollout_tools(target, me, choice) as tools:
            before = tools.records.load()
            if before.is_detached:
                record, judge = _gone_on(target, choice, tools, replace(before, owner=me), seconds)
            else:
                record = flow.reconcile(tools, before) if before.mode else before
    except Busy as error:
        tell(sys.stdout, f"{target.section.service}: {error.message}")
        return 0
    if before.is_detached:
        return ended(target, choice, record, judge)
    if record.is_under_way:
        assert record.rollout is not None
        until = datetime.fromtimestamp(record.rollout.plan.deadline, UTC).strftime("%Y-%m-%d %H:%M UTC")
        tell(
            sys.stdout,
            f"{target.section.service}: a rollout stopped half-way; after its deadline ({until}) this rolls it back\n"
            "  next: to end it now, mlgate deploy --resume-or-rollback",
        )
        return 0
    code = recovered(target, choice, record, was_under_way=before.is_under_way)
    return 0 if code == ROLLED_BACK else code


def _gone_on(
    target: Target, choice: RunOptions, tools: RolloutTools, record: ServiceRecord, seconds: float
) -> tuple[ServiceRecord, RolloutJudge]:
    demand_names_of_models(target, record.mode)
    with judging(target, choice, record) as judge:
        leaving = Leaving(clock.seconds, clock.seconds() + seconds, lambda: judge.asked)
        return go_on(replace(tools, judge=judge), record, leaving, target.step_rules), judge
