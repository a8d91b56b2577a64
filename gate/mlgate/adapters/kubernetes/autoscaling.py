"""How few pods an autoscaler may leave a model: what its manifest says, and more while a rollout is under way. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlgate.adapters.kubernetes.api import Obj
from mlgate.adapters.kubernetes.kinds import AUTOSCALER, INFERENCE_SERVICE, SCALED_OBJECT
from mlgate.adapters.kubernetes.manifest import kind_of

CLASS_NOTE = "serving.kserve.io/autoscalerClass"
"""The annotation by which an InferenceService names what scales it."""
_BY_KSERVE = ("hpa", "keda")
"""The classes for which KServe makes the autoscaler itself, and keeps it at the InferenceService's own numbers."""
_KEDA_MOST = 100
"""How many pods a ScaledObject gives at most that does not say it."""


@dataclass(frozen=True, slots=True)
class PodRange:
    """The numbers of pods between which an autoscaler goes, by one document of a manifest."""

    steps: tuple[str, ...]
    """The way to the least number in the document."""
    least: int
    most: int

    def raised(self, replicas: int) -> int:
        """Return the least number to write so that there are *replicas* pods, as far as the most one allows it."""
        return max(self.least, min(replicas, self.most))

    def least_of(self, there: Obj) -> int:
        """Return the least number of the object on the cluster."""
        found: Any = there
        for step in self.steps:
            found = (found or {}).get(step)
        return found if isinstance(found, int) else self.least

    def with_least(self, there: Obj, least: int) -> dict[str, Any]:
        """Return the object with that least number."""
        return _with(there, self.steps, least)


def pod_range(document: Mapping[str, Any]) -> PodRange | None:
    """Return between which numbers of pods a document lets an autoscaler go; None: it is about none."""
    kind, spec = kind_of(document), document.get("spec") or {}
    if kind is AUTOSCALER:
        return _range(("spec", "minReplicas"), spec.get("minReplicas"), 1, spec.get("maxReplicas"))
    if kind is SCALED_OBJECT:
        most = spec.get("maxReplicaCount", _KEDA_MOST)
        return _range(("spec", "minReplicaCount"), spec.get("minReplicaCount"), 0, most)
    if kind is INFERENCE_SERVICE and scaled_by(document) in _BY_KSERVE:
        predictor = spec["predictor"]
        steps = ("spec", "predictor", "minReplicas")
        return _range(steps, predictor.get("minReplicas"), 1, predictor.get("maxReplicas"))
    return None


def scaled_by(service: Mapping[str, Any]) -> str:
    """Return the autoscaler's class of an InferenceService in Standard mode: KServe's default is `hpa`."""
    notes = (service.get("metadata") or {}).get("annotations") or {}
    return str(notes.get(CLASS_NOTE) or "hpa")


def _range(steps: tuple[str, ...], least: object, default: int, most: object) -> PodRange:
    """Return the range; one without a most number, or with less than the least, has no room: KServe reads it so."""
    fewest = least if isinstance(least, int) else default
    return PodRange(steps, fewest, max(fewest, most if isinstance(most, int) else 0))


def _with(there: Mapping[str, Any], steps: tuple[str, ...], value: int) -> dict[str, Any]:
    head, *rest = steps
    inner = there.get(head) or {}
    return {**there, head: _with(inner, tuple(rest), value) if rest else value}
