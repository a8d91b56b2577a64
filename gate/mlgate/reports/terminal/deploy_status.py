"""A service's status for a terminal of 80 columns: what is wrong first, what to do next last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlgate.core.deploy.rollout import Health, Phase, Rollout
from mlgate.core.deploy.status import ModelStatus, PodStatus, ServiceStatus
from mlgate.reports.content.escape import terminal
from mlgate.reports.content.plural import many
from mlgate.reports.content.text_width import hang, table, wrap
from mlgate.reports.terminal import deploy_advice
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
    for advice, where in status.beside:
        yield ""
        yield from deploy_advice.lines(advice, where)
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
    for (state, restarts, why), names in _alike(one.pods).items():
        often = f", restarted {many(restarts, 'time')}" if restarts else ""
        because = f": {terminal(why, _LONGEST)}" if why and why not in one.why else ""
        head = "  pod " if len(names) == 1 else "  pods "
        yield from _folded(head, f"{', '.join(map(terminal, names))} {terminal(state, 60)}{often}{because}")
    told = [one.why, *(pod.why for pod in one.pods)]
    for event in one.events:
        if event.message and any(event.message in text for text in told):
            continue
        times = f" ({event.count} times)" if event.count > 1 else ""
        yield from _folded("  event ", f"{terminal(event.reason, 60)}{times}: {terminal(event.message, _LONGEST)}")


def _alike(pods: Iterable[PodStatus]) -> dict[tuple[str, int, str], list[str]]:
    """Return the names of pods that are not as they should be, by their state, restarts and reason."""
    found: dict[tuple[str, int, str], list[str]] = {}
    for pod in pods:
        if not pod.is_ready or pod.restarts:
            found.setdefault((pod.state, pod.restarts, pod.why), []).append(pod.name)
    return found


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
    if status.record.is_detached:
        yield "  it is detached: the next mlgate reconcile goes on with it"
        yield from _latest(rollout, left)
    elif status.holder is None or status.holder.is_dead:
        yield "  its process is gone"
        does = "finishes it" if state.phase is Phase.PROMOTING else "rolls it back"
        yield f"  next: mlgate deploy --resume-or-rollback {does}"
    else:
        yield f"  its lock was renewed last at {terminal(status.holder.renewed, 40)}"
        yield from _latest(rollout, left)


def _latest(rollout: Rollout, left: float) -> Iterator[str]:
    if rollout.plan.outlasts:
        yield "  a step that is not decided waits on (on_inconclusive: hold)"
    else:
        yield f"  it is rolled back in {span(left)} at the latest" if left > 0 else "  its deadline is past"
