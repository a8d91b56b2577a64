"""KServe's objects that know one InferenceService by name, where each release is another one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mlgate.adapters.kubernetes.beside.subject import Placed, Subject, placed
from mlgate.adapters.kubernetes.capabilities import MODEL_MESH, deployment_mode
from mlgate.adapters.kubernetes.kinds import INFERENCE_GRAPH, INFERENCE_SERVICE, TRAINED_MODEL
from mlgate.core.deploy import mode


def trained_models(of: Subject, found: Iterable[Mapping[str, Any]]) -> Iterator[Placed]:
    """Say which TrainedModels are loaded by an InferenceService of the service: a release is another one."""
    for one in found:
        host = str((one.get("spec") or {}).get("inferenceService") or "")
        if of.mode == mode.ROUTE and host in of.names:
            fate = "; KServe deletes it together with that one, after a promotion" if host in of.ending else ""
            says = f"it is loaded by the InferenceService {host} alone, and a release is another one{fate}"
            hint = "deploy it as an InferenceService of its own; or leave that one to it, under another service name"
            yield placed(TRAINED_MODEL, str(one["metadata"]["name"]), "trained-model-stays", says, hint)


def graphs(of: Subject, found: Iterable[Mapping[str, Any]]) -> Iterator[Placed]:
    """Say which InferenceGraphs ask an InferenceService of the service by name: past the route with the weights."""
    for one in found:
        for host in sorted(_asked(one) & of.names) if of.mode == mode.ROUTE else ():
            why = "is removed after the next promotion" if host in of.ending else "gets no new model by a rollout"
            says = f"it asks the InferenceService {host} by name: past the rollout's shares; and that one {why}"
            hint = "let its step ask the gateway: serviceUrl in place of serviceName"
            yield placed(INFERENCE_GRAPH, str(one["metadata"]["name"]), "graph-asks-by-name", says, hint)


def _asked(graph: Mapping[str, Any]) -> set[str]:
    nodes = ((graph.get("spec") or {}).get("nodes") or {}).values()
    return {str(step.get("serviceName")) for node in nodes for step in node.get("steps") or ()}


def model_mesh(of: Subject, found: Iterable[Mapping[str, Any]]) -> Iterator[Placed]:
    """Say which InferenceService of the service shares its pods with other models."""
    for one in found:
        name = str(one["metadata"]["name"])
        if name in of.names and deployment_mode(one) == MODEL_MESH:
            says = "it is in ModelMesh mode: its pods are other models' as well, so mlgate only shows it"
            yield placed(INFERENCE_SERVICE, name, "model-mesh", says, "deploy under another service name")
