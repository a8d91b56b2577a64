"""A rollout: how much of the traffic a candidate may have, decided by what was seen. Pure.

`advance` decides every step. It keeps no clock and asks nobody: a reading says what the cluster shows and how the step
was judged, and when. So a rollout is its plan and the readings that moved it; whoever reads those, reaches the same
state (`Rollout.state`), after a crash as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from mlgate.core.errors import ConfigError
from mlgate.core.outcome import Outcome

ALL = 100
"""Percent of the traffic."""


class Health(Enum):
    """How one of the two models on the cluster is."""

    UNKNOWN = "unknown"
    """It could not be asked for."""
    ABSENT = "absent"
    LOADING = "loading"
    READY = "ready"
    """It is loaded and answers, with all the replicas that it should have."""
    BROKEN = "broken"
    """It will not become ready by waiting: its image, its load or its process failed."""


class Phase(Enum):
    """Where a rollout is. In this order, but for the way back, which starts anywhere before PROMOTED."""

    LOADING = "loading"
    """The candidate is on the cluster and gets no traffic until it is loaded."""
    CHECKING = "checking"
    """It is asked by the online checks, and still gets no traffic."""
    SHIFTING = "shifting"
    """The step's weight is asked for, and not yet seen in effect."""
    HOLDING = "holding"
    """The weight is in effect; the step is judged."""
    PROMOTING = "promoting"
    """It has all traffic and becomes the stable model. It goes back only if it breaks while the stable one is ready."""
    PROMOTED = "promoted"
    RESTORING = "restoring"
    """It gets no traffic any more and is removed."""
    RESTORED = "restored"

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do."""
        return self in (Phase.PROMOTED, Phase.RESTORED)


class Opening(Enum):
    """What a first step of 0 % is: the candidate has requests, and no share of the users."""

    MIRRORED = "mirrored"
    """What users ask of the model that serves is asked of the candidate, too, and nobody gets its answers."""
    AUDIENCE = "audience"
    """Requests that bear a header or a cookie go to the candidate, and no others."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a rollout may do, fixed before it begins."""

    steps: tuple[int, ...]
    """Percent of the traffic that the candidate gets, ascending; the last one is 100."""
    hold: float
    """Seconds that each step lasts at least, from when its weight is in effect; but for an opening."""
    patience: float
    """Seconds for what should happen by itself: loading, a weight's effect, a judgement after `hold`."""
    deadline: float
    """Unix time, seconds. A rollout that is not promoting by then goes back."""
    opening: Opening | None = None
    """What the first step is, which has 0 % then; None: the first step has a share of the traffic."""
    opening_hold: float = 0.0
    """Seconds that the opening lasts at least."""
    outlasts: bool = False
    """The deadline ends only a rollout that nobody carries out. A step that is measured and not decided waits on."""

    def __post_init__(self) -> None:
        shares = self.steps[1:] if self.opening and self.steps[:1] == (0,) else self.steps
        ascending = all(low < high for low, high in zip((0, *shares), shares, strict=False))
        if not shares or not ascending or shares[-1] != ALL or (self.opening and shares is self.steps):
            raise ConfigError(
                f"steps {list(self.steps)} must ascend from above 0 to 100", hint="e.g. steps: [5, 25, 100]"
            )

    def least(self, step: int) -> float:
        """Return how many seconds a step lasts at least."""
        return self.opening_hold if self.opening and step == 0 else self.hold


