"""Whether a model on the cluster is ready, still loading, or will never be: from the objects that run it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
_OUT_OF_MEMORY = "OOMKilled"
_FAILED_LOAD = ("BlockedByFailedLoad", "InvalidSpec")
"""KServe's transition statuses of a model that will not come up. Its `lastFailureInfo` stays after a recovery."""

_FINAL = ("denied the request", "is invalid", "is forbidden", "exceeded quota", "no matches for kind")
"""What an API server says of an object that it will not take the next time either."""

_DEAD_REVISION = ("ExitCode", "ImagePull", "ContainerMissing", "CrashLoop", "FailedCreate", "ProgressDeadlineExceeded")
"""How the reasons of a Knative revision begin that will not become ready by waiting."""
_TELLING = ("Ready", "ContainerHealthy", "ResourcesAvailable")
"""The conditions of one that have such reasons."""


@dataclass(frozen=True, slots=True)
class Condition:
    """How one model is, and why."""

    health: Health
    why: str = ""
    restarts: Mapping[str, int] = field(default_factory=dict)
    """Of the containers of each pod, by its uid."""
    ends: Mapping[str, str] = field(default_factory=dict)
    """How a container of each pod ended last, by the pod's uid: a sentence. Of those whose containers did."""
    ready_pods: int | None = None
    """None: not known."""


ABSENT = Condition(Health.ABSENT, "it is not on the cluster", ready_pods=0)


def only_candidate_answers(new: Condition, old: Condition, weight: int | None) -> bool:
    """Whether the candidate must keep the traffic that it has: it is ready, and the stable model has no pod that is.

    *weight*: the percent that the candidate gets; one that gets nothing does not get in by this.
    """
    return old.ready_pods == 0 and new.health is Health.READY and bool(weight)


def stable(found: Condition, *, is_first: bool) -> Health:
    """Return the stable model's health: where it is not the first rollout, one that is not there is broken."""
    return Health.BROKEN if found.health is Health.ABSENT and not is_first else found.health


def of_deployment(deployment: Obj | None, pods: Sequence[Obj]) -> Condition:
    """Return how the pods of a Deployment are. READY: all of its replicas run the present template and answer."""
    if deployment is None:
        return ABSENT
    restarted, ends = restarts_by_pod(pods), ends_by_pod(pods)
    spec, status = deployment["spec"], deployment.get("status") or {}
    wanted = spec.get("replicas", 1)
    is_seen = status.get("observedGeneration") == deployment["metadata"]["generation"]
    counts = [status.get(name) or 0 for name in ("updatedReplicas", "replicas", "availableReplicas")]
    broken = next(_broken(deployment, pods), "")
    if broken:
        return Condition(Health.BROKEN, broken, restarted, ends, counts[2])
    if is_seen and wanted > 0 and counts == [wanted] * 3:
        return Condition(Health.READY, "", restarted, ends, counts[2])
    count = f"{counts[2]} of {wanted} pods are ready" if wanted else "somebody scaled it to 0 pods"
    why = next(waits(pods), count)
    return Condition(Health.LOADING, why, restarted, ends, counts[2])


def of_inference_service(service: Obj | None, deployment: Obj | None, pods: Sequence[Obj]) -> Condition:
    """Return how an InferenceService in Standard mode is: by its Deployment, and by what KServe says of its model.

    Its own `Ready` is not asked: it stays True while a changed model cannot be loaded, and its `observedGeneration` is
    another object's.
    """
    if service is None:
        return ABSENT
    status = service.get("status") or {}
    found = of_deployment(deployment, pods)
    why = next(refused(status), "")
    if why:
        return replace(found, health=Health.BROKEN, why=why)
    if deployment is None:
        return _without_deployment(status)
    model = status.get("modelStatus") or {}
    failed = model.get("transitionStatus") in _FAILED_LOAD or _target(model) == "FailedToLoad"
    if found.health is not Health.BROKEN and failed:
        return replace(found, health=Health.BROKEN, why=_load_failure(model))
    if found.health is Health.READY and "states" in model and _target(model) != "Loaded":
        return replace(
            found, health=Health.LOADING, why=f"KServe says that its model is {_target(model) or 'not loaded'}"
        )
    return found


def _target(model: Mapping[str, Any]) -> str:
    return str((model.get("states") or {}).get("targetModelState") or "")


def _load_failure(model: Mapping[str, Any]) -> str:
    info = model.get("lastFailureInfo") or {}
    said = " ".join(str(info.get("message") or info.get("reason") or "").split())
    return f"its model cannot be loaded: {said or model.get('transitionStatus')}"


def refused(status: Mapping[str, Any]) -> Iterator[str]:
    """Yield why KServe cannot make what the InferenceService asks for, and never will.

    A conflict with another controller's write has the same reason, and KServe tries again by itself.
    """
    return (why for why in _unmade(status) if any(word in why for word in _FINAL))


def _unmade(status: Mapping[str, Any]) -> Iterator[str]:
    """Yield why KServe has not made what the InferenceService asks for."""
    for one in status.get("conditions") or ():
        if one.get("reason") == "ReconcileFailed" and one.get("status") == "False":
            yield f"KServe cannot make it: {' '.join(str(one.get('message')).split())}"


