"""A model is ready only when all of it is; what time does not heal is broken, with the reason to look for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlgate.adapters.kubernetes import health
from mlgate.adapters.kubernetes.health import Condition
from mlgate.adapters.kubernetes.restarts import Crashes
from mlgate.core.deploy.rollout import Health, Phase

CAPTURED = Path(__file__).parents[3] / "golden/kserve"


def captured(name: str) -> Any:
    return json.loads((CAPTURED / name).read_text())


def deployment(**status: Any) -> dict[str, Any]:
    counts = {"updatedReplicas": 2, "replicas": 2, "availableReplicas": 2, "observedGeneration": 3}
    return {
        "metadata": {"name": "summarizer", "generation": 3},
        "spec": {"replicas": 2},
        "status": {**counts, **status},
    }


def pod(*, waiting: dict[str, Any] | None = None, last: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    container: dict[str, Any] = {"name": "kserve-container", "restartCount": status.pop("restarts", 0)}
    container["state"] = {"waiting": waiting} if waiting else {"running": {}}
    if last:
        container["lastState"] = {"terminated": last}
    return {"metadata": {"name": "summarizer-1"}, "status": {"containerStatuses": [container], **status}}


UNSCHEDULABLE = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/2 nodes are available: 2 Insufficient nvidia.com/gpu.",
}


def test_all_replicas_of_the_present_template_are_ready() -> None:
    assert health.of_deployment(deployment(), [pod()]).health is Health.READY


@pytest.mark.parametrize(
    "status",
    [
        {"observedGeneration": 2},
        {"updatedReplicas": 1},
        {"availableReplicas": 1},
        {"replicas": 3},
        {"availableReplicas": None},
    ],
)
def test_anything_less_is_still_loading(status: dict[str, Any]) -> None:
    assert health.of_deployment(deployment(**status), [pod()]).health is Health.LOADING


def test_no_replicas_at_all_are_never_ready() -> None:
    none = deployment(updatedReplicas=0, replicas=0, availableReplicas=0)
    none["spec"]["replicas"] = 0
    assert health.of_deployment(none, []).health is Health.LOADING


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (
            pod(waiting={"reason": "CrashLoopBackOff"}, last={"reason": "OOMKilled", "exitCode": 137}, restarts=3),
            "OOMKilled (exit code 137)",
        ),
        (pod(waiting={"reason": "ImagePullBackOff", "message": "manifest unknown"}), "manifest unknown"),
        (pod(waiting={"reason": "CreateContainerConfigError", "message": 'secret "s3" not found'}), 'secret "s3"'),
    ],
)
def test_what_time_does_not_heal_is_broken(broken: dict[str, Any], says: str) -> None:
    found = health.of_deployment(deployment(availableReplicas=0), [broken])
    assert found.health is Health.BROKEN
    assert says in found.why


def oom(uid: str = "1", restarts: int = 1) -> dict[str, Any]:
    """Return a pod that ran out of memory, came back, and is ready again."""
    found = pod(last={"reason": "OOMKilled", "exitCode": 137}, restarts=restarts)
    found["metadata"]["uid"] = uid
    found["spec"] = {"containers": [{"name": "kserve-container", "resources": {"limits": {"memory": "2Gi"}}}]}
    return found


def test_a_model_that_ran_out_of_memory_and_came_back_between_two_looks_has_crashed_and_says_at_which_limit() -> None:
    crashes = Crashes()
    before = health.of_deployment(deployment(), [oom(restarts=0), oom("2")])
    assert crashes.judged(before, Phase.CHECKING).health is Health.READY
    after = health.of_deployment(deployment(), [oom(restarts=1), oom("2")])
    found = crashes.judged(after, Phase.HOLDING)
    assert (after.health, found.health) == (Health.READY, Health.BROKEN)
    assert found.why == (
        "pod summarizer-1 was restarted: OOMKilled at its memory limit of 2Gi (exit code 137); "
        "raise resources.limits.memory, or let it need less"
    )


def test_a_pod_that_its_node_ended_says_why() -> None:
    evicted = pod(phase="Failed", reason="Evicted", message="The node was low on resource: memory.")
    found = health.of_deployment(deployment(availableReplicas=1), [evicted])
    assert (found.health, found.why) == (
        Health.LOADING,
        "pod summarizer-1: Evicted: The node was low on resource: memory.",
    )


def test_pods_that_are_refused_break_it() -> None:
    refused = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: gpus"}
    found = health.of_deployment(deployment(availableReplicas=0, conditions=[refused]), [])
    assert (found.health, found.why) == (Health.BROKEN, "its pods are refused: exceeded quota: gpus")


@pytest.mark.parametrize(
    ("new", "ready_pods", "weight", "expected"),
    [
        (Health.READY, 0, 10, True),
        (Health.READY, 1, 10, False),
        (Health.READY, None, 10, False),
        (Health.READY, 0, 0, False),
        (Health.READY, 0, None, False),
        (Health.LOADING, 0, 10, False),
        (Health.BROKEN, 0, 10, False),
    ],
)
def test_a_candidate_keeps_its_traffic_only_while_nobody_else_can_answer(
    new: Health, ready_pods: int | None, weight: int | None, *, expected: bool
) -> None:
    old = Condition(Health.BROKEN, "its pods are refused", ready_pods=ready_pods)
    assert health.only_candidate_answers(Condition(new), old, weight) is expected


def test_a_broken_deployment_says_how_many_of_its_pods_still_answer() -> None:
    crashing = pod(waiting={"reason": "CrashLoopBackOff"})
    for alive in (0, 1):
        assert health.of_deployment(deployment(availableReplicas=alive), [crashing]).ready_pods == alive
        service = {
            "status": {"conditions": [{"reason": "ReconcileFailed", "status": "False", "message": "is invalid"}]}
        }
        found = health.of_inference_service(service, deployment(availableReplicas=alive), [crashing])
        assert (found.health, found.ready_pods) == (Health.BROKEN, alive)


def test_a_pod_that_is_being_deleted_says_nothing_of_the_next_one() -> None:
    crashing = pod(waiting={"reason": "CrashLoopBackOff"})
    crashing["metadata"]["deletionTimestamp"] = "2026-11-30T12:00:00Z"
    assert health.of_deployment(deployment(availableReplicas=0), [crashing]).health is Health.LOADING


def test_a_pod_that_cannot_be_scheduled_waits_and_says_for_what() -> None:
    found = health.of_deployment(deployment(availableReplicas=0), [pod(conditions=[UNSCHEDULABLE])])
    assert found.health is Health.LOADING
    assert "2 Insufficient nvidia.com/gpu" in found.why


def test_a_model_that_cannot_be_loaded_is_broken_while_its_service_says_ready() -> None:
    service = captured("isvc-bad.json")
    found = health.of_inference_service(service, deployment(), [pod()])
    assert found.health is Health.BROKEN
    assert "Failed to fetch model" in found.why


def test_a_failure_that_is_over_is_not_told_any_more() -> None:
    service = captured("isvc-bad.json")
    service["status"]["modelStatus"].update(
        transitionStatus="UpToDate", states={"activeModelState": "Loaded", "targetModelState": "Loaded"}
    )
    assert health.of_inference_service(service, deployment(), [pod()]).health is Health.READY


def test_a_captured_service_is_ready_with_its_deployment() -> None:
    assert health.of_inference_service(captured("isvc-demo.json"), deployment(), [pod()]).health is Health.READY


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('admission webhook "validation.webhook" denied the request: bad image name', Health.BROKEN),
        ('Deployment.apps "a" is invalid: spec.template', Health.BROKEN),
        ('Operation cannot be fulfilled on services "a": the object has been modified', Health.LOADING),
        ("context deadline exceeded", Health.LOADING),
    ],
)
def test_what_kserve_cannot_make_is_broken_only_where_trying_again_does_not_help(
    message: str, expected: Health
) -> None:
    condition = {"type": "PredictorReady", "status": "False", "reason": "ReconcileFailed", "message": message}
    service = {"metadata": {}, "status": {"conditions": [condition]}}
    found = health.of_inference_service(service, None, [])
    assert (found.health, found.why) == (expected, f"KServe cannot make it: {message}")


def test_a_model_that_no_runtime_can_load_is_broken_before_it_has_a_deployment() -> None:
    model = {"transitionStatus": "InvalidSpec", "lastFailureInfo": {"reason": "NoSupportingRuntime"}}
    found = health.of_inference_service({"metadata": {}, "status": {"modelStatus": model}}, None, [])
    assert (found.health, found.why) == (Health.BROKEN, "its model cannot be loaded: NoSupportingRuntime")


def test_nothing_is_absent() -> None:
    assert health.of_inference_service(None, None, []).health is Health.ABSENT
    assert health.of_deployment(None, []).health is Health.ABSENT
