"""A rollout for a terminal: a line for each state, and how it ended."""

from __future__ import annotations

from collections.abc import Iterator

from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.deploy.rollout import Opening, Phase, Reading, Rollout, State
from mlgate.reports.content.elapsed import clock
from mlgate.reports.content.escape import terminal
from mlgate.reports.content.openings import OPENINGS

_LONGEST_WHY = 300

_DOES = {
    Phase.LOADING: "loading",
    Phase.CHECKING: "checking",
    Phase.SHIFTING: "shifting",
    Phase.HOLDING: "holding",
    Phase.PROMOTING: "promoting",
    Phase.PROMOTED: "promoted",
    Phase.RESTORING: "rolling back",
    Phase.RESTORED: "rolled back",
}


def state_line(rollout: Rollout, state: State) -> str:
    """Return the line of one state: since when, how much traffic, what is done, and why.

    Before it stands a line that says why the step before passed, where something was judged.
    """
    why = terminal(state.why, _LONGEST_WHY)
    what = f"{_DOES[state.phase]}{_hold(rollout, state)}{_opening(rollout, state)}"
    line = _line(rollout, state, state.weight(rollout.plan), what)
    if not why or state.phase not in (Phase.RESTORING, Phase.SHIFTING, Phase.PROMOTING):
        return line
    if state.phase is Phase.RESTORING:
        return f"{line}: {why}"
    return f"{_line(rollout, state, _weight_before(rollout, state), f'passed: {why}')}\n{line}"


def _line(rollout: Rollout, state: State, weight: int, what: str) -> str:
    return f"{clock(state.since - rollout.began):>7}  {weight:>3} %  {what}"


def _weight_before(rollout: Rollout, state: State) -> int:
    """Return the weight of the step that passed."""
    if state.phase is Phase.PROMOTING:
        return rollout.plan.steps[state.step]
    return rollout.plan.steps[state.step - 1] if state.step > 0 else 0


def _hold(rollout: Rollout, state: State) -> str:
    return f" for {span(rollout.plan.least(state.step))}" if state.phase is Phase.HOLDING else ""


def _opening(rollout: Rollout, state: State) -> str:
    opening = state.opening(rollout.plan)
    return f", {OPENINGS[opening]}" if opening else ""


def status_line(record: ServiceRecord, reading: Reading) -> str:
    """Return the living line: what the rollout waits for at this moment."""
    rollout = record.rollout
    assert rollout is not None
    state = rollout.state
    spent = max(0.0, reading.at - state.since)
    weight = "?" if reading.weight is None else str(reading.weight)
    why = f" · {terminal(reading.why, 80)}" if reading.why else ""
    return f"{_DOES[state.phase]} for {span(spent)}, gets {weight} %{why}"


def ending(service: str, record: ServiceRecord, *, is_rollback: bool = False) -> str:
    """Return the sentences that say how it ended, and what to do next. *is_rollback*: a person went back."""
    assert record.rollout is not None
    if record.rollout.state.phase is Phase.PROMOTED:
        return "\n".join(_promoted(terminal(service), record, "went back" if is_rollback else "promoted"))
    return "\n".join(_restored(terminal(service), record, is_rollback=is_rollback))


def detached(service: str, record: ServiceRecord) -> str:
    """Return the sentences that say where a rollout was left, and who goes on with it."""
    assert record.rollout is not None
    assert record.candidate is not None
    rollout = record.rollout
    return (
        f"detached: {terminal(record.candidate.name)} gets {rollout.weight} % of the traffic of {terminal(service)}\n"
        "  next: mlgate reconcile goes on with it, in a scheduled job; mlgate rollback takes it back"
    )


def _promoted(service: str, record: ServiceRecord, what: str) -> Iterator[str]:
    assert record.accepted is not None
    yield f"{what}: {service} is {terminal(record.accepted.name)} now, with all of the traffic"
    if record.previous is not None and record.previous.is_adopted:
        yield f"  {terminal(record.previous.name)} was not made by mlgate: it still runs, without traffic"
        yield "  next: delete it when you do not need `mlgate rollback` to it any more"


def _restored(service: str, record: ServiceRecord, *, is_rollback: bool) -> Iterator[str]:
    assert record.rollout is not None
    assert record.candidate is not None
    states = record.rollout.states
    back = next(state for state in states if state.phase is Phase.RESTORING)
    yield f"{'could not go back' if is_rollback else 'rolled back'}: {terminal(back.why, _LONGEST_WHY)}"
    serves = f"{service} is {terminal(record.accepted.name)}" if record.accepted else "nothing serves"
    most = max(state.weight(record.rollout.plan) for state in states)
    had_audience = any(state.opening(record.rollout.plan) is Opening.AUDIENCE for state in states)
    given = "its audience" if had_audience else f"{most} %"
    yield f"  {serves}, as before; {terminal(record.candidate.name)} was given {given} at most, and is removed"
    yield f"  next: {_next(record.rollout, is_rollback=is_rollback)}"


def _next(rollout: Rollout, *, is_rollback: bool) -> str:
    """Return what to do next, by what took the candidate back: a wish, such as a signal, says nothing of the model."""
    if is_rollback:
        return "what keeps that model from serving? mlgate status; then mlgate rollback"
    moved = zip(rollout.states[1:], rollout.history, strict=True)
    back, reading = next(one for one in moved if one[0].phase is Phase.RESTORING)
    if reading.stop and back.why == reading.stop:
        return "the model was not judged worse: mlgate deploy begins anew"
    return "mend it, judge it again (mlgate check), and deploy that"


def span(seconds: float) -> str:
    """Return a time for people: `40 s`, `3 min 20 s`."""
    if seconds < 90:  # noqa: PLR2004 - a minute and a half
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"
