"""The HTTPRoute that shares a service's traffic between two models by weight, and what a gateway says of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlgate.adapters.kubernetes.api import Obj
from mlgate.core.deploy.rollout import ALL

VARIANT_HEADER = "x-mlgate-variant"
"""A request that names a model by this header reaches it, whatever the weights: for online checks."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """Where traffic comes from."""

    name: str
    namespace: str
    hostnames: tuple[str, ...]
    """Of the requests; empty: the gateway's own."""
    paths: tuple[str, ...] = ("/",)
    """Prefixes of the requests' paths."""
    section: str = ""
    """The gateway's listener; empty: all that fit."""


@dataclass(frozen=True, slots=True)
class Backend:
    """One model behind the route."""

    name: str
    """What the header names it by."""
    service: str
    port: int


def desired(
    name: str, gateway: Gateway, shares: Sequence[tuple[Backend, int]], labels: Mapping[str, str]
) -> dict[str, Any]:
    """Return the route that gives each backend its percent of the traffic, and each by its header, too."""
    parent = {"name": gateway.name, "namespace": gateway.namespace}
    if gateway.section:
        parent["sectionName"] = gateway.section
    spec: dict[str, Any] = {"parentRefs": [parent]}
    if gateway.hostnames:
        spec["hostnames"] = list(gateway.hostnames)
    by_header = [
        {
            "matches": [
                {**_path(path), "headers": [{"name": VARIANT_HEADER, "value": one.name}]} for path in gateway.paths
            ],
            "backendRefs": [_ref(one, 1)],
        }
        for one, _ in shares
    ]
    by_weight = {
        "matches": [_path(path) for path in gateway.paths],
        "backendRefs": [_ref(one, weight) for one, weight in shares],
    }
    return {"metadata": {"name": name, "labels": dict(labels)}, "spec": {**spec, "rules": [*by_header, by_weight]}}


def _path(prefix: str) -> dict[str, Any]:
    return {"path": {"type": "PathPrefix", "value": prefix}}


def _ref(one: Backend, weight: int) -> dict[str, Any]:
    return {"name": one.service, "port": one.port, "weight": weight}


def weight_of(route: Obj | None, service: str) -> int:
    """Return the percent of the traffic that a Service gets by the route's specification: 0 without a route."""
    if route is None:
        return 0
    rules = route.get("spec", {}).get("rules") or ()
    most = 0
    for rule in rules:
        if any("headers" in match for match in rule.get("matches") or ()):
            continue
        refs = rule.get("backendRefs") or ()
        total = sum(ref.get("weight", 1) for ref in refs)
        own = sum(ref.get("weight", 1) for ref in refs if ref.get("name") == service)
        most = max(most, -(-own * ALL // total) if total else 0)  # rounded up: never less than it gets
    return most


def is_in_effect(route: Obj) -> bool:
    """Whether each gateway that the route names has taken its present specification."""
    wanted = len(route["spec"].get("parentRefs") or ())
    parents = (route.get("status") or {}).get("parents") or ()
    taken = {_key(parent["parentRef"]) for parent in parents if _is_taken(parent, route["metadata"]["generation"])}
    return wanted > 0 and len(taken) >= wanted


def _key(parent: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(parent.get(field, "")) for field in ("namespace", "name", "sectionName", "port"))


def _is_taken(parent: Mapping[str, Any], generation: int) -> bool:
    found = {one["type"]: one for one in parent.get("conditions") or ()}
    return all(
        name in found and found[name]["status"] == "True" and found[name].get("observedGeneration", 0) >= generation
        for name in ("Accepted", "ResolvedRefs")
    )


def complaint(route: Obj) -> str:
    """Return why a gateway does not serve the route; empty where none complains."""
    parents = (route.get("status") or {}).get("parents") or ()
    if not parents:
        return "no gateway has looked at the route: does its parent exist, and does a controller run?"
    for parent in parents:
        for one in parent.get("conditions") or ():
            if one["type"] in ("Accepted", "ResolvedRefs") and one["status"] != "True":
                return f"the gateway does not take the route: {one.get('reason')}: {one.get('message')}"
    return ""