def _without_deployment(status: Mapping[str, Any]) -> Condition:
    """Return how an InferenceService is that has no Deployment yet."""
    model = status.get("modelStatus") or {}
    if model.get("transitionStatus") in _FAILED_LOAD:
        return Condition(Health.BROKEN, _load_failure(model), ready_pods=0)
    why = "KServe has not made its Deployment yet" if status else "KServe's controller has not looked at it yet"
    return Condition(Health.LOADING, next(_unmade(status), why), ready_pods=0)


def _broken(deployment: Obj, pods: Sequence[Obj]) -> Iterator[str]:
    """Yield what waiting does not heal, the most telling first."""
    yield from dead_containers(pods)
    for one in (deployment.get("status") or {}).get("conditions") or ():
        if one.get("type") == "ReplicaFailure" and one.get("status") == "True":
            yield f"its pods are refused: {one.get('message')}"
        if one.get("type") == "Progressing" and one.get("reason") == "ProgressDeadlineExceeded":
            yield next(waits(pods), "") or f"its pods did not become ready in time: {one.get('message')}"


def living(pods: Sequence[Obj]) -> list[Obj]:
    """Return the pods that are not being deleted: how those end says nothing of those that take their place."""
    return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]


def dead_containers(pods: Sequence[Obj]) -> Iterator[str]:
    """Yield what keeps containers from running, and time does not heal."""
    for pod in living(pods):
        for container in _containers(pod):
            waiting = (container.get("state") or {}).get("waiting") or {}
            if waiting.get("reason") in _DEAD_WAITING:
                yield f"{_DEAD_WAITING[waiting['reason']]}: {_detail(pod, container, waiting)}"


def dead_revision(revision: Obj, pods: Sequence[Obj]) -> Iterator[str]:
    """Yield why a revision will not become ready."""
    yield from dead_containers(pods)
    for one in (revision.get("status") or {}).get("conditions") or ():
        reason = str(one.get("reason") or "")
        if one.get("status") == "False" and one.get("type") in _TELLING and reason.startswith(_DEAD_REVISION):
            yield f"its revision failed: {reason}: {' '.join(str(one.get('message')).split())}"


def waits(pods: Sequence[Obj]) -> Iterator[str]:
    """Yield what pods wait for that time may heal."""
    pods = living(pods)
    for pod in pods:
        for one in (pod.get("status") or {}).get("conditions") or ():
            if one.get("type") == "PodScheduled" and one.get("status") == "False":
                yield f"pod {pod['metadata']['name']} cannot be scheduled: {one.get('message')}"
    for pod in pods:
        for container in _containers(pod):
            waiting = (container.get("state") or {}).get("waiting") or {}
            if waiting.get("reason") == "ErrImagePull":
                yield f"pod {pod['metadata']['name']}: {waiting.get('message') or 'its image could not be pulled'}"
            if last_end(pod, container):
                yield _restarted(pod, container)
    for pod in pods:
        status = pod.get("status") or {}
        if status.get("phase") == "Failed":
            said = " ".join(str(status.get("message") or "it failed").split())
            yield f"pod {pod['metadata']['name']}: {status.get('reason') or 'Failed'}: {said}"


def last_end(pod: Obj, container: Mapping[str, Any]) -> str:
    """Return how a container ended last, as `Error (exit code 1)`; empty when it never did."""
    last = (container.get("lastState") or {}).get("terminated") or (container.get("state") or {}).get("terminated")
    if not last:
        return ""
    reason, code = str(last.get("reason") or "it ended"), f"(exit code {last.get('exitCode')})"
    limit = _memory_limit(pod, container) if reason == _OUT_OF_MEMORY else ""
    if not limit:
        return f"{reason} {code}"
    return f"{reason} at its memory limit of {limit} {code}; raise resources.limits.memory, or let it need less"


def _memory_limit(pod: Obj, container: Mapping[str, Any]) -> str:
    """Return the memory limit of a pod's container, as it is written; empty without one."""
    spec = pod.get("spec") or {}
    for one in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        if one.get("name") == container.get("name"):
            return str(((one.get("resources") or {}).get("limits") or {}).get("memory") or "")
    return ""


def _restarted(pod: Obj, container: Mapping[str, Any]) -> str:
    return f"pod {pod['metadata']['name']} was restarted: {last_end(pod, container)}"


def ends_by_pod(pods: Sequence[Obj]) -> dict[str, str]:
    """Return how a container of each pod ended last, by the pod's uid; nothing of pods whose containers never did."""
    ended = {str(pod["metadata"].get("uid")): [c for c in _containers(pod) if last_end(pod, c)] for pod in pods}
    by_uid = {str(pod["metadata"].get("uid")): pod for pod in pods}
    return {uid: _restarted(by_uid[uid], found[-1]) for uid, found in ended.items() if found}


def _detail(pod: Obj, container: Mapping[str, Any], waiting: Mapping[str, Any]) -> str:
    said = last_end(pod, container) or str(waiting.get("message") or "no reason was given")
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
