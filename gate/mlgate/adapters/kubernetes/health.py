"""Whether a model on the cluster is ready, still loading, or will never be: from the objects that run it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlgate.adapters.kubernetes.api import Obj
from mlgate.core.deploy.rollout import Health

_DEAD_WAITING = {
    "CrashLoopBackOff": "it keeps crashing",
    "ImagePullBackOff": "its image cannot be pulled",
    "InvalidImageName": "its image's name is not valid",
    "ErrImageNeverPull": "its image is not on the node, and may not be pulled",
    "CreateContainerConfigError": "its container cannot be configured",
    "CreateContainerError": "its container cannot be created",
    "RunContainerError": "its container cannot be started",
}
"""Reasons of a waiting container that time does not heal."""
_FAILED_LOAD = ("BlockedByFailedLoad", "InvalidSpec")
"""KServe's transition statuses of a model that will not come up. Its `lastFailureInfo` stays after a recovery."""


@dataclass(frozen=True, slots=True)
class Condition:
    """How one model is, and why."""

    health: Health
    why: str = ""
    restarts: Mapping[str, int] = field(default_factory=dict)
    """Of the containers of each pod, by its uid."""
    ready_pods: int | None = None
    """None: not known."""


ABSENT = Condition(Health.ABSENT, "it is not on the cluster")


def stable(found: Condition, *, is_first: bool) -> Health:
    """Return the stable model's health: where it is not the first rollout, one that is not there is broken."""
    return Health.BROKEN if found.health is Health.ABSENT and not is_first else found.health


def of_deployment(deployment: Obj | None, pods: Sequence[Obj]) -> Condition:
    """Return how the pods of a Deployment are. READY: all of its replicas run the present template and answer."""
    if deployment is None:
        return ABSENT
    restarted = restarts_by_pod(pods)
    broken = next(_broken(deployment, pods), "")
    if broken:
        return Condition(Health.BROKEN, broken, restarted)
    spec, status = deployment["spec"], deployment.get("status") or {}
    wanted = spec.get("replicas", 1)
    is_seen = status.get("observedGeneration") == deployment["metadata"]["generation"]
    counts = [status.get(name) or 0 for name in ("updatedReplicas", "replicas", "availableReplicas")]
    if is_seen and wanted > 0 and counts == [wanted] * 3:
        return Condition(Health.READY, "", restarted, counts[2])
    why = next(waits(pods), f"{counts[2]} of {wanted} pods are ready")
    return Condition(Health.LOADING, why, restarted, counts[2])


def of_inference_service(service: Obj | None, deployment: Obj | None, pods: Sequence[Obj]) -> Condition:
    """Return how an InferenceService in Standard mode is: by its Deployment, and by what KServe says of its model.

    Its own `Ready` is not asked: it stays True while a changed model cannot be loaded, and its `observedGeneration` is
    another object's.
    """
    if service is None:
        return ABSENT
    status = service.get("status") or {}
    why = next(refused(status), "")
    if why:
        return Condition(Health.BROKEN, why, restarts_by_pod(pods))
    if deployment is None:
        return Condition(Health.LOADING, _why_no_deployment(status))
    found = of_deployment(deployment, pods)
    model = status.get("modelStatus") or {}
    failed = model.get("transitionStatus") in _FAILED_LOAD or _target(model) == "FailedToLoad"
    if found.health is not Health.BROKEN and failed:
        return Condition(Health.BROKEN, _load_failure(model), found.restarts)
    if found.health is Health.READY and "states" in model and _target(model) != "Loaded":
        return Condition(
            Health.LOADING, f"KServe says that its model is {_target(model) or 'not loaded'}", found.restarts
        )
    return found


def _target(model: Mapping[str, Any]) -> str:
    return str((model.get("states") or {}).get("targetModelState") or "")


def _load_failure(model: Mapping[str, Any]) -> str:
    info = model.get("lastFailureInfo") or {}
    said = " ".join(str(info.get("message") or info.get("reason") or "").split())
    return f"its model cannot be loaded: {said or model.get('transitionStatus')}"


def refused(status: Mapping[str, Any]) -> Iterator[str]:
    """Yield why KServe cannot make what the InferenceService asks for."""
    for one in status.get("conditions") or ():
        if one.get("reason") == "ReconcileFailed" and one.get("status") == "False":
            yield f"KServe cannot make it: {' '.join(str(one.get('message')).split())}"


def _why_no_deployment(status: Mapping[str, Any]) -> str:
    return "KServe has not made its Deployment yet" if status else "KServe's controller has not looked at it yet"


def _broken(deployment: Obj, pods: Sequence[Obj]) -> Iterator[str]:
    """Yield what waiting does not heal, the most telling first."""
    yield from dead_containers(pods)
    for one in (deployment.get("status") or {}).get("conditions") or ():
        if one.get("type") == "ReplicaFailure" and one.get("status") == "True":
            yield f"its pods are refused: {one.get('message')}"
        if one.get("type") == "Progressing" and one.get("reason") == "ProgressDeadlineExceeded":
            yield next(waits(pods), "") or f"its pods did not become ready in time: {one.get('message')}"


def dead_containers(pods: Sequence[Obj]) -> Iterator[str]:
    """Yield what keeps containers from running, and time does not heal."""
    for pod in pods:
        for container in _containers(pod):
            waiting = (container.get("state") or {}).get("waiting") or {}
            if waiting.get("reason") in _DEAD_WAITING:
                yield f"{_DEAD_WAITING[waiting['reason']]}: {_detail(pod, container, waiting)}"


def waits(pods: Sequence[Obj]) -> Iterator[str]:
    """Yield what pods wait for that time may heal."""
    for pod in pods:
        for one in (pod.get("status") or {}).get("conditions") or ():
            if one.get("type") == "PodScheduled" and one.get("status") == "False":
                yield f"pod {pod['metadata']['name']} cannot be scheduled: {one.get('message')}"
    for pod in pods:
        for container in _containers(pod):
            waiting = (container.get("state") or {}).get("waiting") or {}
            if waiting.get("reason") == "ErrImagePull":
                yield f"pod {pod['metadata']['name']}: {waiting.get('message') or 'its image could not be pulled'}"
            ended = last_end(container)
            if ended:
                yield f"pod {pod['metadata']['name']} was restarted: {ended}"


def last_end(container: Mapping[str, Any]) -> str:
    """Return how a container ended last: `OOMKilled (exit code 137)`; empty when it never did."""
    last = (container.get("lastState") or {}).get("terminated") or (container.get("state") or {}).get("terminated")
    if not last:
        return ""
    reason = str(last.get("reason") or "it ended")
    return f"{reason} (exit code {last.get('exitCode')})"


def _detail(pod: Obj, container: Mapping[str, Any], waiting: Mapping[str, Any]) -> str:
    said = last_end(container) or str(waiting.get("message") or "no reason was given")
    return f"pod {pod['metadata']['name']}, container {container.get('name')}: {said}"


def restarts_by_pod(pods: Sequence[Obj]) -> dict[str, int]:
    """Return how often the containers of each pod were restarted, by its uid."""
    return {str(pod["metadata"].get("uid")): restarts(pod) for pod in pods}


def restarts(pod: Obj) -> int:
    """Return how often the containers of a pod were restarted."""
    return sum(int(container.get("restartCount") or 0) for container in _containers(pod))


def _containers(pod: Obj) -> Iterator[Mapping[str, Any]]:
    status = pod.get("status") or {}
    yield from status.get("initContainerStatuses") or ()
    yield from status.get("containerStatuses") or ()
