"""What a service's record and one look at its cluster say of its models."""

from __future__ import annotations

from collections.abc import Callable

from mlgate.core.deploy.release import Deployed, ServiceRecord
from mlgate.core.deploy.rollout import Health, Reading
from mlgate.core.deploy.status import ClusterEvent, ModelStatus, PodStatus

Look = Callable[[Deployed], tuple[tuple[PodStatus, ...], tuple[ClusterEvent, ...]]]
"""Pods of a release, and warnings about them."""


def models_of(record: ServiceRecord, reading: Reading, look: Look) -> tuple[ModelStatus, ...]:
    """Return the models that serve or are to serve: one at rest, two while a rollout is under way.

    *reading* is of the record's last rollout. A model that was promoted is the stable one now.
    """
    assert record.rollout is not None
    found = []
    if record.accepted is not None:
        found.append(("stable", record.accepted, *record.accepted_in(reading)))
    if record.is_under_way:
        assert record.candidate is not None
        found.append(("candidate", record.candidate, reading.candidate, reading.weight))
    return tuple(
        ModelStatus(role, one.name, health, reading.why if health is not Health.READY else "", weight, *look(one))
        for role, one, health, weight in found
    )
