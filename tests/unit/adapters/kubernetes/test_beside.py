"""What else on a cluster meets a rollout is said, with the object and the next step."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from tests.support.deploy_project import deployment, image, inference_service
from tests.support.fake_kubernetes import FakeKubernetes, status

from mlgate.adapters.kubernetes import adoption, manifest, route_manifest
from mlgate.adapters.kubernetes.beside.look import look
from mlgate.adapters.kubernetes.beside.subject import Subject
from mlgate.adapters.kubernetes.kinds import AUTOSCALER, SCALED_OBJECT
from mlgate.core.deploy import mode
from mlgate.core.deploy.release import Deployed, Release
from mlgate.core.errors import ConfigError

Obj = dict[str, Any]


def released(*documents: Obj) -> Deployed:
    return manifest.released("summarizer", Release(image=image("1")), route_manifest.prepared(documents, "summarizer"))


def subject(*documents: Obj, way: str = mode.ROUTE) -> Subject:
    model = released(*(documents or (inference_service(),)))
    return Subject(way, model, frozenset({"summarizer", "summarizer-0ld", model.name}), frozenset({"summarizer-0ld"}))


def made(fake: FakeKubernetes, plural: str, name: str, spec: Obj, **more: Any) -> None:
    metadata = {"name": name, **more.pop("metadata", {})}
    fake._create(plural, name, {"metadata": metadata, "spec": spec, **more})


def scales(target: str, **metadata: Any) -> Obj:
    return {"spec": {"scaleTargetRef": {"name": target}, "minReplicas": 2, "maxReplicas": 8}, "metadata": metadata}


def in_manifest(target: str) -> Obj:
    given = {"apiVersion": AUTOSCALER.api_version, "kind": AUTOSCALER.name}
    return {**given, **scales(target, name=target)}


def said(fake: FakeKubernetes, of: Subject) -> dict[str, str]:
    """Return what is said, by the topic and the object."""
    return {f"{one.topic}: {where}": one.says for one, where in look(fake.api(), of)[0]}


@pytest.mark.parametrize(
    ("of", "target"),
    [
        (subject(), "summarizer-predictor"),
        (subject(deployment(), way=mode.DEPLOYMENT), "summarizer"),
    ],
)
@pytest.mark.parametrize("kind", [AUTOSCALER, SCALED_OBJECT])
def test_an_autoscaler_that_names_one_deployment_scales_no_release(of: Subject, target: str, kind: Any) -> None:
    fake = FakeKubernetes()
    made(fake, kind.plural, "theirs", **scales(target))
    made(fake, kind.plural, "of-another-service", **scales("other"))
    made(fake, kind.plural, "kserves-own", **scales(target, ownerReferences=[{"kind": "InferenceService"}]))
    made(fake, kind.plural, "ours", **scales(target, labels={"mlgate.dev/service": "summarizer"}))
    assert said(fake, of) == {
        f"autoscaler-misses-release: {kind} theirs": f"it scales the Deployment {target}; the release is "
        f"{of.deployment}, which nothing scales"
    }


def test_a_release_with_an_autoscaler_of_its_own_is_scaled() -> None:
    fake = FakeKubernetes()
    made(fake, AUTOSCALER.plural, "theirs", **scales("summarizer"))
    assert said(fake, subject(deployment(), in_manifest("summarizer"), way=mode.DEPLOYMENT)) == {}
    assert list(said(fake, subject(deployment(), in_manifest("else"), way=mode.DEPLOYMENT))) == [
        f"autoscaler-misses-release: HorizontalPodAutoscaler {released(deployment(), in_manifest('else')).name}-else"
    ]


def test_two_autoscalers_of_the_same_pods_stop_the_deploy() -> None:
    service = inference_service()
    for name, expected in (("hpa", ["two-autoscalers"]), ("external", [])):
        service["metadata"]["annotations"] = {"serving.kserve.io/autoscalerClass": name}
        of = subject(service, in_manifest("summarizer-predictor"))
        found = look(FakeKubernetes().api(), of)[0]
        assert [one.topic for one, _ in found if one.is_error] == expected


@pytest.mark.parametrize(
    ("update", "topics"),
    [
        (None, {"vpa-evicts"}),
        ("Recreate", {"vpa-evicts"}),
        ("Initial", {"vpa-changes-pods"}),
        ("Off", set()),
    ],
)
def test_what_evicts_pods_in_mid_rollout_is_told(update: str | None, topics: set[str]) -> None:
    fake = FakeKubernetes()
    policy = {"updatePolicy": {"updateMode": update}} if update else {}
    made(fake, "verticalpodautoscalers", "theirs", {"targetRef": {"name": "summarizer-0ld-predictor"}, **policy})
    assert {key.partition(":")[0] for key in said(fake, subject())} == topics


def test_what_is_recommended_is_held_against_the_manifest() -> None:
    fake = FakeKubernetes()
    container = {
        "containerName": "kserve-container",
        "target": {"cpu": "25m", "memory": "629145600"},
        "upperBound": {"cpu": "50m", "memory": "1Gi"},
    }
    others = {"containerName": "istio-proxy", "target": {"memory": "10Gi"}}
    recommendation = {"recommendation": {"containerRecommendations": [others, container]}}
    spec = {"targetRef": {"name": "summarizer-0ld-predictor"}, "updatePolicy": {"updateMode": "Off"}}
    made(fake, "verticalpodautoscalers", "theirs", spec, status=recommendation)
    found = {one.topic: (one.says, one.hint) for one, _ in look(fake.api(), subject())[0]}
    assert found == {
        "limit-below-use": (
            "it recommends 600Mi of memory, by use; the manifest's limit is 256Mi",
            "write resources.limits.memory: 1024Mi",
        ),
        "request-above-use": (
            "the manifest asks for 100m of cpu; by use 50m is enough",
            "write resources.requests.cpu: 50m",
        ),
    }


def test_what_knows_one_inference_service_by_name_does_not_know_the_release() -> None:
    fake = FakeKubernetes()
    made(fake, "trainedmodels", "adapter", {"inferenceService": "summarizer", "model": {}})
    made(fake, "trainedmodels", "old", {"inferenceService": "summarizer-0ld", "model": {}})
    made(fake, "trainedmodels", "elsewhere", {"inferenceService": "other", "model": {}})
    steps = [{"serviceName": "translator"}, {"serviceName": "summarizer-0ld", "weight": 100}]
    made(fake, "inferencegraphs", "pipeline", {"nodes": {"root": {"routerType": "Sequence", "steps": steps}}})
    assert said(fake, subject()) == {
        "trained-model-stays: TrainedModel adapter": "it is loaded by the InferenceService summarizer alone, and a "
        "release is another one",
        "trained-model-stays: TrainedModel old": "it is loaded by the InferenceService summarizer-0ld alone, and a "
        "release is another one; KServe deletes it together with that one, after a promotion",
        "graph-asks-by-name: InferenceGraph pipeline": "it asks the InferenceService summarizer-0ld by name: past the "
        "rollout's shares; and that one is removed after the next promotion",
    }


def mesh() -> Obj:
    return {"kind": "InferenceService", **inference_service(), "status": {"deploymentMode": "ModelMesh"}}


def test_a_model_mesh_is_shown_and_never_taken_over() -> None:
    fake = FakeKubernetes()
    fake._create("inferenceservices", "summarizer", mesh())
    assert list(said(fake, subject())) == ["model-mesh: InferenceService summarizer"]
    with pytest.raises(ConfigError, match="the InferenceService summarizer is in ModelMesh mode"):
        adoption.adopted(fake.api(), "summarizer", mode.ROUTE, ["summarizer"], released(inference_service()))


def test_what_may_not_be_read_and_what_the_cluster_does_not_know_is_no_error() -> None:
    def answer(_method: str, path: str) -> httpx2.Response:
        return status(403, "Forbidden", "no") if "trainedmodels" in path else status(404, "NotFound", "no such kind")

    assert look(FakeKubernetes(before=answer).api(), subject()) == ((), ("TrainedModel",))
