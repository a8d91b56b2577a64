"""The tests' cluster is what it says: a real scheduler, controllers, webhooks and gateway, and real processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from lightkube import ApiError
from tests.support.cluster.own_namespace import (
    GATEWAY_REF,
    OwnNamespace,
    answers,
    cluster_client,
    model_container,
    own_namespace,
)
from tests.support.waiting import alive, until

pytestmark = pytest.mark.needs_cluster

STANDARD = {"serving.kserve.io/deploymentMode": "Standard", "serving.kserve.io/autoscalerClass": "none"}
KNATIVE = {
    "serving.kserve.io/deploymentMode": "Knative",
    "autoscaling.knative.dev/class": "hpa.autoscaling.knative.dev",  # KServe writes Knative's own, which is not here
}


@pytest.fixture
def place() -> Iterator[OwnNamespace]:
    """Yield a namespace of the test's own, in the cluster of `.ci/cluster`: no other has its programs."""
    if "MLGATE_TEST_GATEWAY" not in os.environ:
        (pytest.fail if "cluster" in os.environ.get("MLGATE_REQUIRE", "") else pytest.skip)(
            "these tests are about the cluster of .ci/cluster: make test-cluster"
        )
    with cluster_client() as client, own_namespace(client) as found:
        yield found


def model(uri: str, **environment: str) -> dict[str, Any]:
    env = [{"name": name, "value": value} for name, value in environment.items()]
    return {"modelFormat": {"name": "test"}, "storageUri": uri, "env": env}


def deploy(place: OwnNamespace, version: str) -> None:
    """Bring one version up behind a Service of its own."""
    labels = {"app": version}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [model_container(version)]}}
    place.apply("Deployment", version, {"replicas": 1, "selector": {"matchLabels": labels}, "template": template})
    place.apply(
        "Service", version, {"clusterIP": "None", "selector": labels, "ports": [{"port": 80, "targetPort": 8080}]}
    )


def test_a_gateway_splits_traffic_by_the_weights_of_a_route(place: OwnNamespace) -> None:
    deploy(place, "v1")
    deploy(place, "v2")
    host = place.host("m")
    backends = [{"name": "v1", "port": 80, "weight": 90}, {"name": "v2", "port": 80, "weight": 10}]
    place.apply(
        "HTTPRoute", "m", {"parentRefs": [GATEWAY_REF], "hostnames": [host], "rules": [{"backendRefs": backends}]}
    )
    until(lambda: answers(host, 20).keys() == {"v1", "v2"})
    found = answers(host, 500)
    assert found.keys() == {"v1", "v2"}
    assert 40 <= found["v2"] <= 60, found
    backends[1]["weight"] = 0
    place.apply(
        "HTTPRoute", "m", {"parentRefs": [GATEWAY_REF], "hostnames": [host], "rules": [{"backendRefs": backends}]}
    )
    until(lambda: answers(host, 20).keys() == {"v1"})


def test_an_inference_service_in_standard_mode_is_a_process_that_answers(place: OwnNamespace) -> None:
    predictor = {"minReplicas": 1, "model": model("s3://models/m/v7")}
    place.apply("InferenceService", "m", {"predictor": predictor}, annotations=STANDARD)
    until(lambda: place.conditions("InferenceService", "m").get("Ready") == "True")
    until(lambda: answers(place.host("m"), 5).keys() == {"v7"})
    (container,) = place.containers(**{"serving.kserve.io/inferenceservice": "m"})
    pid = int(container["containerID"].removeprefix("process://"))
    assert alive(pid)
    place.delete("InferenceService", "m")
    until(lambda: not alive(pid))


def test_kserve_s_webhook_refuses_canaries_of_more_than_all_traffic(place: OwnNamespace) -> None:
    def canary(name: str, percent: int) -> dict[str, Any]:
        found = model(f"s3://models/m/{name}") | {"name": ""}
        return {"trafficPercent": percent, "predictor": {"name": name, "minReplicas": 1, "model": found}}

    predictor = {"minReplicas": 2, "model": model("s3://models/m/v1")}
    spec = {"predictor": predictor, "canary": [canary("v2", 60), canary("v3", 50)]}
    with pytest.raises(ApiError, match=r"inferenceservice\.kserve-webhook-server\.validator") as refused:
        place.apply("InferenceService", "m", spec, annotations=STANDARD)
    assert refused.value.status.code == 403


