"""What a rollout has on the cluster in one of its steps, as objects: the same ones, by the same functions. Pure."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlgate.adapters.kubernetes import http_route, knative, replicas, standard
from mlgate.adapters.kubernetes.http_route import Gateway
from mlgate.adapters.kubernetes.kinds import HTTP_ROUTE, INFERENCE_SERVICE, SERVICE, Kind
from mlgate.adapters.kubernetes.lease import name_of
from mlgate.adapters.kubernetes.manifest import RELEASE_LABEL, SERVICE_LABEL, workload
from mlgate.adapters.kubernetes.route_manifest import split
from mlgate.core.deploy import mode
from mlgate.core.deploy.release import Deployed
from mlgate.core.deploy.rollout import ALL

CANDIDATE_NOTE, STABLE_NOTE = "mlgate.dev/candidate", "mlgate.dev/stable"
"""On the object that shares the traffic, while two models do: the names of their releases."""

Objects = tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class RenderedStep:
    """What is to be rendered."""

    service: str
    namespace: str
    mode: str
    candidate: Deployed
    beside: Deployed | None = None
    """What serves besides; None: the candidate is alone, and has everything."""
    weight: int = ALL
    """The candidate's percent of the traffic."""


def rendered(step: RenderedStep, gateway: Gateway | None) -> Objects:
    """Return the objects, in an order that is always the same. *gateway*: for modes with a route."""
    found = [_whole(one, step.namespace) for one in _objects(step, gateway)]
    return tuple(sorted(found, key=lambda one: (one["kind"], one["metadata"]["name"])))


def _objects(step: RenderedStep, gateway: Gateway | None) -> Iterator[Mapping[str, Any]]:
    models = [step.candidate] if step.beside is None else [step.beside, step.candidate]
    match step.mode:
        case mode.ROUTE | mode.DEPLOYMENT:
            assert gateway is not None
            yield from (one for model in models for one in model.manifest)
            shares = split(step.candidate, step.beside, step.weight)
            labels = {SERVICE_LABEL: step.service}
            yield _noted(_of(HTTP_ROUTE, http_route.desired(name_of(step.service), gateway, shares, labels)), step)
        case mode.REPLICAS:
            yield from _by_pods(step)
        case mode.KNATIVE:
            percent = None if step.beside is None else step.weight
            yield _of(INFERENCE_SERVICE, knative.specified(step.service, step.candidate, percent))
        case _:
            yield _of(INFERENCE_SERVICE, _canary(step))


def _by_pods(step: RenderedStep) -> Iterator[Mapping[str, Any]]:
    """Yield the Deployments and the Service before them, which selects both while they share the traffic."""
    pods = replicas.pods_for(step.candidate, step.beside, step.weight)
    runs = workload(step.candidate.manifest)
    if step.beside is not None:
        yield from step.beside.manifest
    for one in step.candidate.manifest:
        yield {**one, "spec": {**_spec(one), "replicas": pods}} if one is runs else one
    selector = {SERVICE_LABEL: step.service}
    if step.beside is None or step.weight in (0, ALL):
        chosen = step.beside if step.beside is not None and not step.weight else step.candidate
        selector |= {RELEASE_LABEL: chosen.name}
    yield _noted(_of(SERVICE, replicas.front(step.service, step.candidate, selector)), step)


def _canary(step: RenderedStep) -> dict[str, Any]:
    if step.beside is None:
        return standard.specified(step.service, step.candidate, standard.pods_at_rest(step.candidate))
    wanted = standard.pods_at_rest(step.beside)
    pods = standard.canary_pods(wanted, step.weight)
    entry = standard.canary(step.candidate, pods, step.weight)
    return standard.specified(step.service, step.beside, wanted + pods, entry)


def _spec(one: Mapping[str, Any]) -> Mapping[str, Any]:
    spec: Mapping[str, Any] = one["spec"]
    return spec


def _of(kind: Kind, one: Mapping[str, Any]) -> dict[str, Any]:
    return {"apiVersion": kind.api_version, "kind": kind.name, **one}


def _noted(one: Mapping[str, Any], step: RenderedStep) -> Mapping[str, Any]:
    """Return the object with the names of both models, while there are two."""
    if step.beside is None:
        return one
    notes = {CANDIDATE_NOTE: step.candidate.name, STABLE_NOTE: step.beside.name}
    return {**one, "metadata": {**one["metadata"], "annotations": notes}}


def _whole(one: Mapping[str, Any], namespace: str) -> dict[str, Any]:
    """Return the object with its namespace, its keys in the order in which people write them."""
    found = copy.deepcopy(dict(one))
    found["metadata"] = {"name": found["metadata"]["name"], "namespace": namespace, **found["metadata"]}
    first = ("apiVersion", "kind", "metadata", "spec")
    return {**{key: found[key] for key in first if key in found}, **found}
