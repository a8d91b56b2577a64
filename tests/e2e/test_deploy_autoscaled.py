"""Beside a real autoscaler: a candidate is as large as what serves while it is judged, and no pod restarts for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.deploy_project import deployment, image, inference_service
from tests.support.rollout_cluster import Place, await_text, ended, place
from tests.support.waiting import until

from mlgate.adapters.kubernetes.kinds import (
    AUTOSCALER,
    DEPLOYMENT,
    INFERENCE_GRAPH,
    INFERENCE_SERVICE,
    POD,
    TRAINED_MODEL,
    Kind,
)
from mlgate.adapters.kubernetes.manifest import RELEASE_LABEL

pytestmark = pytest.mark.needs_cluster

REPLICA_SETS = Kind("apps", "v1", "ReplicaSet", "replicasets")
LEAST, NOW, MOST = 1, 2, 3


def written(found: Place, version: str) -> None:
    """Write a manifest that is scaled: by KServe itself, or by an autoscaler beside it."""
    if found.mode == "route":
        made = inference_service(MODEL_VERSION=version)
        made["metadata"]["annotations"] = {"serving.kserve.io/autoscalerClass": "hpa"}
        made["spec"]["predictor"] |= {"minReplicas": LEAST, "maxReplicas": MOST}
        found.project.manifest(made)
        return
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "summarizer"}
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
    spec = {
        "scaleTargetRef": target,
        "minReplicas": LEAST,
        "maxReplicas": MOST,
        "metrics": [{"type": "Resource", "resource": cpu}],
    }
    beside = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "summarizer"}}
    found.project.manifest(deployment(LEAST, MODEL_VERSION=version), {**beside, "spec": spec})


def runs(found: Place, version: str) -> dict[str, Any]:
    """Return the Deployment of a version."""
    for one in found.api.list(DEPLOYMENT, {}):
        env = one["spec"]["template"]["spec"]["containers"][0]["env"]
        if {"name": "MODEL_VERSION", "value": version} in env:
            return dict(one)
    raise AssertionError(f"nothing runs {version}")


@pytest.mark.parametrize("mode", ["route", "deployment"])
def test_a_candidate_is_as_large_as_what_serves_and_shrinks_only_after_it(mode: str, tmp_path: Path) -> None:
    with place(mode, tmp_path) as found:
        found.project.changed(hold="4s")
        written(found, "one")
        found.project.judged(image("1"))
        code, said = found.run("deploy")
        assert code == 0, said
        old = runs(found, "one")
        found.api.replace(DEPLOYMENT, {**old, "spec": {**old["spec"], "replicas": NOW}})  # as its autoscaler would
        until(lambda: runs(found, "one")["status"].get("availableReplicas") == NOW)
        written(found, "two")
        found.project.judged(image("2"))
        process = found.start("deploy")
        await_text(process, found.first_step)
        assert runs(found, "two")["status"]["availableReplicas"] == NOW
        release = runs(found, "two")["spec"]["template"]["metadata"]["labels"][RELEASE_LABEL]
        before = {one["metadata"]["uid"] for one in found.api.list(POD, {RELEASE_LABEL: release})}
        assert _least(found) == [NOW, NOW]
        assert ended(process)[0] == 0
        until(lambda: _least(found) == [LEAST])
        after = {one["metadata"]["uid"] for one in found.api.list(POD, {RELEASE_LABEL: release})}
        assert after <= before
        assert len(found.api.list(REPLICA_SETS, {RELEASE_LABEL: release})) == 1


def test_what_is_beside_the_service_is_told_with_the_next_step(tmp_path: Path) -> None:
    with place("route", tmp_path) as found:
        theirs = inference_service()
        found.api.create(INFERENCE_SERVICE, {key: theirs[key] for key in ("metadata", "spec")})
        node = {"routerType": "Sequence", "steps": [{"serviceName": "summarizer"}]}
        found.api.create(INFERENCE_GRAPH, {"metadata": {"name": "pipeline"}, "spec": {"nodes": {"root": node}}})
        loaded = {"storageUri": "s3://models/adapter", "framework": "sklearn", "memory": "1Gi"}
        spec = {"inferenceService": "summarizer", "model": loaded}
        found.api.create(TRAINED_MODEL, {"metadata": {"name": "adapter"}, "spec": spec})
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "summarizer-predictor"}
        scales = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 8}
        found.api.create(AUTOSCALER, {"metadata": {"name": "theirs"}, "spec": scales})
        found.project.judged(image("1"))
        code, said = found.run("deploy", "--dry-run")
        assert code == 0, said
        for topic in ("autoscaler-misses-release", "graph-asks-by-name", "trained-model-stays"):
            assert topic in said
        assert "not looked at" not in said  # a kind that the cluster does not know has no objects


def _least(found: Place) -> list[int]:
    """Return the least number of pods that each autoscaler leaves."""
    return [one["spec"]["minReplicas"] for one in found.api.list(AUTOSCALER, {})]
