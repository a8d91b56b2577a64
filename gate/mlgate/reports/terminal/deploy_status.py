"""A service's status for a terminal of 80 columns: what is wrong first, what to do next last."""

from __future__ import annotations

from collections.abc import Iterator

from mlgate.core.deploy.rollout import Health, Phase
from mlgate.core.deploy.status import ModelStatus, ServiceStatus
from mlgate.reports.content.escape import terminal
from mlgate.reports.content.plural import many
from mlgate.reports.content.text_width import hang, table, wrap
from mlgate.reports.terminal.rollout import span, state_line

_WIDTH = 80
_LONGEST = 400
_SIGNS = {
    Health.READY: "✓ ready",
    Health.LOADING: "… loading",
    Health.BROKEN: "✗ broken",
    Health.ABSENT: "- absent",
    Health.UNKNOWN: "? unknown",
}


def render(status: ServiceStatus) -> str:
    """Return the page."""
    return "\n".join(_lines(status)) + "\n"


def _lines(status: ServiceStatus) -> Iterator[str]:
    mode = f", mode {status.record.mode}" if status.record.mode else ""
    yield f"{terminal(status.service)} in {terminal(status.namespace)}{mode}"
    yield ""
    if not status.models:
        yield "nothing is deployed yet"
        yield "  next: mlgate deploy"
        return
    yield from table([_HEAD, *(_row(one) for one in status.models)], frozenset({2, 3}))
    for one in status.models:
        yield from _troubles(one)
    yield from _rollout(status)


_HEAD = ("", "model", "traffic", "pods", "state")


def _row(one: ModelStatus) -> tuple[str, ...]:
    weight = "?" if one.weight is None else f"{one.weight} %"
    ready = sum(pod.is_ready for pod in one.pods)
    return one.role, terminal(one.name, 40), weight, f"{ready}/{len(one.pods)}", _SIGNS[one.health]


def _troubles(one: ModelStatus) -> Iterator[str]:
    if one.health is Health.READY and not any(pod.restarts for pod in one.pods):
        return
    yield ""
    if one.why:
        yield from _folded(f"{one.role}: ", f"{terminal(one.why, _LONGEST)}")
    for pod in one.pods:
        if not pod.is_ready or pod.restarts:
            restarts = f", restarted {many(pod.restarts, 'time')}" if pod.restarts else ""
            why = f": {terminal(pod.why, _LONGEST)}" if pod.why else ""
            yield from _folded("  pod ", f"{terminal(pod.name)} {terminal(pod.state, 60)}{restarts}{why}")
    for event in one.events:
        times = f" ({event.count} times)" if event.count > 1 else ""
        yield from _folded("  event ", f"{terminal(event.reason, 60)}{times}: {terminal(event.message, _LONGEST)}")


def _folded(head: str, text: str) -> Iterator[str]:
    indent = len(head)
    yield from hang(head, wrap(text, _WIDTH - indent), indent)


def _rollout(status: ServiceStatus) -> Iterator[str]:
    rollout = status.record.rollout
    if rollout is None:
        return
    yield ""
    state = rollout.state
    yield "rollout under way" if not state.phase.is_over else "last rollout"
    yield from (f"  {state_line(rollout, one)}" for one in rollout.states)
    if state.phase.is_over:
        return
    left = rollout.plan.deadline - status.now
    yield f"  begun {span(max(0.0, status.now - rollout.began))} ago by {terminal(status.record.owner, 60)}"
    if status.holder is None or status.holder.is_dead:
        yield "  its process is gone"
        after = "finishes" if state.phase is Phase.PROMOTING else "rolls back"
        yield f"  next: mlgate deploy --resume-or-rollback {after} it"
    else:
        yield f"  its lock was renewed last at {terminal(status.holder.renewed, 40)}"
        yield f"  it is rolled back in {span(left)} at the latest" if left > 0 else "  its deadline is past"
