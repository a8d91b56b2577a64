"""A rollout, from its record to its end. Read `carry_out` first.

Each turn looks, decides, writes the decision down, and only then acts. So whoever dies leaves a record that says what
may have been done, and never less. What was observed is older than the record that is confirmed, and a write holds only
for what was observed: who was overtaken between the two finds the object changed, and writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from mlgate.core.deploy.ports import (
    Judgement,
    RolloutProgress,
    ServiceRecords,
    Serving,
    StepJudge,
    Stop,
    Stopped,
)
from mlgate.core.deploy.release import Deployed, ServiceRecord
from mlgate.core.deploy.rollout import ALL, Phase, Plan, Reading, Rollout
from mlgate.core.errors import AdapterError, ConfigError, Denied, GateError
from mlgate.core.outcome import Outcome

_POLL_S = 0.5
_CALM_S = 2.0
"""Between two looks at a step that lasts: a signal ends the wait, and a crash can wait so long."""

_JUDGED = (Phase.CHECKING, Phase.HOLDING)


@dataclass(frozen=True)
class RolloutTools:
    """All that carries a rollout out, but the rollout."""

    serving: Callable[[ServiceRecord], Serving]
    """What drives the mode that a record names, with the models that it names."""
    records: ServiceRecords
    judge: StepJudge
    stop: Stop
    progress: RolloutProgress
    now: Callable[[], float]
    """Unix time, seconds."""


def deploy(
    tools: RolloutTools, candidate: Deployed, plan: Plan, *, mode: str, owner: str, found: Deployed | None = None
) -> ServiceRecord:
    """Roll *candidate* out, after what a dead process left is undone or finished. Return the record of its end.

    A candidate that serves already is left alone. *found*: what serves, of a service without a record: somebody else
    made it. To be called under the service's lock.
    """
    record = recover(tools, tools.records.load(), "another model is deployed in its place")
    if record.accepted is None:
        record = replace(record, accepted=found)
    elif record.mode != mode:
        raise ConfigError(
            f"{record.accepted.name} was deployed in mode {record.mode}, and this would be {mode}",
            hint=f"write mode: {record.mode}; or deploy under another service name and move your users",
        )
    if record.accepted is None:
        plan = replace(plan, steps=(ALL,))  # there is nobody to share the traffic with
    elif record.accepted.name == candidate.name:
        return record
    record = record.begin(candidate, Rollout(plan, tools.now()), mode=mode, owner=owner)
    tools.records.save(record)
    return carry_out(tools, record)


def recover(tools: RolloutTools, record: ServiceRecord, why: str) -> ServiceRecord:
    """End what somebody began who is not there any more: at all of the traffic when it was promoting, else at none."""
    if not record.is_under_way:
        return record
    return carry_out(tools, _stopped(tools, record, why))


def reconcile(tools: RolloutTools, record: ServiceRecord) -> ServiceRecord:
    """End a rollout that nobody carries out and whose deadline is past; remove what a process left that was overtaken.

    To be called under the service's lock: then nobody carries it out.
    """
    if record.is_under_way:
        assert record.rollout is not None
        late = tools.now() >= record.rollout.plan.deadline
        return recover(tools, record, "its process is gone and its deadline is past") if late else record
    tools.serving(record).tidy()
    return record


def carry_out(tools: RolloutTools, record: ServiceRecord) -> ServiceRecord:
    """Take turns until the rollout is over, and return its record.

    Raises Overtaken when somebody else carries it on. Raises AdapterError when the cluster did not answer for so long
    that nobody can say where the traffic goes: the record stays, and `recover` ends it.
    """
    serving = tools.serving(record)
    denied = ""
    failing: float | None = None
    while record.is_under_way:
        try:
            record = _turn(tools, serving, record, denied)
            denied = ""
            if record.is_under_way:
                assert record.rollout is not None
                serving.act(record.rollout)
            failing = None
        except (AdapterError, Denied) as error:
            denied = str(error) if isinstance(error, Denied) else denied
            failing = tools.now() if failing is None else failing
            if _is_enough(tools, record, failing, denied):
                raise
        if record.is_under_way:
            tools.stop.wait(_pause(record))
    return record


def _pause(record: ServiceRecord) -> float:
    """Return how long to wait before the next turn: not long where something is about to happen."""
    assert record.rollout is not None
    state, plan = record.rollout.state, record.rollout.plan
    return min(_CALM_S, plan.hold / 4) if state.phase is Phase.HOLDING else _POLL_S


def _turn(tools: RolloutTools, serving: Serving, record: ServiceRecord, denied: str) -> ServiceRecord:
    """Look, decide, write it down. Return the record to act by. *denied*: why the cluster refused the last act."""
    assert record.rollout is not None
    reading = _look(tools, serving, record)
    after = record.after(replace(reading, stop=denied) if denied else reading)
    if after is record:
        tools.records.confirm()
    else:
        tools.records.save(after)
    tools.progress.show(after, reading)
    return after


def _look(tools: RolloutTools, serving: Serving, record: ServiceRecord) -> Reading:
    """Judge the step, then look at the cluster: what a long judgement found is held against what is there after it."""
    assert record.rollout is not None
    judged = _judgement(tools, record)
    try:
        seen = serving.observe(record.rollout)
    except AdapterError as error:
        seen = Reading(at=0.0, why=str(error))
    why = judged.why or seen.why
    return replace(seen, at=tools.now(), judged=judged.outcome, why=why, stop=tools.stop.why or seen.stop)


def _judgement(tools: RolloutTools, record: ServiceRecord) -> Judgement:
    """Return how the step came out. A judge that breaks has judged: the model could not be measured."""
    assert record.rollout is not None
    if record.rollout.state.phase not in _JUDGED or tools.stop.why:
        return Judgement(None)
    try:
        with tools.stop.interrupts():
            return tools.judge.judge(record)
    except Stopped:
        return Judgement(None)
    except GateError as error:
        return Judgement(Outcome.ERRORED, str(error))


def _stopped(tools: RolloutTools, record: ServiceRecord, why: str) -> ServiceRecord:
    """Return the record after somebody wanted the rollout back, and keep it."""
    after = record.after(Reading(at=tools.now(), stop=why))
    if after is not record:
        tools.records.save(after)
    return after


def _is_enough(tools: RolloutTools, record: ServiceRecord, failing: float, denied: str) -> bool:
    """Whether to give up on a cluster that takes nothing since *failing*: nobody else watches before the deadline."""
    assert record.rollout is not None
    plan, now = record.rollout.plan, tools.now()
    return now - failing >= plan.patience and (now >= plan.deadline or bool(denied or tools.stop.why))