@dataclass(frozen=True, slots=True)
class Reading:
    """What was seen at one time."""

    at: float
    """Unix time, seconds."""
    candidate: Health = Health.UNKNOWN
    stable: Health = Health.UNKNOWN
    """ABSENT when nothing serves yet: the first rollout of a service."""
    weight: int | None = None
    """Percent of the traffic that the candidate gets, as whoever routes it confirms; None: not known."""
    is_settled: bool = False
    """In PROMOTING and RESTORING: the cluster is as it shall stay, and nothing of the other model is left."""
    judged: Outcome | None = None
    """How the online checks or the step came out; None: that is not known yet. Whatever blocks, takes it back."""
    is_measured: bool = False
    """Of a step that is not judged yet: it is measured, and more of the same will settle it. Then it may last until the
    deadline; what is not measured may only last for `patience`."""
    waits: float | None = None
    """Of a step that holds: seconds since one of the models is not ready any more, or the weight is not seen; None: all
    is there. A model that an autoscaler makes larger is not ready for a while, nor is one that loses a pod."""
    why: str = ""
    """What the candidate waits for, what broke, or how the step was judged: one sentence."""
    stop: str = ""
    """Why it must go back at once: a signal, or the cluster's refusal. Empty: it need not."""
    restarts: tuple[tuple[str, int], ...] = ()
    """How often the candidate's containers had been restarted, by pod. No reading is kept with it."""


@dataclass(frozen=True, slots=True)
class State:
    """Where a rollout is, since when and why."""

    phase: Phase
    since: float
    """Unix time, seconds."""
    step: int = -1
    """Index into the plan's steps; -1 before the first."""
    why: str = ""

    def weight(self, plan: Plan) -> int:
        """Return the percent of the traffic that the candidate may have at most."""
        match self.phase:
            case Phase.SHIFTING | Phase.HOLDING:
                return plan.steps[self.step]
            case Phase.PROMOTING | Phase.PROMOTED:
                return ALL
            case _:
                return 0

    def opening(self, plan: Plan) -> Opening | None:
        """Return what the present step is where it is the opening; else None."""
        return plan.opening if self.phase in (Phase.SHIFTING, Phase.HOLDING) and self.step == 0 else None


def advance(plan: Plan, state: State, reading: Reading) -> State:
    """Return the state after *reading*; *state* itself where the reading changes nothing.

    The weight is raised to the next step only, and only when the step before is in effect, has lasted for `hold` and
    was judged good, with both models ready. What was not seen never raises it.
    """
    if state.phase.is_over:
        return state
    if state.phase is Phase.RESTORING:
        gone = reading.is_settled and reading.weight == 0
        return replace(state, phase=Phase.RESTORED, since=reading.at) if gone else state
    if state.phase is Phase.PROMOTING:
        return _promoting(state, reading)
    why = _reason_to_go_back(plan, state, reading)
    if why:
        return State(Phase.RESTORING, reading.at, state.step, why)
    return _forward(plan, state, reading)


def _promoting(state: State, reading: Reading) -> State:
    """Return PROMOTED once nothing of the model before is left; back, where that is ready and the candidate broke."""
    if reading.candidate in (Health.BROKEN, Health.ABSENT) and reading.stable is Health.READY:
        return State(Phase.RESTORING, reading.at, state.step, reading.why or "the candidate broke")
    done = reading.is_settled and reading.weight == ALL and reading.candidate is Health.READY
    return State(Phase.PROMOTED, reading.at, state.step, reading.why) if done else state


def _reason_to_go_back(plan: Plan, state: State, reading: Reading) -> str:
    """Return why the candidate must lose its traffic now; empty when it need not."""
    if reading.stop:
        return reading.stop
    if reading.candidate is Health.BROKEN:
        return reading.why or "the candidate is broken"
    if reading.judged is not None and reading.judged.blocks:
        return reading.why or f"the candidate was judged: {reading.judged.name.lower()}"
    if state.phase is not Phase.LOADING and reading.candidate is Health.ABSENT:
        return "somebody removed the candidate"
    if reading.weight is not None and reading.weight > state.weight(plan):
        allowed = state.weight(plan)
        return f"the candidate gets {reading.weight} % of the traffic; this step allows {allowed} %"
    return _too_late(plan, state, reading)


