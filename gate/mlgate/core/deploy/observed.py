"""A rollout that somebody else moves: what is seen of it, and what the judge makes of that."""

from __future__ import annotations

from dataclasses import dataclass, field

from mlgate.core.deploy.release import Deployed
from mlgate.core.deploy.rollout import Health
from mlgate.core.outcome import Outcome


@dataclass(frozen=True, slots=True)
class ObservedRollout:
    """What the cluster shows at one time."""

    candidate: Deployed | None = None
    """None: nobody says which two models it is of."""
    stable: Deployed | None = None
    """None: nothing serves beside the candidate."""
    weight: int | None = None
    """The candidate's percent of the traffic, as whoever routes it confirms; None: not known."""
    is_exact: bool = True
    """Whether whoever routes requests keeps to the weight, request by request."""
    candidate_health: Health = Health.UNKNOWN
    stable_health: Health = Health.UNKNOWN
    why: str = ""
    """What is not known, or not well: one sentence."""

    @property
    def step(self) -> tuple[str, str, int] | None:
        """Return what makes it a step of its own: both models and the weight; None while those are not known."""
        if self.candidate is None or self.weight is None:
            return None
        return self.candidate.name, self.stable.name if self.stable else "", self.weight


@dataclass(frozen=True, slots=True)
class ObservedCounts:
    """What was counted of one model's requests."""

    requests: float
    failed: float
    times_ms: tuple[tuple[str, float], ...] = ()
    """By the metric of a rule, e.g. `p95_ms`. NaN or infinite where the histogram does not show it."""


@dataclass(frozen=True, slots=True)
class ObservedVerdict:
    """How the present step has come out so far."""

    seen: ObservedRollout
    outcome: Outcome | None = None
    """PASSED or FAILED; None: not known."""
    why: str = ""
    since: float | None = None
    """Unix time, seconds: from when on its requests are counted. None: there is nothing to count."""
    at: float = 0.0
    """When it was judged."""
    counts: dict[str, ObservedCounts] = field(default_factory=dict)
    """Of `candidate` and `stable`; nothing of one that was not counted."""

    @property
    def exit_code(self) -> int:
        """Return 0 for passed, 1 for failed, 3 for not known."""
        return 3 if self.outcome is None else self.outcome.exit_code

    @property
    def is_decided(self) -> bool:
        """Whether more of the same changes nothing."""
        return self.outcome is not None

    @property
    def may_go_on(self) -> bool:
        """Whether the candidate may be given more: it passed, or it is well and waits for its first traffic."""
        is_well = self.seen.candidate_health is Health.READY and self.seen.stable_health in (
            Health.READY,
            Health.ABSENT,
        )
        return self.outcome is Outcome.PASSED or (self.outcome is None and self.seen.weight == 0 and is_well)
