"""Which share of the traffic each of two models has, by the route or the Service before them, whoever wrote it.

A backend of the route is a Service, and whose it is its pods say. So it does not matter what an engine calls its
Services: mlgate's own, KServe's, Flagger's and those of Argo Rollouts are read alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mlgate.adapters.kubernetes import health, http_route
from mlgate.adapters.kubernetes.api import Api, Obj
from mlgate.adapters.kubernetes.kinds import HTTP_ROUTE, POD, SERVICE
from mlgate.adapters.kubernetes.observed.models import is_ready
from mlgate.core.deploy.rollout import ALL


@dataclass(frozen=True, slots=True)
class Share:
    """What the candidate has."""

    percent: int | None
    """None: not known."""
    is_exact: bool = True
    """Whether whoever routes keeps to it, request by request. Where one Service has pods of both, nobody does."""
    why: str = ""
    """Why it is not known."""


class _Unknown(Exception):  # noqa: N818 - a reason, not a fault
    """Why nobody can say it."""


def front(api: Api, names: Sequence[str]) -> Obj | None:
    """Return the first HTTPRoute with one of *names*, else the first Service; None: none is there."""
    for kind in (HTTP_ROUTE, SERVICE):
        for name in names:
            found = api.get(kind, name)
            if found is not None:
                return {"kind": kind.name, **found}
    return None


def share(api: Api, before: Obj | None, candidate: frozenset[str], stable: frozenset[str]) -> Share:
    """Return the candidate's share by the object *before* both models; the others: the names of their ready pods."""
    if before is None:
        return Share(
            None,
            why="nothing shares the traffic: no HTTPRoute and no Service of that name is there; name one: --route NAME",
        )
    if before["kind"] == SERVICE.name:
        rules: list[Sequence[tuple[str, int]]] = [((str(before["metadata"]["name"]), 1),)]
    elif not http_route.is_in_effect(before):
        return Share(None, why=http_route.complaint(before) or "no gateway has taken the route as it is now")
    else:
        rules = list(_backends(before))
    try:
        found = [_part(api, rule, candidate, stable) for rule in rules]
    except _Unknown as why:
        return Share(None, why=str(why))
    if not found:
        return Share(None, why="the route has no rule for users")
    most = max(part for part, _ in found)
    percent = round(most * ALL) if most in (0.0, 1.0) else min(max(round(most * ALL), 1), ALL - 1)
    return Share(percent, is_exact=all(exact for _, exact in found))


def _backends(route: Obj) -> Iterator[Sequence[tuple[str, int]]]:
    """Yield the Services behind each rule of users, with their weights."""
    for rule in http_route.of_users(route):
        refs = rule.get("backendRefs") or ()
        if any(ref.get("kind", "Service") != "Service" for ref in refs):
            yield (("", 1),)
        yield [(str(ref["name"]), int(ref.get("weight", 1))) for ref in refs]


def _part(
    api: Api, rule: Sequence[tuple[str, int]], candidate: frozenset[str], stable: frozenset[str]
) -> tuple[float, bool]:
    """Return the candidate's part of one rule's requests, 0 to 1, and whether every Service is one model's alone."""
    total, part, exact = sum(weight for _, weight in rule), 0.0, True
    if not total:
        raise _Unknown("the route gives nobody any traffic")
    for service, weight in rule:
        if weight:
            pods = _behind(api, service)
            mine, its = len(pods & candidate), len(pods & stable)
            if len(pods) > mine + its:
                raise _Unknown(f"the Service {service} has pods that are of neither model")
            part += weight / total * mine / (mine + its)
            exact = exact and not (mine and its)
    return part, exact


def _behind(api: Api, service: str) -> frozenset[str]:
    """Return the names of the ready pods behind a Service."""
    there = api.get(SERVICE, service) if service else None
    selector: Mapping[str, str] = ((there or {}).get("spec") or {}).get("selector") or {}
    if not selector:
        raise _Unknown(f"the route has a backend whose pods nobody can tell: {service or 'it is no Service'}")
    pods = frozenset(str(one["metadata"]["name"]) for one in health.living(api.list(POD, selector)) if is_ready(one))
    if not pods:
        raise _Unknown(f"no ready pod is behind the Service {service}")
    return pods
