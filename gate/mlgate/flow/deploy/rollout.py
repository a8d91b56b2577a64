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
from mlgate.core.deploy.rollout import ALL, Health, Phase, Plan, Reading, Rollout
from mlgate.core.errors import AdapterError, ConfigError, Denied, GateError, NotAtRest
from mlgate.core.outcome import Outcome
from mlgate.flow.deploy.leaving import NEVER, Leaving
from mlgate.flow.deploy.readiness import Readiness

_POLL_S = 0.5
_CALM_S = 2.0
"""Between two looks at a step that lasts: a signal ends the wait; a crash is seen this late at most."""

_LEAST_REST_S = 60.0
"""Pods that end, and a gateway that gives a route back, take so long at times."""

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
    tools: RolloutTools,
    candidate: Deployed,
    plan: Plan,
    *,
    mode: str,
    owner: str,
    rules: str = "",
    find: Callable[[], Deployed | None] = lambda: None,
    leaving: Leaving = NEVER,
) -> ServiceRecord | None:
    """Roll *candidate* out, after what a dead process left is undone or finished. Return the record of its end.

    Where that was this very rollout, by the same *rules* (their digest), it goes on from where it was: what its steps
    are judged by can be read again. Return None for a candidate that serves already: it is left alone. *find* is asked
    what serves, of a service without a record: what somebody else made. *leaving*: when it is left to `mlgate
    reconcile`; then the record is not of its end. To be called under the service's lock.
    """
    record = tools.records.load()
    if is_this(record, candidate, plan, mode, rules=rules, now=tools.now()):
        return _taken_over(tools, record, owner, leaving)
    is_same = record.candidate is not None and record.candidate.name == candidate.name
    record = recover(tools, record, f"{'it' if is_same else 'another model'} is deployed anew, by another process")
    if not record.mode:
        record = replace(record, accepted=find())
    elif record.accepted is not None and record.mode != mode:
        raise ConfigError(
            f"{record.accepted.name} was deployed in mode {record.mode}, and this would be {mode}",
            hint=f"write mode: {record.mode}; or deploy under another service name and move your users",
        )
    if record.accepted is None:
        plan = _alone(plan)
    elif record.accepted.name == candidate.name:
        _demand_it_serves(tools, record)
        return None
    if record.mode:
        tools.serving(record).tidy(tools.records.confirm)  # what a stalled process made late
    record = record.begin(candidate, Rollout(plan, tools.now()), mode=mode, owner=owner, rules=rules)
    tools.records.save(record)
    return carry_out(tools, record, leaving)


def _taken_over(tools: RolloutTools, record: ServiceRecord, owner: str, leaving: Leaving) -> ServiceRecord:
    """Go on with this very rollout, which another process died of, or left."""
    serving = tools.serving(record)  # it knows what was handed over
    record = replace(record, owner=owner, handover=None)
    tools.records.save(record)  # a process that only stalled must see that it was overtaken
    return carry_out(tools, record, leaving, serving)


def is_this(record: ServiceRecord, candidate: Deployed, plan: Plan, mode: str, *, rules: str, now: float) -> bool:
    """Whether a rollout of this model by this plan and these rules is under way, and may go on.

    It may not where it is on its way back, or late.
    """
    if record.rollout is None or record.candidate is None or not record.is_under_way:
        return False
    if (record.mode, record.rules) != (mode, rules):
        return False
    own = record.rollout.plan
    asked = replace(plan if record.accepted is not None else _alone(plan), deadline=own.deadline)
    is_same = record.candidate.name == candidate.name and own == asked
    is_late = now >= own.deadline and not own.outlasts
    return is_same and record.rollout.state.phase is not Phase.RESTORING and not is_late


def _alone(plan: Plan) -> Plan:
    """Return the plan of a first model: there is nobody to share the traffic with."""
    return replace(plan, steps=(ALL,), opening=None)


def _demand_it_serves(tools: RolloutTools, record: ServiceRecord) -> None:
    """Raise GateError where the cluster does not show what the record says that serves."""
    assert record.accepted is not None
    if record.rollout is None:
        return
    seen = tools.serving(record).observe(record.rollout)
    health, weight = record.accepted_in(seen)
    if health is not Health.READY or weight != ALL:
        raise GateError(
            f"{record.accepted.name} serves by its record, but it is {health.value} and has {_share(weight)} "
            f"of the traffic{': ' + seen.why if seen.why else ''}",
            hint="somebody changed it on the cluster: mlgate status; mlgate rollback goes to the model before",
        )


def _share(weight: int | None) -> str:
    return "an unknown share" if weight is None else f"{weight} %"


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
    tools.serving(record).tidy(tools.records.confirm)
    return record


