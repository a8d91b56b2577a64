"""Each mistake of a manifest is found where it is written, and what mends it leaves none of it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from mlgate.adapters.kubernetes.manifest_rules.advice import advice
from mlgate.core.deploy.advice import Advice, Measured

MEASURED = Measured(peak_memory_mb=900, load_s=45, ready_path="/v2/models/summarizer/ready")
STEPS = (5, 25, 100)

GOOD: dict[str, Any] = {
    "apiVersion": "serving.kserve.io/v1beta1",
    "kind": "InferenceService",
    "metadata": {"name": "summarizer"},
    "spec": {
        "predictor": {
            "minReplicas": 2,
            "topologySpreadConstraints": [{"maxSkew": 1}],
            "containers": [
                {
                    "name": "kserve-container",
                    "image": "ghcr.io/acme/summarizer",
                    "resources": {
                        "requests": {"cpu": "1", "memory": "2Gi"},
                        "limits": {"cpu": "2", "memory": "2Gi"},
                    },
                    "readinessProbe": {"httpGet": {"path": "/v2/models/summarizer/ready", "port": 8080}},
                    "startupProbe": {"periodSeconds": 10, "failureThreshold": 12},
                }
            ],
        }
    },
}


def container(of: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = of["spec"]["predictor"]["containers"][0]
    return found


def asked(document: dict[str, Any], measured: Measured = MEASURED) -> tuple[Advice, ...]:
    return advice([document], 0, measured, STEPS, "summarizer")


def without(name: str) -> Any:
    return lambda of: container(of).pop(name)


def resources(**given: Any) -> Any:
    return lambda of: container(of)["resources"].update(given)


def predictor(**given: Any) -> Any:
    return lambda of: of["spec"]["predictor"].update(given)


MISTAKES: list[tuple[str, Any]] = [
    ("no-cpu-request", resources(requests={"memory": "2Gi"})),
    ("no-memory-request", resources(requests={"cpu": "1"})),
    ("no-memory-limit", resources(limits={})),
    ("no-memory-limit", without("resources")),
    ("limit-below-request", resources(limits={"cpu": "500m", "memory": "2Gi"})),
    ("memory-below-peak", resources(requests={"cpu": "1", "memory": "512Mi"}, limits={"memory": "512Mi"})),
    (
        "gpu-request-not-limit",
        resources(requests={"cpu": "1", "memory": "2Gi", "nvidia.com/gpu": 1}, limits={"memory": "2Gi"}),
    ),
    ("gpu-no-toleration", resources(limits={"memory": "2Gi", "nvidia.com/gpu": 1})),
    ("gpu-not-whole", resources(limits={"memory": "2Gi", "nvidia.com/gpu": "0.5"})),
    ("gpu-any-kind", resources(limits={"memory": "2Gi", "nvidia.com/gpu": 1})),
    ("gpu-unknown", resources(limits={"memory": "2Gi", "aws.amazon.com/neuron": 1})),
    ("readiness-by-port", without("readinessProbe")),
    ("readiness-by-port", lambda of: container(of).update(readinessProbe={"tcpSocket": {"port": 8080}})),
    ("startup-too-short", lambda of: container(of).update(startupProbe={"periodSeconds": 10, "failureThreshold": 3})),
    (
        "startup-too-short",
        lambda of: (without("startupProbe")(of), container(of).update(livenessProbe={"periodSeconds": 5})),
    ),
    ("one-replica", predictor(minReplicas=1)),
    ("replicas-crossed", predictor(maxReplicas=1)),
    ("not-spread", lambda of: of["spec"]["predictor"].pop("topologySpreadConstraints")),
    (
        "image-moves",
        lambda of: of["spec"]["predictor"]["containers"].append({"name": "proxy", "image": "envoy:latest"}),
    ),
    ("image-moves", predictor(initContainers=[{"name": "fetch", "image": "fetcher:latest"}])),
    ("canary-is-mlgates", predictor(canaryTrafficPercent=10)),
    ("canary-is-mlgates", lambda of: of["spec"].update(canary=[])),
    (
        "scraping-wrong-port",
        lambda of: of["metadata"].update(annotations={"serving.kserve.io/enable-prometheus-scraping": "true"}),
    ),
    ("legacy-framework", predictor(sklearn={"storageUri": "s3://models/a"})),
    (
        "autoscaler-conflict",
        lambda of: (
            of["metadata"].update(annotations={"serving.kserve.io/autoscalerClass": "keda"}),
            predictor(scaleMetric="cpu")(of),
        ),
    ),
]


def test_a_sound_manifest_has_nothing_wrong() -> None:
    assert asked(GOOD) == ()


@pytest.mark.parametrize(("topic", "spoil"), MISTAKES, ids=[f"{topic}-{n}" for n, (topic, _) in enumerate(MISTAKES)])
def test_a_mistake_is_found_and_told_with_a_next_step(topic: str, spoil: Any) -> None:
    spoilt = copy.deepcopy(GOOD)
    spoil(spoilt)
    found = {one.topic: one for one in asked(spoilt)}
    assert topic in found
    assert found[topic].says
    assert found[topic].hint
    assert found[topic].steps


@pytest.mark.parametrize(
    ("uri", "topic"),
    [
        ("hf://org/model", "storage-moves"),
        ("hf://org/model:v1", ""),
        ("oci://registry/model:v1", "storage-moves"),
        ("oci://registry/model@sha256:" + "0" * 64, ""),
        ("s3://models/summarizer", "storage-may-move"),
        ("pvc://models/summarizer", ""),
    ],
)
def test_a_storage_uri_whose_content_can_change_is_told(uri: str, topic: str) -> None:
    model = copy.deepcopy(GOOD)
    one = container(model)
    model["spec"]["predictor"].pop("containers")
    model["spec"]["predictor"]["model"] = {**one, "storageUri": uri}
    assert [found.topic for found in asked(model)] == ([topic] if topic else [])


def test_what_was_not_measured_is_not_asked_for() -> None:
    tight = copy.deepcopy(GOOD)
    container(tight)["startupProbe"] = {"periodSeconds": 1, "failureThreshold": 1}
    assert asked(tight, Measured()) == ()
