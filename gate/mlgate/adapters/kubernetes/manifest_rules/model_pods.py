"""The part of a manifest that describes the model's pods, with the place of each entry. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlgate.adapters.kubernetes.capabilities import kserve_mode
from mlgate.adapters.kubernetes.kinds import DEPLOYMENT
from mlgate.adapters.kubernetes.manifest import kind_of, model_container
from mlgate.core.deploy.advice import Advice, Fix, Measured, Steps


@dataclass(frozen=True, slots=True)
class ModelPods:
    """The part of a manifest that describes the pods, and where it is written."""

    document: Mapping[str, Any]
    index: int
    """Of the document in the manifest."""
    pod: Mapping[str, Any]
    """The pod's specification."""
    pod_steps: Steps
    container: Mapping[str, Any]
    """The model's container; of an InferenceService with `model`, that."""
    container_steps: Steps
    measured: Measured
    steps_of_rollout: tuple[int, ...]
    service: str
    """What its releases belong to: their pods bear its name as a label."""

    @property
    def is_inference_service(self) -> bool:
        """Whether KServe makes the pods."""
        return kind_of(self.document) is not DEPLOYMENT

    @property
    def is_knative(self) -> bool:
        """Whether the manifest says that KServe runs it by Knative."""
        return kserve_mode(self.document) == "Knative"

    @property
    def replicas(self) -> int:
        """Return how many pods there are at least."""
        spec = self.document["spec"]
        found = spec["predictor"].get("minReplicas") if self.is_inference_service else spec.get("replicas")
        return found if isinstance(found, int) else 1

    def error(self, topic: str, says: str, hint: str, steps: Steps, *fixes: Fix) -> Advice:
        """Return something that stops the deploy."""
        return Advice(topic, is_error=True, says=says, hint=hint, steps=steps, document=self.index, fixes=fixes)

    def warning(self, topic: str, says: str, hint: str, steps: Steps, *fixes: Fix) -> Advice:
        """Return something that is said."""
        return Advice(topic, is_error=False, says=says, hint=hint, steps=steps, document=self.index, fixes=fixes)


def model_pods(
    documents: Sequence[Mapping[str, Any]], index: int, measured: Measured, steps: tuple[int, ...], service: str
) -> ModelPods:
    """Return the pods of the workload *index* of a manifest. *measured*: by the gate; *steps*: of the rollout."""
    document = documents[index]
    if kind_of(document) is DEPLOYMENT:
        pod_steps: Steps = ("spec", "template", "spec")
        pod = document["spec"]["template"]["spec"]
    else:
        pod_steps, pod = ("spec", "predictor"), document["spec"]["predictor"]
    container = model_container(document)
    if container is not None and container in (pod.get("containers") or ()):
        place: Steps = (*pod_steps, "containers", pod["containers"].index(container))
    else:
        container, place = pod.get("model") or {}, (*pod_steps, "model")
    return ModelPods(document, index, pod, pod_steps, container, place, measured, steps, service)
