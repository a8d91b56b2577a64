"""Reads what is beside a service. What this user may not read is told, and never an error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from mlgate.adapters.kubernetes import kinds
from mlgate.adapters.kubernetes.api import Api
from mlgate.adapters.kubernetes.beside import autoscalers, kserve
from mlgate.adapters.kubernetes.beside.subject import Placed, Subject
from mlgate.adapters.kubernetes.beside.vertical import vertical
from mlgate.adapters.kubernetes.kinds import Kind
from mlgate.core.errors import AdapterError, Denied

_Rule = Callable[[Subject, Iterable[Mapping[str, Any]]], Iterator[Placed]]


def look(api: Api, of: Subject) -> tuple[tuple[Placed, ...], tuple[str, ...]]:
    """Return what is to be said, errors first, and the kinds that could not be read."""
    said, unread = list(autoscalers.in_manifest(of)), []
    for kind, rule in _rules(of):
        try:
            said += rule(of, api.list(kind, {}, missing_is_fine=True))
        except (Denied, AdapterError):
            unread.append(str(kind))
    return tuple(sorted(said, key=lambda one: not one[0].is_error)), tuple(unread)


def _rules(of: Subject) -> Iterator[tuple[Kind, _Rule]]:
    for kind in (kinds.AUTOSCALER, kinds.SCALED_OBJECT):
        yield kind, partial(_scalers, kind)
    yield kinds.VERTICAL_AUTOSCALER, vertical
    if of.is_inference_service:
        yield kinds.INFERENCE_SERVICE, kserve.model_mesh
        yield kinds.TRAINED_MODEL, kserve.trained_models
        yield kinds.INFERENCE_GRAPH, kserve.graphs


def _scalers(kind: Kind, of: Subject, found: Iterable[Mapping[str, Any]]) -> Iterator[Placed]:
    return autoscalers.on_cluster(of, kind, found)
