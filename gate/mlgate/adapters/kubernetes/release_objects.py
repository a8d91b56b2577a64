"""The objects of one release on the cluster: made, looked at, and taken away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlgate.adapters.kubernetes import health
from mlgate.adapters.kubernetes.api import Api, Obj
from mlgate.adapters.kubernetes.health import Condition
from mlgate.adapters.kubernetes.kinds import DEPLOYMENT, INFERENCE_SERVICE, POD
from mlgate.adapters.kubernetes.manifest import RELEASE_LABEL, kind_of, workload
from mlgate.core.deploy.release import Deployed

_KSERVE_LABEL = "serving.kserve.io/inferenceservice"
_PREDICTOR = "-predictor"


class ReleaseObjects:
    """One of the two models of a rollout."""

    def __init__(self, api: Api, deployed: Deployed) -> None:
        self._api = api
        self.deployed = deployed
        self._workload = workload(deployed.manifest)
        self._kind = kind_of(self._workload)
        self._name = str(self._workload["metadata"]["name"])

    def condition(self) -> Condition:
        """Return how the model is now."""
        if self._kind is INFERENCE_SERVICE:
            service = self._api.get(INFERENCE_SERVICE, self._name)
            if service is None:
                return health.ABSENT
            deployment = self._api.get(DEPLOYMENT, f"{self._name}{_PREDICTOR}")
            return health.of_inference_service(service, deployment, self._pods())
        deployment = self._api.get(DEPLOYMENT, self._name)
        return health.of_deployment(deployment, self._pods() if deployment else ())

    def pods(self) -> tuple[Obj, ...]:
        """Return the pods that run it."""
        return self._pods()

    def workload(self) -> Obj | None:
        """Return the object that runs the model, as it is; None when it is not there."""
        return self._there(self._workload)

    def make_missing(self, replicas: int | None = None) -> None:
        """Make what is not there, a Deployment with *replicas* pods where they are given.

        Raises Denied when the cluster refuses it, AdapterError when it does not answer.
        """
        for document in self.deployed.manifest:
            if self._there(document) is None:
                made = _bare(document)
                if replicas is not None and document is self._workload:
                    made["spec"] = {**made["spec"], "replicas": replicas}
                self._api.apply(kind_of(document), made)

    def scale(self, replicas: int) -> None:
        """Give a Deployment so many pods. Holds for the one that is there now."""
        there = self.workload()
        if there is not None and there["spec"].get("replicas") != replicas:
            self._api.replace(self._kind, {**there, "spec": {**there["spec"], "replicas": replicas}})

    def remove(self) -> None:
        """Delete what is there; the workload last, so that what is left half-way is found by it."""
        documents = sorted(self.deployed.manifest, key=lambda one: one is self._workload)
        for document in documents:
            there = self._there(document)
            if there is not None and "deletionTimestamp" not in there["metadata"]:
                self._api.delete(kind_of(document), there)

    @property
    def is_gone(self) -> bool:
        """Whether nothing of it is there any more, its pods included."""
        return all(self._there(document) is None for document in self.deployed.manifest) and not self._pods()

    def _there(self, document: Mapping[str, Any]) -> Obj | None:
        return self._api.get(kind_of(document), str(document["metadata"]["name"]))

    def _pods(self) -> tuple[Obj, ...]:
        if self.deployed.is_adopted and self._kind is INFERENCE_SERVICE:
            return self._api.list(POD, {_KSERVE_LABEL: self._name})
        if self.deployed.is_adopted:
            return self._api.list(POD, self._workload["spec"]["selector"]["matchLabels"])
        return self._api.list(POD, {RELEASE_LABEL: self.deployed.name})


def _bare(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in ("apiVersion", "kind", "status")}
