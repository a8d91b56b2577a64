"""What a service's record and one look at its cluster say of its models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mlgate.core.deploy.release import Deployed, ServiceRecord
from mlgate.core.deploy.rollout import ALL, Health, Phase, Reading
from mlgate.core.deploy.status import ClusterEvent, ModelStatus, PodStatus

Look = Callable[[Deployed], tuple[tuple[PodStatus, ...], tuple[ClusterEvent, ...]]]
"""Pods of a release, and warnings about them."""


def models_of(record: ServiceRecord, reading: Reading, look: Look) -> tuple[ModelStatus, ...]:
    """Return the models that serve or are to serve: one at rest, two while a rollout is under way.

    *reading* is of the record's last rollout. A model that was promoted is the stable one now.
    """
    assert record.rollout is not None
    found: list[tuple[Deployed, ModelStatus]] = []
    stable, candidate = record.accepted, record.candidate
    if record.rollout.state.phase is Phase.PROMOTED:
        assert stable is not None
        found = [(stable, ModelStatus("stable", stable.name, reading.candidate, reading.why, reading.weight))]
    elif stable is not None:
        rest = None if reading.weight is None else ALL - reading.weight
        why = reading.why if reading.stable is not Health.READY else ""
        found = [(stable, ModelStatus("stable", stable.name, reading.stable, why, rest))]
    if record.is_under_way:
        assert candidate is not None
        why = reading.why if reading.candidate is not Health.READY else ""
        found.append((candidate, ModelStatus("candidate", candidate.name, reading.candidate, why, reading.weight)))
    return tuple(_with_pods(one, *look(deployed)) for deployed, one in found)


def _with_pods(one: ModelStatus, pods: tuple[PodStatus, ...], events: tuple[ClusterEvent, ...]) -> ModelStatus:
    return replace(one, pods=pods, events=events)
