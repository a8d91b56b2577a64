"""The HTTPRoute that shares a service's traffic between two models by weight, and what a gateway says of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlgate.adapters.kubernetes.api import Obj
from mlgate.core.deploy.rollout import ALL, Opening

VARIANT_HEADER = "x-mlgate-variant"
"""A request that names a model by this header reaches it, whatever the weights: for online checks."""
TRIAL_HEADER, TRIAL = "x-mlgate-trial", "mirror"
"""A request with this header besides meets what a gateway may not be able to do, before users do."""


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


@dataclass(frozen=True, slots=True)
class Audience:
    """Whose requests a candidate gets before anybody else's."""

    name: str
    """Of a header, or of a cookie."""
    value: str
    is_cookie: bool = False

    @property
    def match(self) -> dict[str, str]:
        """Return the header that a request has to have."""
        if not self.is_cookie:
            return {"name": self.name, "value": self.value}
        among = f"^(?:.*; *)?{re.escape(self.name)}={re.escape(self.value)} *(?:;.*)?$"
        return {"name": "Cookie", "type": "RegularExpression", "value": among}


@dataclass(frozen=True, slots=True)
class Split:
    """Who gets what."""

    shares: Sequence[tuple[Backend, int]]
    """Each model, and its percent of the users' requests."""
    mirrored: Backend | None = None
    """It gets a copy of each of them besides."""
    audience: tuple[Audience, Backend] | None = None
    """Requests that one model gets, whatever its percent."""


def desired(name: str, gateway: Gateway, split: Split, labels: Mapping[str, str]) -> dict[str, Any]:
    """Return the route that gives each backend its percent of the traffic, and each by its header, too."""
    rules = [_rule(gateway, [(one, 1)], [_named(one)]) for one, _ in split.shares]
    if split.audience is not None:
        whose, reached = split.audience
        rules.append(_rule(gateway, [(reached, 1)], [whose.match]))
    rules.append(_rule(gateway, split.shares, [], split.mirrored))
    return _route(name, gateway, rules, labels)


def trial(
    name: str, gateway: Gateway, one: Backend, labels: Mapping[str, str], audience: Audience | None = None
) -> dict[str, Any]:
    """Return a route of its own for what the gateway is tried on: an audience, or else copies.

    It is for requests alone that bear a trial's header. A gateway that cannot do it may refuse the whole route, or fail
    each request that matches the rule. Users must not be behind it then.
    """
    headers = [_named(one), {"name": TRIAL_HEADER, "value": TRIAL}, *([audience.match] if audience else [])]
    return _route(name, gateway, [_rule(gateway, [(one, 1)], headers, None if audience else one)], labels)


def _named(one: Backend) -> dict[str, str]:
    return {"name": VARIANT_HEADER, "value": one.name}


def _route(
    name: str, gateway: Gateway, rules: Sequence[Mapping[str, Any]], labels: Mapping[str, str]
) -> dict[str, Any]:
    parent = {"name": gateway.name, "namespace": gateway.namespace}
    if gateway.section:
        parent["sectionName"] = gateway.section
    spec: dict[str, Any] = {"parentRefs": [parent]}
    if gateway.hostnames:
        spec["hostnames"] = list(gateway.hostnames)
    return {"metadata": {"name": name, "labels": dict(labels)}, "spec": {**spec, "rules": list(rules)}}


def _rule(
    gateway: Gateway,
    shares: Sequence[tuple[Backend, int]],
    headers: Sequence[Mapping[str, str]],
    copies: Backend | None = None,
) -> dict[str, Any]:
    """Return a rule for the requests that have all of the headers; *copies*: who gets a copy of each."""
    mirror = {"type": "RequestMirror", "requestMirror": {"backendRef": _at(copies)}} if copies else None
    return {
        "matches": [{**_path(path), **({"headers": list(headers)} if headers else {})} for path in gateway.paths],
        **({"filters": [mirror]} if mirror else {}),
        "backendRefs": [{**_at(one), "weight": weight} for one, weight in shares],
    }


def _path(prefix: str) -> dict[str, Any]:
    return {"path": {"type": "PathPrefix", "value": prefix}}


def _at(one: Backend) -> dict[str, Any]:
    return {"name": one.service, "port": one.port}


def weight_of(route: Obj | None, service: str) -> int:
    """Return the percent of the traffic that a Service gets by the route's specification: 0 without a route."""
    most = 0
    for rule in of_users(route):
        refs = rule.get("backendRefs") or ()
        total = sum(ref.get("weight", 1) for ref in refs)
        own = sum(ref.get("weight", 1) for ref in refs if ref.get("name") == service)
        most = max(most, -(-own * ALL // total) if total else 0)  # rounded up: never less than it gets
    return most


def opening_of(route: Obj | None, service: str) -> Opening | None:
    """Return how a Service has requests besides its share, by the route's specification; None: it has none."""
    if is_mirrored(route, service):
        return Opening.MIRRORED
    for rule in ((route or {}).get("spec") or {}).get("rules") or ():
        headers = [one["name"] for match in rule.get("matches") or () for one in match.get("headers") or ()]
        reached = {one["name"] for one in rule.get("backendRefs") or ()}
        if headers and VARIANT_HEADER not in headers and service in reached:
            return Opening.AUDIENCE
    return None


def is_mirrored(route: Obj | None, service: str) -> bool:
    """Whether the route's specification copies users' requests to a Service. A copy is no share of the traffic."""
    filters = [one for rule in of_users(route) for one in rule.get("filters") or ()]
    return any((one.get("requestMirror") or {}).get("backendRef", {}).get("name") == service for one in filters)


def of_users(route: Obj | None) -> list[Any]:
    """Return the rules for requests that name no model by a header."""
    rules = ((route or {}).get("spec") or {}).get("rules") or ()
    return [rule for rule in rules if not any("headers" in match for match in rule.get("matches") or ())]


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
