"""A release has a name of its content and selects its own pods; the image that runs is the one that was judged."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from mlgate.adapters.kubernetes import manifest, route_manifest
from mlgate.adapters.kubernetes.manifest import RELEASE_LABEL, SERVICE_LABEL
from mlgate.core.deploy.release import Release
from mlgate.core.errors import ConfigError, Refused

DIGEST = "sha256:" + "1" * 64
IMAGE = f"ghcr.io/acme/summarizer@{DIGEST}"
RELEASE = Release(image=IMAGE, commit="abc", verdict="f" * 64)

SERVICE: dict[str, Any] = {
    "apiVersion": "serving.kserve.io/v1beta1",
    "kind": "InferenceService",
    "metadata": {"name": "summarizer", "namespace": "elsewhere"},
    "spec": {"predictor": {"containers": [{"name": "kserve-container", "image": "ghcr.io/acme/summarizer:main"}]}},
}
DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "summarizer"},
    "spec": {
        "selector": {"matchLabels": {"app": "summarizer"}},
        "template": {
            "metadata": {"labels": {"app": "summarizer"}},
            "spec": {
                "containers": [
                    {"name": "model", "image": "ghcr.io/acme/summarizer", "ports": [{"containerPort": 9000}]}
                ]
            },
        },
    },
}
SCALER: dict[str, Any] = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "summarizer-scaler"},
    "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "summarizer-predictor"}, "maxReplicas": 4},
}
BUDGET: dict[str, Any] = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "summarizer"},
    "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "summarizer"}}},
}


def test_the_same_content_has_the_same_name_and_another_has_another() -> None:
    one = manifest.released("summarizer", RELEASE, [SERVICE])
    again = manifest.released("summarizer", Release(image=IMAGE, commit="other"), [SERVICE])
    other = manifest.released("summarizer", RELEASE, [{**SERVICE, "spec": {"predictor": {"minReplicas": 3}}}])
    assert one.name == again.name != other.name
    assert one.name.startswith("summarizer-")


def test_objects_are_named_and_labelled_as_the_release() -> None:
    made = manifest.released("summarizer", RELEASE, [SERVICE, SCALER, BUDGET])
    service, scaler, budget = made.manifest
    assert service["metadata"]["name"] == made.name
    assert "namespace" not in service["metadata"]
    assert service["spec"]["predictor"]["labels"] == {SERVICE_LABEL: "summarizer", RELEASE_LABEL: made.name}
    assert service["spec"]["predictor"]["annotations"]["mlgate.dev/commit"] == "abc"
    assert scaler["metadata"]["name"] == f"{made.name}-scaler"
    assert scaler["spec"]["scaleTargetRef"]["name"] == f"{made.name}-predictor"
    assert budget["spec"]["selector"] == {"matchLabels": {RELEASE_LABEL: made.name}}


def test_a_deployment_gets_a_service_and_selects_its_own_pods() -> None:
    made = manifest.released("summarizer", RELEASE, route_manifest.prepared([DEPLOYMENT], "summarizer"))
    deployment, service = made.manifest
    assert deployment["spec"]["selector"]["matchLabels"] == {"app": "summarizer", RELEASE_LABEL: made.name}
    assert deployment["spec"]["template"]["metadata"]["labels"][RELEASE_LABEL] == made.name
    assert service["spec"]["selector"] == {RELEASE_LABEL: made.name}
    assert service["spec"]["ports"][0]["targetPort"] == 9000
    assert route_manifest.backend(made).service == made.name


def test_an_inference_service_gets_no_route_of_its_own_and_keeps_the_models_name() -> None:
    model = copy.deepcopy(SERVICE)
    model["spec"] = {"predictor": {"model": {"modelFormat": {"name": "sklearn"}, "args": ["--workers=2"]}}}
    (made,) = route_manifest.prepared([model], "summarizer")
    assert made["metadata"]["labels"]["networking.kserve.io/visibility"] == "cluster-local"
    assert made["spec"]["predictor"]["model"]["args"] == ["--workers=2", "--model_name=summarizer"]
    assert route_manifest.prepared([made], "summarizer") == (made,)


def test_what_a_person_wrote_is_not_changed() -> None:
    before = copy.deepcopy(SERVICE)
    manifest.released(
        "summarizer", RELEASE, route_manifest.prepared(manifest.with_image([SERVICE], IMAGE), "summarizer")
    )
    assert before == SERVICE


def test_the_judged_digest_is_what_runs() -> None:
    (made,) = manifest.with_image([SERVICE], IMAGE)
    assert made["spec"]["predictor"]["containers"][0]["image"] == IMAGE


@pytest.mark.parametrize(
    "written",
    [
        "ghcr.io/evil/summarizer:main",
        f"ghcr.io/acme/summarizer@sha256:{'2' * 64}",
        "summarizer",
        "ghcr.io/acme/summarizer2",
    ],
)
def test_another_image_is_refused(written: str) -> None:
    other = copy.deepcopy(SERVICE)
    other["spec"]["predictor"]["containers"][0]["image"] = written
    with pytest.raises(Refused, match="the verdict is about"):
        manifest.with_image([other], IMAGE)


SOURCE = "internal.serving.kserve.io/storage-initializer-sourceuri"
LOADED: dict[str, Any] = {"annotations": {SOURCE: "s3://a"}}
"""What KServe's webhook takes for the order to load a model into a pod."""


