"""The mark of a rollout's state on the one object that shares the traffic: the route, or the Service.

Whoever takes a rollout over writes that object in any case, because its mark is another one. So a write that was under
way of whoever had the rollout before meets a changed object, and fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlgate.adapters.kubernetes.api import Obj
from mlgate.core.deploy.rollout import Phase, Rollout

_NOTE = "mlgate.dev/rollout"


def stamp_of(candidate: str, rollout: Rollout) -> str:
    """Return the mark of the rollout's present state. *candidate*: the release's name."""
    is_back = rollout.state.phase in (Phase.RESTORING, Phase.RESTORED)
    opening = f" {rollout.opening.value}" if rollout.opening else ""
    return f"{candidate} {rollout.began:.3f} {'back' if is_back else rollout.weight}{opening}"


def is_stamped(one: Obj, stamp: str) -> bool:
    """Whether an object bears exactly that mark."""
    return bool(_notes(one["metadata"]).get(_NOTE) == stamp)


def stamped(metadata: Mapping[str, Any], stamp: str) -> dict[str, Any]:
    """Return an object's metadata with that mark."""
    return {**metadata, "annotations": {**_notes(metadata), _NOTE: stamp}}


def _notes(metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    return metadata.get("annotations") or {}