def carry_out(
    tools: RolloutTools, record: ServiceRecord, leaving: Leaving = NEVER, serving: Serving | None = None
) -> ServiceRecord:
    """Take turns until the rollout is over, or until it is time to leave it, and return its record.

    Raises Overtaken when somebody else carries it on. Raises AdapterError when the cluster did not answer, Denied when
    it refused, for so long that nobody can say where the traffic goes; NotAtRest when that is decided and the cluster
    does not come to rest. Then the record stays, and `recover` ends it.
    """
    serving = serving or tools.serving(record)
    denied = ""
    failing: float | None = None
    rest, readiness = _Rest(tools.now), Readiness()
    while record.is_under_way:
        assert record.rollout is not None
        try:
            reading = readiness.after(record.rollout, _look(tools, serving, record))
            record = _turn(tools, record, reading, denied, rest)
            denied = ""
            if record.is_under_way:
                assert record.rollout is not None
                serving.act(record.rollout)
            failing = None
            if leaving.is_time(record, reading):
                tools.records.save(left := leaving.left(record, reading))
                return left
        except (AdapterError, Denied) as error:
            denied = str(error) if isinstance(error, Denied) else denied
            failing = tools.now() if failing is None else failing
            if _is_enough(tools, record, failing, denied) or leaving.gives_up(record):
                raise
        if record.is_under_way:
            tools.stop.wait(pause(record))
    return record


def pause(record: ServiceRecord) -> float:
    """Return how long to wait before the next turn: not long where something is about to happen."""
    assert record.rollout is not None
    state, plan = record.rollout.state, record.rollout.plan
    return min(_CALM_S, plan.least(state.step) / 4) if state.phase is Phase.HOLDING else _POLL_S


class _Rest:
    """How long a cluster may take to come to rest, once the rollout is decided. For each phase, within this process."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._since: dict[Phase, float] = {}

    def demand(self, record: ServiceRecord, reading: Reading) -> None:
        """Raise NotAtRest when it takes too long. The record stays, and the next verb goes on."""
        assert record.rollout is not None
        phase = record.rollout.state.phase
        if phase not in (Phase.PROMOTING, Phase.RESTORING):
            return
        since = self._since.setdefault(phase, self._now())
        if self._now() - since >= max(record.rollout.plan.patience, _LEAST_REST_S):
            why = f": {reading.why}" if reading.why else ""
            raise NotAtRest(
                f"the cluster did not come to rest within {self._now() - since:.0f} s; the candidate has "
                f"{_share(reading.weight)} of the traffic{why}",
                hint="what hinders it? mlgate status; then mlgate deploy --resume-or-rollback",
            )


def _turn(tools: RolloutTools, record: ServiceRecord, reading: Reading, denied: str, rest: _Rest) -> ServiceRecord:
    """Decide, and write it down. Return the record to act by. *denied*: why the cluster refused the last act."""
    after = record.after(replace(reading, stop=denied) if denied else reading)
    if after is record:
        tools.records.confirm()
    else:
        tools.records.save(after)
    tools.progress.show(after, reading)
    rest.demand(after, reading)
    return after


def _look(tools: RolloutTools, serving: Serving, record: ServiceRecord) -> Reading:
    """Look at the cluster, and judge the step once its weight is in effect. After a long judgement, look again.

    A candidate that becomes larger, or lost a pod, is judged as well: that may take it back, and lets it pass later.
    """
    assert record.rollout is not None
    seen, began = _seen(serving, record.rollout), tools.now()
    judged = Judgement(None)
    holds = record.rollout.state.phase is Phase.HOLDING
    answers = seen.candidate is Health.READY or (holds and seen.candidate is Health.LOADING)
    if answers and seen.weight == record.rollout.weight:
        judged = _judgement(tools, record)
        if tools.now() - began > _POLL_S:
            seen = _seen(serving, record.rollout)
    is_bad = judged.outcome is not None and judged.outcome.blocks
    waits = seen.candidate is Health.LOADING and not is_bad
    why = seen.why if seen.candidate is Health.BROKEN or waits else judged.why or seen.why
    stop = tools.stop.why or seen.stop
    return replace(seen, at=tools.now(), judged=judged.outcome, is_measured=judged.is_measured, why=why, stop=stop)


def _seen(serving: Serving, rollout: Rollout) -> Reading:
    """Return what the cluster shows; nothing, where it does not answer. What may not be read stops the rollout."""
    try:
        return serving.observe(rollout)
    except AdapterError as error:
        return Reading(at=0.0, why=str(error))
    except Denied as error:
        return Reading(at=0.0, stop=str(error))


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
    except Exception as error:  # noqa: BLE001 - a fault of the judge must not leave the candidate with its traffic
        return Judgement(Outcome.ERRORED, f"the judge broke: {type(error).__name__}: {error}")


def _stopped(tools: RolloutTools, record: ServiceRecord, why: str) -> ServiceRecord:
    """Return the record after somebody wanted the rollout back, and keep it."""
    after = record.after(Reading(at=tools.now(), stop=why))
    if after is not record:
        tools.records.save(after)
    return after


def _is_enough(tools: RolloutTools, record: ServiceRecord, failing: float, denied: str) -> bool:
    """Whether to stop trying: nothing has succeeded since *failing*, and the rollout must go back anyway."""
    assert record.rollout is not None
    plan, now = record.rollout.plan, tools.now()
    return now - failing >= plan.patience and (now >= plan.deadline or bool(denied or tools.stop.why))
