"""A service as it is now: who has which traffic, what runs, and what keeps it from running."""

from __future__ import annotations

from dataclasses import dataclass

from mlgate.core.deploy.advice import Advice
from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.deploy.rollout import Health


@dataclass(frozen=True, slots=True)
class PodStatus:
    """One pod."""

    name: str
    is_ready: bool
    restarts: int
    state: str
    """`running`, `pending`, or the reason that it waits for: `CrashLoopBackOff`."""
    why: str = ""
    """What it lacks, or how it ended last."""


@dataclass(frozen=True, slots=True)
class ClusterEvent:
    """What the cluster said of an object, as `kubectl describe` shows it."""

    about: str
    reason: str
    message: str
    count: int
    last: str
    """ISO 8601; empty: not said."""


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """One of the two models."""

    role: str
    """`stable` or `candidate`."""
    name: str
    health: Health
    why: str
    weight: int | None
    """Percent of the traffic; None: not known."""
    pods: tuple[PodStatus, ...] = ()
    events: tuple[ClusterEvent, ...] = ()
    """Warnings about it and its pods, the last first."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a service's lock, by what stands in it."""

    name: str
    renewed: str
    """When it was renewed last, by the holder's clock: ISO 8601; empty where it does not say."""
    is_dead: bool
    """It ran on this machine, and has ended. Not so: it lives, or it is elsewhere and nobody here knows."""


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One service."""

    service: str
    namespace: str
    record: ServiceRecord
    holder: Holder | None
    """Who holds its lock; None for nobody."""
    models: tuple[ModelStatus, ...]
    now: float
    """Unix time, seconds."""
    beside: tuple[tuple[Advice, str], ...] = ()
    """What else on the cluster is to be said something of, and the object."""
