"""What a cluster can do: found by asking it, not by its version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlgate.adapters.kubernetes.api import Api
from mlgate.core.errors import GateError

MODE_NOTE = "serving.kserve.io/deploymentMode"
"""The annotation by which an InferenceService names KServe's deployment mode."""
MODEL_MESH = "ModelMesh"
"""The deployment mode in which many models share pods."""
_KSERVE_CONFIG = "/api/v1/namespaces/kserve/configmaps/inferenceservice-config"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Which APIs are served, and how KServe is set up."""

    kserve: bool
    gateway_api: bool
    knative: bool
    default_mode: str
    """KServe's deployment mode where an InferenceService names none; empty: its ConfigMap may not be read."""

    @classmethod
    def of(cls, api: Api) -> Capabilities:
        """Ask the cluster."""
        return cls(
            kserve=_is_served(api, "serving.kserve.io/v1beta1"),
            gateway_api=_is_served(api, "gateway.networking.k8s.io/v1"),
            knative=_is_served(api, "serving.knative.dev/v1"),
            default_mode=_default_mode(api),
        )


def _is_served(api: Api, group: str) -> bool:
    return api.fetch(f"/apis/{group}") is not None


def _default_mode(api: Api) -> str:
    try:
        found = api.fetch(_KSERVE_CONFIG)
        deploy = json.loads((found or {}).get("data", {}).get("deploy", "{}"))
        return normal_mode(str(deploy.get("defaultDeploymentMode", "")))
    except (GateError, ValueError, AttributeError):
        return ""


def kserve_mode(document: Mapping[str, Any]) -> str:
    """Return the deployment mode that an object names; empty where it names none."""
    notes = (document.get("metadata") or {}).get("annotations") or {}
    return normal_mode(str(notes.get(MODE_NOTE, "")))


def deployment_mode(there: Mapping[str, Any]) -> str:
    """Return the deployment mode of an InferenceService on the cluster, as KServe says it, else as it asks for."""
    return normal_mode(str((there.get("status") or {}).get("deploymentMode") or "")) or kserve_mode(there)


def normal_mode(mode: str) -> str:
    """Return today's name of a deployment mode of KServe's."""
    return {"RawDeployment": "Standard", "Serverless": "Knative"}.get(mode, mode)
