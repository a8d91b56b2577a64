"""One of the two models of a rollout that somebody else moves: by its kind and name, and how it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mlgate.adapters.kubernetes import health
from mlgate.adapters.kubernetes.api import Api, Obj
from mlgate.adapters.kubernetes.health import Condition
from mlgate.adapters.kubernetes.kinds import DEPLOYMENT, INFERENCE_SERVICE, POD, REPLICA_SET, Kind
from mlgate.adapters.kubernetes.manifest import kind_of, workload
from mlgate.core.deploy.release import Deployed, Release
from mlgate.core.errors import ConfigError

_KINDS = {kind.name.lower(): kind for kind in (DEPLOYMENT, INFERENCE_SERVICE, REPLICA_SET)}


@dataclass(frozen=True, slots=True)
class Workload:
    """What runs one model."""

    kind: Kind
    name: str

    @classmethod
    def parse(cls, text: str, usual: Callable[[], Kind]) -> Workload:
        """Return what `KIND/NAME` or `NAME` names; *usual* is asked for the kind where none is said.

        Raises ConfigError.
        """
        said, slash, name = text.rpartition("/")
        kind = _KINDS.get(said.lower()) if slash else usual()
        if kind is None or not name:
            raise ConfigError(f"{text!r} names no model", hint=f"e.g. {' or '.join(f'{one}/NAME' for one in _KINDS)}")
        return cls(kind, name)

    @classmethod
    def of(cls, deployed: Deployed) -> Workload:
        """Return what runs a release."""
        runs: Any = workload(deployed.manifest)
        return cls(kind_of(runs), str(runs["metadata"]["name"]))

    @property
    def deployed(self) -> Deployed:
        """Return it as one of the two models of a record, of which nothing but the name is known."""
        bare = {"apiVersion": self.kind.api_version, "kind": self.kind.name, "metadata": {"name": self.name}}
        return Deployed(Release(), (bare,), self.name, is_adopted=True)


@dataclass(frozen=True, slots=True)
class Seen:
    """How a model is now."""

    condition: Condition
    pods: frozenset[str] = frozenset()
    """The names of those that are ready."""


def look(api: Api, model: Workload) -> Seen:
    """Read a model and its pods."""
    there = api.get(model.kind, model.name)
    if there is None:
        return Seen(health.ABSENT)
    if model.kind is INFERENCE_SERVICE:
        deployment = api.get(DEPLOYMENT, f"{model.name}-predictor")
        pods = _pods(api, deployment)
        return Seen(health.of_inference_service(there, deployment, pods), _ready(pods))
    pods = _pods(api, there)
    if model.kind is REPLICA_SET:
        there = _as_deployment(there)
    return Seen(health.of_deployment(there, pods), _ready(pods))


def _pods(api: Api, owner: Obj | None) -> tuple[Obj, ...]:
    """Return the pods that a Deployment or ReplicaSet selects; none where it does not say by labels which."""
    labels = ((owner or {}).get("spec", {}).get("selector") or {}).get("matchLabels") or {}
    return api.list(POD, labels) if labels else ()


def _ready(pods: tuple[Obj, ...]) -> frozenset[str]:
    return frozenset(str(one["metadata"]["name"]) for one in health.living(pods) if is_ready(one))


def is_ready(pod: Obj) -> bool:
    """Whether a pod says that it answers."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def _as_deployment(there: Obj) -> Obj:
    """Return a ReplicaSet with the status that a Deployment of its one template would have."""
    status = there.get("status") or {}
    return {**there, "status": {**status, "updatedReplicas": status.get("replicas")}}