@pytest.mark.parametrize(
    ("predictor", "says"),
    [
        ({"model": {"modelFormat": {"name": "sklearn"}}}, "no image of its own"),
        ({"model": {"image": "ghcr.io/acme/summarizer", "storageUri": "s3://a"}}, "loads a model by storageUri"),
        ({"storageUris": [{"uri": "s3://a"}], "containers": []}, "loads a model by storageUris"),
        (
            {"containers": [{"name": "kserve-container", "env": [{"name": "STORAGE_URI", "value": "s3://a"}]}]},
            "loads a model by STORAGE_URI",
        ),
        ({**SERVICE["spec"]["predictor"], "sklearn": {"storageUri": "s3://a"}}, "loads a model by storageUri"),
        ({**SERVICE["spec"]["predictor"], **LOADED}, f"loads a model by {SOURCE}"),
    ],
)
def test_a_manifest_whose_model_is_not_the_judged_image_is_refused(predictor: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused, match=says):
        manifest.with_image([{**SERVICE, "spec": {"predictor": predictor}}], IMAGE)


def test_a_model_is_not_loaded_by_an_annotation_of_kserves_own() -> None:
    service, pods = copy.deepcopy(SERVICE), copy.deepcopy(DEPLOYMENT)
    service["metadata"] |= LOADED
    pods["spec"]["template"]["metadata"] |= LOADED
    for document in (service, pods):
        with pytest.raises(Refused, match=SOURCE):
            manifest.with_image([document], IMAGE)


def test_where_requests_are_logged_to_is_no_model() -> None:
    logged = copy.deepcopy(SERVICE)
    logged["spec"]["predictor"]["logger"] = {"mode": "all", "storage": {"path": "logs"}}
    assert manifest.with_image([logged], IMAGE)


@pytest.mark.parametrize(
    ("documents", "says"),
    [
        ([SERVICE, DEPLOYMENT], "has 2 objects that run a model"),
        ([BUDGET], "has 0 objects"),
        ([SERVICE, {"apiVersion": "v1", "kind": "Secret"}], "has a Secret"),
    ],
)
def test_a_manifest_of_something_else_is_an_error(documents: list[dict[str, Any]], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        manifest.released("summarizer", RELEASE, documents)


def test_a_name_that_kubernetes_has_no_room_for_is_an_error() -> None:
    with pytest.raises(ConfigError, match="too long"):
        manifest.released("s" * 50, RELEASE, [SERVICE])


def test_what_somebody_else_made_is_taken_without_what_the_server_added() -> None:
    found = {
        **SERVICE,
        "metadata": {
            "name": "summarizer",
            "uid": "1",
            "resourceVersion": "2",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "team": "nlp"},
        },
        "status": {"url": "http://x"},
    }
    made = manifest.adopted(found)
    assert made.is_adopted
    assert made.manifest[0]["metadata"] == {"name": "summarizer", "annotations": {"team": "nlp"}}
    assert "status" not in made.manifest[0]
