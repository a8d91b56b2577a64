"""Objects of a service that no record names: what a process made that stalled, and woke after it was overtaken."""

from __future__ import annotations

from collections.abc import Sequence

from mlgate.adapters.kubernetes.api import Api, Obj
from mlgate.adapters.kubernetes.kinds import Kind
from mlgate.adapters.kubernetes.manifest import RELEASE_LABEL, SERVICE_LABEL
from mlgate.core.deploy.release import ServiceRecord


def known_releases(record: ServiceRecord) -> frozenset[str]:
    """Return the names of the releases that may be there: at rest the one that serves."""
    named = [record.accepted, record.candidate if record.is_under_way else None]
    return frozenset(one.name for one in named if one is not None)


def leftover_objects(api: Api, service: str, kinds: Sequence[Kind], known: frozenset[str]) -> list[tuple[Kind, Obj]]:
    """Return the objects of *kinds* that bear the service's label, and are of a release that is not *known*."""
    return [
        (kind, one)
        for kind in kinds
        for one in api.list(kind, {SERVICE_LABEL: service}, missing_is_fine=True)
        if one["metadata"]["labels"].get(RELEASE_LABEL, "") not in known
    ]
