"""The objects of one release on the cluster: looked at, made, and taken away.

What is changed or deleted is the very object that was looked at last. A process that stalls after its look, and wakes
when another one has made objects of the same name, leaves those alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mlgate.adapters.kubernetes import health
from mlgate.adapters.kubernetes.api import Api, Obj
from mlgate.adapters.kubernetes.autoscaling import PodRange, pod_range
from mlgate.adapters.kubernetes.health import Condition
from mlgate.adapters.kubernetes.kinds import DEPLOYMENT, INFERENCE_SERVICE, POD, Kind
from mlgate.adapters.kubernetes.manifest import RELEASE_LABEL, kind_of, model_container, workload
from mlgate.core.deploy.release import Deployed
from mlgate.core.deploy.rollout import Health

_KSERVE_LABEL = "serving.kserve.io/inferenceservice"
_PREDICTOR = "-predictor"


class ReleaseObjects:
    """One of the two models of a rollout. `look` comes before everything else."""

    def __init__(self, api: Api, deployed: Deployed) -> None:
        self._api = api
        self.deployed = deployed
        self._workload = workload(deployed.manifest)
        self._kind = kind_of(self._workload)
        self._name = str(self._workload["metadata"]["name"])
        self._there: dict[tuple[Kind, str], Obj] = {}
        self._pods: tuple[Obj, ...] = ()
        self._deployment: Obj | None = None
        ranges = {_key(one): pod_range(one) for one in deployed.manifest} if not deployed.is_adopted else {}
        self._ranges: dict[tuple[Kind, str], PodRange] = {key: one for key, one in ranges.items() if one is not None}
        """Of what scales it; nothing of a model that somebody else made: its objects stay as they are."""

    def look(self) -> Condition:
        """Read its objects and pods; return how the model is."""
        found = {key: self._api.get(*key) for key in map(_key, self.deployed.manifest)}
        self._there = {key: one for key, one in found.items() if one is not None}
        self._pods = pods(self._api, self.deployed)
        if self._kind is not INFERENCE_SERVICE:
            self._deployment = self.workload
            found_health = health.of_deployment(self.workload, self._pods)
        else:
            self._deployment = self._api.get(DEPLOYMENT, f"{self._name}{_PREDICTOR}") if self.workload else None
            found_health = health.of_inference_service(self.workload, self._deployment, self._pods)
        edited = edited_image(self._workload, self.workload)
        return replace(found_health, health=Health.BROKEN, why=edited) if edited else found_health

    @property
    def workload(self) -> Obj | None:
        """Return the object that runs the model, as it was seen; None when it was not there."""
        return self._there.get(_key(self._workload))

    @property
    def is_gone(self) -> bool:
        """Whether nothing of it was seen, its pods included."""
        return not self._there and not self._pods

    @property
    def replicas(self) -> int:
        """Return how many pods its Deployment was seen to ask for, by whoever scales it; 0 without a Deployment."""
        return int(self._deployment["spec"].get("replicas", 1)) if self._deployment else 0

    @property
    def is_small(self) -> str:
        """Return why it is not as large yet as its autoscaler has to make it; empty when it is."""
        least = max((one.least_of(self._there[key]) for key, one in self._scaled()), default=0)
        short = f"its autoscaler has given it {self.replicas} pods so far, and {least} is the least"
        return short if self.replicas < least else ""

    @property
    def is_given_back(self) -> bool:
        """Whether its autoscaler may leave it as few pods as its manifest says."""
        return all(one.least_of(self._there[key]) == one.least for key, one in self._scaled())

    def hold(self, replicas: int) -> None:
        """Let its autoscaler not leave it fewer than *replicas* pods, nor fewer than it was held at before."""
        for key, one in self._scaled():
            least = one.least_of(self._there[key])
            self._write_least(key, max(least, one.raised(replicas)))

    def give_back(self) -> None:
        """Let its autoscaler leave it as few pods as its manifest says."""
        for key, one in self._scaled():
            self._write_least(key, one.least)

    def _scaled(self) -> list[tuple[tuple[Kind, str], PodRange]]:
        """Return what scales it, as far as it was seen."""
        return [(key, one) for key, one in self._ranges.items() if key in self._there]

    def _write_least(self, key: tuple[Kind, str], least: int) -> None:
        there = self._there[key]
        if self._ranges[key].least_of(there) != least and "deletionTimestamp" not in there["metadata"]:
            self._there[key] = self._api.replace(key[0], self._ranges[key].with_least(there, least))

    def make_missing(self, replicas: int | None = None, least: int = 0) -> None:
        """Make what was not seen, a Deployment with *replicas* pods where they are given.

        *least*: so many pods it begins with where an autoscaler goes on, as if it had been held at them. Raises Denied
        when the cluster refuses it, AdapterError when it does not answer or has it by now.
        """
        for document in self.deployed.manifest:
            if _key(document) not in self._there:
                made = bare_object(document)
                scaled = self._ranges.get(_key(document))
                if scaled is not None:
                    made = scaled.with_least(made, scaled.raised(least))
                if replicas is not None and document is self._workload:
                    made["spec"] = {**made["spec"], "replicas": replicas}
                self._api.create(kind_of(document), made)

    def scale(self, replicas: int) -> None:
        """Give the Deployment that was seen so many pods."""
        there = self.workload
        if there is not None and there["spec"].get("replicas") != replicas:
            self._api.replace(self._kind, {**there, "spec": {**there["spec"], "replicas": replicas}})

    def remove(self) -> None:
        """Delete what was seen; the workload last, so that what is left half-way is found by it."""
        for key in sorted(self._there, key=lambda key: key == _key(self._workload)):
            there = self._there[key]
            if "deletionTimestamp" not in there["metadata"]:
                self._api.delete(key[0], there)


def edited_image(wanted: Mapping[str, Any], there: Obj | None) -> str:
    """Return why what runs is not what was judged: another image; empty when it is, and where nothing runs."""
    ours = model_container(wanted)
    if there is None or ours is None:
        return ""
    image = (model_container({**there, "apiVersion": wanted["apiVersion"], "kind": wanted["kind"]}) or {}).get("image")
    return (
        ""
        if image == ours.get("image")
        else f"somebody changed it: it runs {image}, and {ours.get('image')} was judged"
    )


def pods(api: Api, deployed: Deployed) -> tuple[Obj, ...]:
    """Return the pods of a release; of one that somebody else made, by the labels that it selects them by."""
    runs = workload(deployed.manifest)
    if not deployed.is_adopted:
        return api.list(POD, {RELEASE_LABEL: deployed.name})
    if kind_of(runs) is INFERENCE_SERVICE:
        return api.list(POD, {_KSERVE_LABEL: str(runs["metadata"]["name"])})
    return api.list(POD, runs["spec"]["selector"]["matchLabels"])


def _key(document: Mapping[str, Any]) -> tuple[Kind, str]:
    return kind_of(document), str(document["metadata"]["name"])


def bare_object(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document as it is sent: what its kind is stands in the address."""
    return {key: value for key, value in document.items() if key not in ("apiVersion", "kind", "status")}
