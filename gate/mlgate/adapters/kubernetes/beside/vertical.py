"""VerticalPodAutoscalers: those that evict pods in mid-rollout, and what they recommend. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mlgate.adapters.kubernetes.beside.subject import Placed, Subject, placed
from mlgate.adapters.kubernetes.kinds import VERTICAL_AUTOSCALER
from mlgate.adapters.kubernetes.manifest import model_container
from mlgate.adapters.kubernetes.manifest_rules.quantity import quantity

_USUAL = "Auto"
"""What it does that does not say it."""
_OFF = "Off"
_EVICTS = (_USUAL, "Recreate", "InPlaceOrRecreate")
_HINT = "write updatePolicy: {updateMode: Off}; mlgate holds what it recommends against the manifest"


def vertical(of: Subject, found: Iterable[Mapping[str, Any]]) -> Iterator[Placed]:
    """Say what is to be said of each that is about the service."""
    for one in found:
        spec = one.get("spec") or {}
        target = str((spec.get("targetRef") or {}).get("name") or "")
        if target not in of.deployments:
            continue
        name = str(one["metadata"]["name"])
        update = str((spec.get("updatePolicy") or {}).get("updateMode") or _USUAL)
        if update in _EVICTS:
            says = (
                f"it evicts pods of {target} (updateMode {update}): in a rollout they are judged like pods that crash"
            )
            yield placed(VERTICAL_AUTOSCALER, name, "vpa-evicts", says, _HINT)
        elif update != _OFF:
            says = f"it gives new pods of {target} other resources than the manifest (updateMode {update})"
            yield placed(VERTICAL_AUTOSCALER, name, "vpa-changes-pods", says, _HINT)
        yield from _recommended(of, name, one.get("status") or {})


def _recommended(of: Subject, name: str, status: Mapping[str, Any]) -> Iterator[Placed]:
    """Hold what it recommends for the model's container against what the model's manifest has."""
    container = model_container(of.runs) or {}
    resources = container.get("resources") or {}
    for one in (status.get("recommendation") or {}).get("containerRecommendations") or ():
        if one.get("containerName") != (container.get("name") or "kserve-container"):
            continue
        for resource in ("cpu", "memory"):
            target, upper = ((one.get(part) or {}).get(resource) for part in ("target", "upperBound"))
            limit = (resources.get("limits") or {}).get(resource)
            request = (resources.get("requests") or {}).get(resource)
            if target is not None and limit is not None and quantity(limit) < quantity(target):
                says = (
                    f"it recommends {_shown(resource, target)} of {resource}, by use; the manifest's limit is {limit}"
                )
                hint = f"write resources.limits.{resource}: {_shown(resource, target if upper is None else upper)}"
                yield placed(VERTICAL_AUTOSCALER, name, "limit-below-use", says, hint)
            elif upper is not None and request is not None and quantity(request) > quantity(upper):
                says = f"the manifest asks for {request} of {resource}; by use {_shown(resource, upper)} is enough"
                hint = f"write resources.requests.{resource}: {_shown(resource, upper)}"
                yield placed(VERTICAL_AUTOSCALER, name, "request-above-use", says, hint)


def _shown(resource: str, value: object) -> str:
    """Return a quantity as a person would write it: it recommends memory in bytes."""
    number = quantity(value)
    return f"{math.ceil(number / 2**20)}Mi" if resource == "memory" and math.isfinite(number) else str(value)
