"""Autoscalers that name one Deployment, where each release is a Deployment of its own name. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mlgate.adapters.kubernetes.autoscaling import CLASS_NOTE, pod_range, scaled_by
from mlgate.adapters.kubernetes.beside.subject import Placed, Subject, placed, somebodys
from mlgate.adapters.kubernetes.kinds import AUTOSCALER, SCALED_OBJECT, Kind
from mlgate.adapters.kubernetes.manifest import SERVICE_LABEL, kind_of
from mlgate.core.deploy import mode


def on_cluster(of: Subject, kind: Kind, found: Iterable[Mapping[str, Any]]) -> Iterator[Placed]:
    """Say which autoscalers of *kind* will not scale the model. One on the model before is right, beside its own."""
    ranges = [one for one in map(pod_range, of.model.manifest) if one is not None]
    if of.mode in mode.ONE_OBJECT or any(one.most > one.least for one in ranges):
        return
    for one in somebodys(found, SERVICE_LABEL):
        target = _target(one)
        if target not in of.deployments:
            continue
        name = str(one["metadata"]["name"])
        if of.mode == mode.REPLICAS:
            says = f"it scales the Deployment {target}: in mode replicas the number of pods is the share of the traffic"
            yield placed(
                kind, name, "autoscaler-shares", says, "delete it; or put a gateway in front: mode: deployment"
            )
        elif target != of.deployment:
            says = f"it scales the Deployment {target}; the release is {of.deployment}, which nothing scales"
            yield placed(kind, name, "autoscaler-misses-release", says, _HINTS[of.is_inference_service])


_HINTS = {
    True: "write minReplicas and maxReplicas into the InferenceService; or this object into the manifest, with the "
    f"annotation {CLASS_NOTE}: external",
    False: "write it into the manifest, beside the Deployment: each release gets its own",
}


def in_manifest(of: Subject) -> Iterator[Placed]:
    """Say which autoscalers of the manifest do not scale its model, or are the second one to do it."""
    for one in of.model.manifest:
        kind = kind_of(one)
        if kind not in (AUTOSCALER, SCALED_OBJECT):
            continue
        name, target = str(one["metadata"]["name"]), _target(one)
        if target != of.deployment:
            says = f"it scales {target or 'nothing'}, and the release's Deployment is {of.deployment}"
            hint = f"scaleTargetRef: {{kind: Deployment, name: NAME{'-predictor' if of.is_inference_service else ''}}}"
            yield placed(kind, name, "autoscaler-misses-release", says, f"{hint}, where NAME is that in the manifest")
        elif of.is_inference_service and scaled_by(of.runs) != "external":
            says = f"KServe scales the same pods by itself (class {scaled_by(of.runs)})"
            hint = f"annotate the InferenceService: {CLASS_NOTE}: external"
            yield placed(kind, name, "two-autoscalers", says, hint, is_error=True)


def _target(autoscaler: Mapping[str, Any]) -> str:
    return str(((autoscaler.get("spec") or {}).get("scaleTargetRef") or {}).get("name") or "")