def test_knative_gives_a_named_revision_its_percent_of_the_traffic(place: OwnNamespace) -> None:
    def apply(digit: str, **percent: int) -> None:
        container = model_container("1") | {"image": f"registry.example.com/modelserver@sha256:{digit * 64}"}
        predictor = {"minReplicas": 1, "containers": [container], **percent}
        place.apply("InferenceService", "m", {"predictor": predictor}, annotations=KNATIVE)

    def traffic() -> dict[str, int]:
        found = place.get("InferenceService", "m").get("status", {}).get("components", {}).get("predictor", {})
        return {one["revisionName"]: one["percent"] for one in found.get("traffic") or ()}

    def is_ready() -> bool:
        return place.conditions("InferenceService", "m").get("Ready") == "True"

    apply("7")
    until(is_ready)
    assert traffic() == {"m-predictor-00001": 100}
    apply("8", canaryTrafficPercent=10)
    until(lambda: traffic() == {"m-predictor-00001": 90, "m-predictor-00002": 10} and is_ready())
    host = f"m-predictor.{place.name}.svc.cluster.local"
    until(lambda: len(answers(host, 20)) == 2)
    found = answers(host, 500)
    assert found.keys() == {f"sha256:{'7' * 64}", f"sha256:{'8' * 64}"}
    assert 40 <= found[f"sha256:{'8' * 64}"] <= 60, found


def test_a_pod_that_fits_no_node_stays_pending_and_an_event_says_why(place: OwnNamespace) -> None:
    container = model_container("v1") | {"resources": {"limits": {"nvidia.com/gpu": "1"}}}
    place.apply("Pod", "m", {"containers": [container]})
    until(lambda: "FailedScheduling" in place.events("m"))
    assert "Insufficient nvidia.com/gpu" in place.events("m")["FailedScheduling"]
    assert place.get("Pod", "m")["status"]["phase"] == "Pending"


def test_a_candidate_that_cannot_load_is_started_again_and_again(place: OwnNamespace) -> None:
    predictor = {"minReplicas": 1, "model": model("s3://models/m/v2", MODEL_FAIL_LOAD="no weights")}
    place.apply("InferenceService", "m", {"predictor": predictor}, annotations=STANDARD)

    def reasons() -> list[str]:
        return [one["state"].get("waiting", {}).get("reason", "") for one in place.containers()]

    until(lambda: reasons() == ["CrashLoopBackOff"])
    (container,) = place.containers()
    assert container["restartCount"] >= 1
    assert container["lastState"]["terminated"]["exitCode"] == 1
    (pod,) = place.pods()
    until(lambda: "model cannot be loaded: no weights" in place.log(pod["metadata"]["name"], container["name"]))
    until(lambda: _transition(place) == "BlockedByFailedLoad")


def test_a_process_that_takes_more_memory_than_its_limit_is_killed(place: OwnNamespace) -> None:
    grows = "x = []\nwhile True: x.append(bytearray(1 << 20))"
    container = {"name": "m", "image": "local/python", "command": ["python3", "-c", grows]}
    limited = container | {"resources": {"limits": {"cpu": "1", "memory": "64Mi"}}}
    place.apply("Pod", "m", {"containers": [limited], "restartPolicy": "Never"})
    until(lambda: place.get("Pod", "m").get("status", {}).get("phase") == "Failed")
    (found,) = place.containers()
    assert (found["state"]["terminated"]["reason"], found["state"]["terminated"]["exitCode"]) == ("OOMKilled", 137)


def test_an_image_that_cannot_be_pulled_is_waited_for(place: OwnNamespace) -> None:
    container = model_container("v1") | {"image": "registry.invalid/modelserver:v1"}
    place.apply("Pod", "m", {"containers": [container]})
    until(lambda: [one["state"].get("waiting", {}).get("reason") for one in place.containers()] == ["ImagePullBackOff"])
    assert place.get("Pod", "m")["status"]["phase"] == "Pending"


def _transition(place: OwnNamespace) -> str:
    status = place.get("InferenceService", "m").get("status") or {}
    return str(status.get("modelStatus", {}).get("transitionStatus"))
