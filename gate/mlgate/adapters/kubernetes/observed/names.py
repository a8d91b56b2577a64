"""Which two models a rollout is of, by what mlgate or `mlgate render` left on the cluster."""

from __future__ import annotations

from collections.abc import Callable

from mlgate.adapters.kubernetes.api import Obj
from mlgate.adapters.kubernetes.kinds import Kind
from mlgate.adapters.kubernetes.observed.models import Workload
from mlgate.adapters.kubernetes.rendered.objects import CANDIDATE_NOTE, STABLE_NOTE
from mlgate.core.deploy.release import ServiceRecord

Pair = tuple[Workload, Workload | None]
"""The candidate, and what serves beside it; None: nothing does."""


def of_record(record: ServiceRecord) -> Pair | None:
    """Return the models of a rollout that is under way by its record; None: none is."""
    if not record.is_under_way or record.candidate is None:
        return None
    return Workload.of(record.candidate), Workload.of(record.accepted) if record.accepted is not None else None


def of_notes(front: Obj | None, kind: Callable[[], Kind]) -> Pair | None:
    """Return the models that rendered objects name; None: they name none. *kind* is asked for that of the manifest."""
    notes = ((front or {}).get("metadata") or {}).get("annotations") or {}
    candidate, stable = notes.get(CANDIDATE_NOTE), notes.get(STABLE_NOTE)
    return (Workload(kind(), candidate), Workload(kind(), stable)) if candidate and stable else None
