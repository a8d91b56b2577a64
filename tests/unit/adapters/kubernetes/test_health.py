"""A model is ready only when all of it is; what time does not heal is broken, with the reason to look for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlgate.adapters.kubernetes import health
from mlgate.core.deploy.rollout import Health

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


def test_pods_that_are_refused_break_it() -> None:
    refused = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: gpus"}
    found = health.of_deployment(deployment(availableReplicas=0, conditions=[refused]), [])
    assert (found.health, found.why) == (Health.BROKEN, "its pods are refused: exceeded quota: gpus")


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


def test_a_service_that_kserve_cannot_make_says_why() -> None:
    condition = {"type": "PredictorReady", "status": "False", "reason": "ReconcileFailed", "message": "bad image name"}
    service = {"metadata": {}, "status": {"conditions": [condition]}}
    found = health.of_inference_service(service, None, [])
    assert (found.health, found.why) == (Health.BROKEN, "KServe cannot make it: bad image name")


def test_nothing_is_absent() -> None:
    assert health.of_inference_service(None, None, []).health is Health.ABSENT
    assert health.of_deployment(None, []).health is Health.ABSENT
