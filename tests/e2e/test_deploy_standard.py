"""KServe's own `spec.canary`: v0.20 takes it, says that it is ready, and routes nothing: seen, and taken back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from tests.support.deploy_project import image
from tests.support.rollout_cluster import Place, place
from tests.support.waiting import until

from mlgate.adapters.kubernetes import manifest
from mlgate.adapters.kubernetes.kinds import INFERENCE_SERVICE, POD
from mlgate.adapters.kubernetes.lease import Lease
from mlgate.adapters.kubernetes.service_records import ConfigMapRecords
from mlgate.adapters.kubernetes.standard import StandardServing
from mlgate.adapters.process.signals import SignalStop
from mlgate.core.deploy.release import Deployed, Release, ServiceRecord
from mlgate.core.deploy.rollout import Phase, Plan
from mlgate.flow.deploy import rollout as flow
from mlgate.flow.deploy.rollout import RolloutTools
from mlgate.flow.deploy.step_judge import RolloutJudge

pytestmark = pytest.mark.needs_cluster

STANDARD = {"serving.kserve.io/deploymentMode": "Standard", "serving.kserve.io/autoscalerClass": "none"}


def stored(version: str) -> Deployed:
    """Return a release whose model KServe loads by itself: of an image alone KServe takes no canary."""
    model = {"modelFormat": {"name": "test"}, "storageUri": f"s3://models/summarizer/{version}"}
    document: dict[str, Any] = {
        "apiVersion": INFERENCE_SERVICE.api_version,
        "kind": INFERENCE_SERVICE.name,
        "metadata": {"name": "summarizer", "annotations": STANDARD},
        "spec": {"predictor": {"minReplicas": 2, "model": model}},
    }
    return manifest.released("summarizer", Release(), [document], keeps_names=True)


class Silent:
    def show(self, *_: object) -> None:
        """Say nothing."""


def rolled_out(found: Place, candidate: Deployed) -> ServiceRecord:
    with SignalStop() as stop, Lease(found.api, "summarizer", "test#1") as lock:
        tools = RolloutTools(
            lambda record: StandardServing(found.api, "summarizer", record),
            ConfigMapRecords(found.api, "summarizer", lock.confirm),
            RolloutJudge(),
            stop,
            Silent(),
            time.time,
        )
        plan = Plan((10, 100), 0.5, 60.0, time.time() + 300)
        record = flow.deploy(tools, candidate, plan, mode="standard", owner="test#1")
    assert record is not None
    return record


def predictor(found: Place) -> dict[str, Any]:
    service = found.api.get(INFERENCE_SERVICE, "summarizer")
    assert service is not None
    spec: dict[str, Any] = service["spec"]
    return spec


def test_a_canary_that_kserve_takes_and_does_not_route_is_taken_back(tmp_path: Path) -> None:
    with place("standard", tmp_path) as found:
        first = rolled_out(found, stored("v1"))
        assert first.rollout is not None
        assert first.rollout.state.phase is Phase.PROMOTED
        second = rolled_out(found, stored("v2"))
        assert second.rollout is not None
        assert second.rollout.state.phase is Phase.RESTORED
        assert "routes nothing to it" in second.rollout.state.why
        assert second.accepted == first.accepted
        spec = predictor(found)
        assert "canary" not in spec
        assert spec["predictor"]["minReplicas"] == 2
        until(lambda: len(found.api.list(POD, {})) == 2)


def test_an_image_alone_has_no_canary_of_kserves_and_the_stable_one_stays(tmp_path: Path) -> None:
    with place("standard", tmp_path) as found:
        found.deployed(image("1"))
        before = predictor(found)
        found.manifest(MODEL_VERSION="two")
        found.project.judged(image("2"))
        code, said = found.run("deploy")
        assert code == 4, said
        assert "KServe takes no canary of this manifest: canary requires a stable predictor with a model" in said
        assert "write mode: route" in said
        assert predictor(found) == before
