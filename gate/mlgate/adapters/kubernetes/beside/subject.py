"""The service that is looked around for: its model, and the names that other objects may know it by. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlgate.adapters.kubernetes.kinds import INFERENCE_SERVICE
from mlgate.adapters.kubernetes.manifest import kind_of, workload
from mlgate.core.deploy.advice import Advice
from mlgate.core.deploy.release import Deployed

Placed = tuple[Advice, str]
"""What is to be said, and the object that it is about."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One service, in the mode that it is deployed in."""

    mode: str
    model: Deployed
    """What is to be deployed; at rest what serves."""
    names: frozenset[str]
    """Of its InferenceServices or Deployments: releases, and what somebody else made."""
    ending: frozenset[str] = frozenset()
    """Those of them that are removed after a promotion."""

    @property
    def runs(self) -> Mapping[str, Any]:
        """Return the object that runs the model."""
        return workload(self.model.manifest)

    @property
    def is_inference_service(self) -> bool:
        """Whether KServe makes the pods."""
        return kind_of(self.runs) is INFERENCE_SERVICE

    @property
    def deployment(self) -> str:
        """Return the name of the Deployment that runs the model."""
        name = str(self.runs["metadata"]["name"])
        return f"{name}-predictor" if self.is_inference_service else name

    @property
    def deployments(self) -> frozenset[str]:
        """Return the names of Deployments that run a model of the service."""
        return frozenset({*self.names, *(f"{one}-predictor" for one in self.names)})


def placed(kind: object, name: str, topic: str, says: str, hint: str, *, is_error: bool = False) -> Placed:
    """Return what is to be said of an object."""
    return Advice(topic, is_error, says, hint), f"{kind} {name}"


def somebodys(found: Iterable[Mapping[str, Any]], label: str) -> Iterator[Mapping[str, Any]]:
    """Yield the objects that a person made: neither a controller, which an owner tells, nor mlgate, by its label."""
    for one in found:
        metadata = one["metadata"]
        if not metadata.get("ownerReferences") and label not in (metadata.get("labels") or {}):
            yield one
