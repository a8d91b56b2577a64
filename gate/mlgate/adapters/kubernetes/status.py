"""What a person would look for with `kubectl get` and `kubectl describe`, of one model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlgate.adapters.kubernetes import health
from mlgate.adapters.kubernetes.api import Api, Obj
from mlgate.adapters.kubernetes.kinds import EVENT
from mlgate.core.deploy.status import ClusterEvent, PodStatus

_MOST_PODS = 20
_MOST_EVENTS = 5
_TRIED_AGAIN = "the object has been modified"
"""Two controllers wrote at one moment: the one that was late tries again by itself."""


def pods(found: Sequence[Obj]) -> tuple[PodStatus, ...]:
    """Return how pods are, those that are not ready first."""
    made = sorted((_pod(one) for one in found), key=lambda one: (one.is_ready, one.name))
    return tuple(made[:_MOST_PODS])


def _pod(pod: Obj) -> PodStatus:
    status = pod.get("status") or {}
    conditions = {one["type"]: one for one in status.get("conditions") or ()}
    is_ready = conditions.get("Ready", {}).get("status") == "True"
    state, why = _state(pod, status, conditions)
    return PodStatus(pod["metadata"]["name"], is_ready, health.restarts(pod), state, why)


def _state(pod: Obj, status: Mapping[str, Any], conditions: Mapping[str, Mapping[str, Any]]) -> tuple[str, str]:
    scheduled = conditions.get("PodScheduled", {})
    if "deletionTimestamp" in pod["metadata"]:
        return "ending", ""
    if scheduled.get("status") == "False":
        return str(scheduled.get("reason") or "pending"), _line(scheduled.get("message"))
    for container in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason"):
            return str(waiting["reason"]), health.last_end(pod, container) or _line(waiting.get("message"))
    ended = next(filter(None, (health.last_end(pod, one) for one in status.get("containerStatuses") or ())), "")
    return str(status.get("phase") or "Pending").lower(), f"it ended before: {ended}" if ended else ""


def events(api: Api, about: Sequence[str]) -> tuple[ClusterEvent, ...]:
    """Return the warnings about the objects *about*, the last first; what was said of several of them, once."""
    found: dict[tuple[str, str], ClusterEvent] = {}
    for event in (event for name in about for event in _warnings(api, name)):
        before = found.get((event.reason, event.message), replace(event, count=0))
        last = max(before, event, key=lambda one: one.last)
        found[event.reason, event.message] = replace(last, count=before.count + event.count)
    return tuple(sorted(found.values(), key=lambda event: event.last, reverse=True)[:_MOST_EVENTS])


def _warnings(api: Api, name: str) -> Iterator[ClusterEvent]:
    for one in api.list(EVENT, {}, fields={"involvedObject.name": name, "type": "Warning"}):
        if _TRIED_AGAIN in str(one.get("message")):
            continue
        last = one.get("lastTimestamp") or one.get("eventTime") or one["metadata"].get("creationTimestamp")
        yield ClusterEvent(
            name, str(one.get("reason")), _line(one.get("message")), int(one.get("count") or 1), str(last or "")
        )


def _line(text: object) -> str:
    return " ".join(str(text or "").split())
