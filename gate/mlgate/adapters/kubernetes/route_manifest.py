"""A release's objects as the modes `route` and `deployment` need them, and the Service in front of its pods."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from mlgate.adapters.kubernetes.capabilities import MODE_NOTE
from mlgate.adapters.kubernetes.http_route import Backend, Split
from mlgate.adapters.kubernetes.kinds import INFERENCE_SERVICE, SERVICE
from mlgate.adapters.kubernetes.manifest import kind_of, ports_before, workload
from mlgate.core.deploy.release import Deployed
from mlgate.core.deploy.rollout import ALL
from mlgate.core.errors import AdapterError

_VISIBILITY = "networking.kserve.io/visibility"


def prepared(documents: Sequence[Mapping[str, Any]], service: str) -> tuple[dict[str, Any], ...]:
    """Return a person's documents as this mode needs them: without a route of KServe's, with a Service in front.

    The model is called as the service by a runtime that takes a name, whatever the InferenceService is called.
    """
    found = [copy.deepcopy(dict(one)) for one in documents]
    runs = workload(found)
    if kind_of(runs) is INFERENCE_SERVICE:
        metadata: Any = runs["metadata"]
        metadata["labels"] = {**(metadata.get("labels") or {}), _VISIBILITY: "cluster-local"}
        metadata["annotations"] = {MODE_NOTE: "Standard", **(metadata.get("annotations") or {})}
        model = runs["spec"]["predictor"].get("model")
        if model is not None and not any("model_name" in str(one) for one in model.get("args") or ()):
            model["args"] = [*(model.get("args") or ()), f"--model_name={service}"]
    elif not any(kind_of(one) is SERVICE for one in found):
        metadata = {"name": runs["metadata"]["name"]}
        front = {"apiVersion": SERVICE.api_version, "kind": SERVICE.name, "metadata": metadata}
        found.append({**front, "spec": {"ports": ports_before(runs)}})
    return tuple(found)


def backend(deployed: Deployed) -> Backend:
    """Return the Service in front of a release's pods."""
    if kind_of(workload(deployed.manifest)) is INFERENCE_SERVICE:
        return Backend(deployed.name, f"{deployed.name}-predictor", 80)
    for document in deployed.manifest:
        if kind_of(document) is SERVICE:
            spec: Any = document["spec"]
            metadata: Any = document["metadata"]
            return Backend(deployed.name, str(metadata["name"]), int(spec["ports"][0]["port"]))
    raise AdapterError(f"the release {deployed.name} has no Service in front of its pods")


def split(candidate: Deployed, beside: Deployed | None, weight: int) -> Split:
    """Return who gets what when the candidate has *weight* percent beside a model that serves; None: it is alone."""
    shares = [(backend(candidate), weight)]
    return Split([(backend(beside), ALL - weight), *shares] if beside is not None else shares)
