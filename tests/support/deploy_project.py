"""A project that was judged, ready to be deployed: mlgate.yaml, a manifest, and the files of a run that passed."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from tests.support import samples

from mlgate.adapters.files import evidence_file
from mlgate.adapters.files.run_folder import RunFolder
from mlgate.core.check import START
from mlgate.core.evidence import Environment, Evidence, Observation
from mlgate.core.report import LoadSummary, Report
from mlgate.reports.json_v1 import document

_GIVEN = os.environ.get("MLGATE_TEST_IMAGES", "").split()
"""Images of the model server, for a cluster that runs images: as many as there are digits, in their order."""
REPOSITORY = _GIVEN[0].partition("@")[0] if _GIVEN else "registry.example.com/acme/modelserver"
SERVED = "summarizer"
_LOAD = LoadSummary("speed", "open loop", 1, 0, 1, 1, 0, 0, 1, 1, 0.0, 0.0, 0.0, (), (), ())


def image(digit: str) -> str:
    """Return an image by its digest; another *digit*, another model."""
    return _GIVEN[int(digit) - 1] if _GIVEN else f"{REPOSITORY}@sha256:{digit * 64}"


def inference_service(**changed: Any) -> dict[str, Any]:
    """Return a sound manifest; *changed*: variables of the model server."""
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": SERVED, "annotations": {"serving.kserve.io/autoscalerClass": "none"}},
        "spec": {"predictor": {"minReplicas": 2, **_spread(), "containers": [_container(changed)]}},
    }


def deployment(replicas: int = 2, **changed: Any) -> dict[str, Any]:
    """Return the same model without KServe."""
    container = {**_container(changed), "name": "model"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": SERVED},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": SERVED}},
            "template": {
                "metadata": {"labels": {"app": SERVED}},
                "spec": {**_spread(), "containers": [container]},
            },
        },
    }


def _spread() -> dict[str, Any]:
    constraint = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {"mlgate.dev/service": SERVED}},
    }
    return {"topologySpreadConstraints": [constraint]}


def _container(changed: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "kserve-container",
        "image": f"{REPOSITORY}:main",
        "env": [{"name": name, "value": str(value)} for name, value in changed.items()],
        "ports": [{"containerPort": 8080, "protocol": "TCP"}],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "1", "memory": "256Mi"}},
        "readinessProbe": {"httpGet": {"path": f"/v2/models/{SERVED}/ready", "port": 8080}, "periodSeconds": 1},
    }


class DeployProject:
    """One folder."""

    def __init__(self, folder: Path, service: str, namespace: str, **deploy: Any) -> None:
        self.folder, self.service, self.namespace = folder, service, namespace
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "data.jsonl").write_text('{"id": "1", "input": "a", "reference": "a"}\n')
        section = {
            "service": service,
            "namespace": namespace,
            "manifest": "manifest.yaml",
            "steps": [10, 50, 100],
            "hold": "1s",
            "patience": "20s",
            "deadline": "5m",
            **deploy,
        }
        self.config = folder / "mlgate.yaml"
        self.config.write_text(
            yaml.safe_dump(
                {
                    "version": 1,
                    "model": {"name": SERVED, "image": {"ref": f"{REPOSITORY}:main", "protocol": "kserve-v2"}},
                    "checks": {
                        "speed": {
                            "kind": "latency",
                            "data": "data.jsonl",
                            "load": {"rate": 5, "duration": "20s"},
                            "rules": {"p50_ms": {"max": 900}},
                        }
                    },
                    "deploy": section,
                }
            )
        )
        self.manifest(inference_service())

    def changed(self, **deploy: Any) -> None:
        """Change keys of `deploy`."""
        written = yaml.safe_load(self.config.read_text())
        written["deploy"] |= deploy
        self.config.write_text(yaml.safe_dump(written))

    def manifest(self, *documents: dict[str, Any]) -> None:
        """Write what is to be deployed."""
        (self.folder / "manifest.yaml").write_text(yaml.safe_dump_all(documents, sort_keys=False))

    def judged(
        self, named: str, *, memory_mb: float = 100.0, load_s: float = 0.5, report: Report | None = None, at: str = ""
    ) -> None:
        """Leave the files of a run that passed, or of another *report*, about the image *named*, judged *at* or now."""
        rows = [
            Observation("speed", START, {"load_s": load_s}),
            Observation("speed", "r1", {"fact.server_memory_mb": memory_mb}),
        ]
        whole = report or samples.passing()
        if report is None:
            digest = hashlib.sha256(named.encode()).hexdigest()
            whole = replace(whole, provenance=replace(whole.provenance, model=digest))
        evidence = Evidence.of(whole.provenance, [Environment("3.11", "Linux", "cpu")], rows)
        folder = RunFolder(self.folder / ".mlgate")
        with folder.held():
            evidence_file.write(folder.own("evidence.jsonl.gz"), evidence)
            load = replace(_LOAD, facts=(("image.repo_digest", named),))
            text = document.render(replace(whole, evidence=evidence.digest, loads=(load,)))
            folder.write("report.json", text)
            now = at or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            outcome, digest = whole.outcome, hashlib.sha256(text.encode()).hexdigest()
            folder.conclude(outcome.name.lower(), outcome.exit_code, whole.reason, digest, now)
