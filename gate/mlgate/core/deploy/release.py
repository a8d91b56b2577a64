"""What a verdict lets onto a cluster, and what a cluster remembers of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mlgate.core.deploy.rollout import ALL, Health, Phase, Reading, Rollout

BY_DIGEST = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._:/-]{0,400})@(?P<digest>sha256:[0-9a-f]{64})")
"""An image that no tag can move: `name@sha256:…`."""


@dataclass(frozen=True, slots=True)
class Release:
    """What one verdict is about, by content. Texts are empty where there is none."""

    image: str = ""
    """`name@sha256:…`."""
    model: str = ""
    """The model's digest in the verdict's provenance."""
    verdict: str = ""
    """SHA-256 of the report; empty for a model that mlgate found on the cluster."""
    commit: str = ""
    judged: str = ""
    """ISO 8601 in UTC."""
    link: str = ""
    """The CI run's page."""
    attestation: str = ""
    """SHA-256 of the attestation that was verified; empty where none was demanded."""


@dataclass(frozen=True, slots=True)
class PushedImage:
    """An image in a registry, and what engines call it."""

    ref: str
    """`name@sha256:…`."""
    ids: frozenset[str]
    """`sha256:…`: of its configuration, and of its manifest. Which of them names it depends on the engine."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """A release, and the objects that run it."""

    release: Release
    manifest: tuple[Mapping[str, Any], ...]
    """The objects as they are applied; of a model that mlgate found, as they were then."""
    name: str
    """Made of the content: `summarizer-1f2e3d4c`. A model that mlgate found keeps its own."""
    is_adopted: bool = False
    """Somebody else made it: mlgate takes its traffic, and never removes it."""


@dataclass(frozen=True, slots=True)
class Handover:
    """What a process that leaves a rollout tells the next one that goes on with it."""

    asked: tuple[tuple[float, float], ...] = ()
    """When online checks asked since the rollout began, or may have: spans of Unix times, seconds."""
    restarts: Mapping[str, int] = field(default_factory=dict)
    """Of the candidate's containers, by pod, as they were then: a crash while nobody looked is seen by them."""
    taken: float | None = None
    """Since when a process goes on with it; None: nobody does. One that died meanwhile has left this behind."""

    def asked_until(self, now: float) -> tuple[tuple[float, float], ...]:
        """Return when checks may have asked, for who takes it up now."""
        return self.asked if self.taken is None else (*self.asked, (self.taken, now))


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """All that is remembered of one service: enough to undo or to finish what a dead process began."""

    mode: str = ""
    """How traffic is shared: `route`, `knative` …"""
    accepted: Deployed | None = None
    """What serves when no rollout is under way; None: nothing yet."""
    previous: Deployed | None = None
    """What served before it: where a rollback goes."""
    candidate: Deployed | None = None
    """The rollout's."""
    rollout: Rollout | None = None
    """The last one, also when it is over."""
    owner: str = ""
    """Who carries the rollout out, or did: a CI run's address, or a host and process."""
    rules: str = ""
    """The digest of what the rollout's steps are judged by: whoever has other rules does not go on with it."""
    handover: Handover | None = None
    """Of a rollout that was detached: `mlgate reconcile` goes on with it. None: its process carries it out, or died."""

    @property
    def is_under_way(self) -> bool:
        """Whether a rollout has begun and not ended."""
        return self.rollout is not None and not self.rollout.state.phase.is_over

    @property
    def is_detached(self) -> bool:
        """Whether a rollout is under way that its process left on purpose."""
        return self.is_under_way and self.handover is not None

    @property
    def rising(self) -> Deployed | None:
        """Return what is about to serve; None where no rollout is under way, and for one that is on its way back."""
        rollout = self.rollout
        is_rising = rollout is not None and self.is_under_way and rollout.state.phase is not Phase.RESTORING
        return self.candidate if is_rising else None

    def begin(self, candidate: Deployed, rollout: Rollout, *, mode: str, owner: str, rules: str = "") -> ServiceRecord:
        """Return the record of a rollout that begins."""
        assert not self.is_under_way
        return replace(self, mode=mode, candidate=candidate, rollout=rollout, owner=owner, rules=rules, handover=None)

    def after(self, reading: Reading) -> ServiceRecord:
        """Return the record after *reading*; itself where that changes nothing. The end says what serves."""
        assert self.rollout is not None
        rollout = self.rollout.after(reading)
        if rollout is self.rollout:
            return self
        if rollout.state.phase is Phase.PROMOTED:
            return replace(self, accepted=self.candidate, previous=self._before, rollout=rollout)
        return replace(self, rollout=rollout)

    def accepted_in(self, reading: Reading) -> tuple[Health, int | None]:
        """Return how the model that serves is, and its percent of the traffic, None for unknown.

        *reading* is a look at the last rollout. Its candidate is the model that serves once that was promoted.
        """
        assert self.rollout is not None
        if self.rollout.state.phase is Phase.PROMOTED:
            return reading.candidate, reading.weight
        return reading.stable, None if reading.weight is None else ALL - reading.weight

    @property
    def _before(self) -> Deployed | None:
        """Return where a rollback goes once the candidate is promoted: nowhere, when this is one."""
        is_rollback = self.previous is not None and self.candidate == self.previous
        return None if is_rollback else self.accepted