def _too_late(plan: Plan, state: State, reading: Reading) -> str:
    if reading.at >= plan.deadline and not plan.outlasts:
        return f"the deadline passed before {_BEFORE[state.phase]}{_tail(reading)}"
    least = plan.least(state.step) if state.phase is Phase.HOLDING else 0.0
    is_patient = reading.at - state.since < least + plan.patience
    if state.phase is Phase.HOLDING and reading.waits is not None:
        if reading.candidate is Health.LOADING and reading.waits >= plan.patience:
            return f"the candidate was not ready for {reading.waits:.0f} s{_tail(reading)}"
        is_patient = is_patient or reading.waits < plan.patience
    if not (is_patient or _is_being_judged(plan, state, reading) or _is_good(plan, state, reading)):
        return f"{_NOT_DONE[state.phase]} within {least + plan.patience:.0f} s{_tail(reading)}"
    return ""


_NOT_DONE = {
    Phase.LOADING: "the candidate was not loaded",
    Phase.CHECKING: "the online checks did not end",
    Phase.SHIFTING: "the weight did not take effect",
    Phase.HOLDING: "the step did not pass",
}
_BEFORE = {
    Phase.LOADING: "the candidate was loaded",
    Phase.CHECKING: "the online checks ended",
    Phase.SHIFTING: "the weight took effect",
    Phase.HOLDING: "the step was over",
}


def _tail(reading: Reading) -> str:
    return f": {reading.why}" if reading.why else ""


def _is_being_judged(plan: Plan, state: State, reading: Reading) -> bool:
    """Whether all is well but for a judgement that takes its time."""
    known = replace(reading, judged=Outcome.PASSED)
    return state.phase is Phase.HOLDING and reading.is_measured and _is_good(plan, state, known)


def _is_good(plan: Plan, state: State, reading: Reading) -> bool:
    """Whether the reading is all that the phase waits for, but for time. What blocks has been sorted out before."""
    beside = reading.stable in (Health.READY, Health.ABSENT) or _replaces(plan, reading)
    ready = reading.candidate is Health.READY and beside
    asks = state.phase in (Phase.CHECKING, Phase.HOLDING)
    return ready and reading.weight == state.weight(plan) and (reading.judged is not None or not asks)


def _replaces(plan: Plan, reading: Reading) -> bool:
    """Whether the candidate takes the place of a model that will not be ready again: nothing is held against that."""
    return reading.stable is Health.BROKEN and plan.steps == (ALL,)


def _forward(plan: Plan, state: State, reading: Reading) -> State:
    is_early = state.phase is Phase.HOLDING and reading.at - state.since < plan.least(state.step)
    if is_early or not _is_good(plan, state, reading):
        return state
    match state.phase:
        case Phase.LOADING:
            return State(Phase.CHECKING, reading.at)
        case Phase.CHECKING:
            return State(Phase.SHIFTING, reading.at, 0, reading.why)
        case Phase.SHIFTING:
            return replace(state, phase=Phase.HOLDING, since=reading.at)
        case _ if state.step == len(plan.steps) - 1:
            return State(Phase.PROMOTING, reading.at, state.step, reading.why)
        case _:
            return State(Phase.SHIFTING, reading.at, state.step + 1, reading.why)


@dataclass(frozen=True, slots=True)
class Rollout:
    """One rollout: its plan, when it began, and the readings that moved it."""

    plan: Plan
    began: float
    """Unix time, seconds."""
    history: tuple[Reading, ...] = ()

    @property
    def states(self) -> tuple[State, ...]:
        """Return every state that it was in, the first one LOADING."""
        states = [State(Phase.LOADING, self.began)]
        for reading in self.history:
            states.append(advance(self.plan, states[-1], reading))
        return tuple(states)

    @property
    def state(self) -> State:
        """Return where it is."""
        return self.states[-1]

    @property
    def weight(self) -> int:
        """Return the percent of the traffic that the candidate may have at most, now."""
        return self.state.weight(self.plan)

    @property
    def opening(self) -> Opening | None:
        """Return what the present step is where it is the opening; else None."""
        return self.state.opening(self.plan)

    def after(self, reading: Reading) -> Rollout:
        """Return the rollout after *reading*; itself where the reading changes nothing."""
        state = self.state
        changed = advance(self.plan, state, reading) != state
        return replace(self, history=(*self.history, replace(reading, restarts=()))) if changed else self
