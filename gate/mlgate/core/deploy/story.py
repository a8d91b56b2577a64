"""A rollout that is over, as it is told: what happened when, and what users' requests were like meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from mlgate.core.check import Rule
from mlgate.core.deploy.release import Deployed, ServiceRecord
from mlgate.core.deploy.rollout import Opening, Phase, Rollout, State
from mlgate.core.deploy.traffic import Traffic, TrafficCounts, TrafficWindow


@dataclass(frozen=True, slots=True)
class WeightSpan:
    """A time in which the candidate was to have one share of the traffic."""

    begin: float
    """Seconds after the rollout began."""
    end: float
    weight: int
    """Percent."""
    opening: Opening | None = None
    """How it had requests without a share."""


@dataclass(frozen=True, slots=True)
class ShownState:
    """A state that a rollout was in, as a reader sees it."""

    phase: Phase
    since: float
    """Unix time, seconds."""
    weight: int
    """Percent of the traffic that the candidate was to have."""
    opening: Opening | None
    """What else reached it."""
    why: str


@dataclass(frozen=True, slots=True)
class StepRules:
    """What the steps of a rollout were judged by."""

    rules: tuple[Rule, ...]
    interval: float
    """Seconds between two scrapes: until what happened can be read."""


@dataclass(frozen=True, slots=True)
class RolloutStory:
    """All that is told of one rollout that is over."""

    service: str
    namespace: str
    mode: str
    """How traffic was shared: `route`, `knative` …"""
    candidate: Deployed
    """The model that was tried. What it was made of is not told: a manifest may have secrets."""
    stable: Deployed | None
    """The model that served beside it; None: nothing did."""
    rollout: Rollout
    judged_by: StepRules | None
    """None: users' requests were held against nothing."""
    traffic: Traffic
    """From the first step on; without windows where nothing was counted."""

    @classmethod
    def of(
        cls, service: str, namespace: str, record: ServiceRecord, judged_by: StepRules | None, traffic: Traffic
    ) -> RolloutStory:
        """Return the story of a record's last rollout, which is over."""
        assert record.rollout is not None
        assert record.candidate is not None
        promoted = record.rollout.state.phase is Phase.PROMOTED
        beside = record.previous if promoted else record.accepted
        return cls(
            service=service,
            namespace=namespace,
            mode=record.mode,
            candidate=replace(record.candidate, manifest=()),
            stable=replace(beside, manifest=()) if beside else None,
            rollout=record.rollout,
            judged_by=judged_by,
            traffic=traffic,
        )

    def at(self, turn: int) -> ServiceRecord:
        """Return the record as it was after so many of the readings that moved it."""
        rollout = replace(self.rollout, history=self.rollout.history[:turn])
        return ServiceRecord(mode=self.mode, accepted=self.stable, candidate=self.candidate, rollout=rollout)

    @property
    def is_promoted(self) -> bool:
        """Whether the candidate served at the end."""
        return self.rollout.state.phase is Phase.PROMOTED

    @property
    def states(self) -> tuple[ShownState, ...]:
        """Return what happened, in order."""
        plan = self.rollout.plan
        states = self.rollout.states
        return tuple(ShownState(one.phase, one.since, one.weight(plan), one.opening(plan), one.why) for one in states)

    @property
    def deciding(self) -> State:
        """Return the state whose reason decided how it ended: the first on the way back, or that of the promotion."""
        wanted = Phase.PROMOTING if self.is_promoted else Phase.RESTORING
        return next(state for state in self.rollout.states if state.phase is wanted)

    @property
    def weights(self) -> tuple[WeightSpan, ...]:
        """Return which share the candidate was to have, and when."""
        return tuple(_spans(self.rollout))

    @property
    def seconds(self) -> float:
        """Return how long it took."""
        return self.rollout.state.since - self.rollout.began


def _spans(rollout: Rollout) -> Iterator[WeightSpan]:
    states = rollout.states
    for one, after in pairwise(states):
        yield WeightSpan(
            one.since - rollout.began, after.since - rollout.began, one.weight(rollout.plan), one.opening(rollout.plan)
        )


def coarse(windows: Sequence[TrafficWindow], most: int) -> tuple[TrafficWindow, ...]:
    """Return at most so many windows: neighbours are added up. A side that was not measured in one of them stays so."""
    size = max(1, -(-len(windows) // most))
    return tuple(_together(windows[start : start + size]) for start in range(0, len(windows), size))


def _together(some: Sequence[TrafficWindow]) -> TrafficWindow:
    seconds = sum(one.seconds for one in some)
    return TrafficWindow(
        some[-1].at, seconds, added([one.candidate for one in some]), added([one.stable for one in some])
    )


def added(side: Sequence[TrafficCounts | None]) -> TrafficCounts | None:
    """Return the counts of several windows together; None where one was not measured."""
    known = [one for one in side if one is not None]
    if not known or len(known) < len(side):
        return None
    slower = tuple(sum(column) for column in zip(*(one.slower for one in known), strict=True))
    timed, took_ms = sum(one.timed for one in known), sum(one.took_ms for one in known)
    return TrafficCounts(sum(one.requests for one in known), sum(one.errors for one in known), slower, timed, took_ms)
