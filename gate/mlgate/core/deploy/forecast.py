"""How long a rule will take to pass a step, for a candidate that is like what serves."""

from __future__ import annotations

from dataclasses import dataclass

from mlgate.core.check import Rule
from mlgate.core.deploy.rollout import Plan


@dataclass(frozen=True, slots=True)
class StepForecast:
    """One rule in one step."""

    step: int
    """Its place in the plan."""
    weight: int
    """Percent."""
    rule: Rule
    after: float
    """Seconds until it passes; infinite: not in the time that the whole may take, or never."""
    requests: float
    """How many the candidate will have had by then."""
    why: str = ""
    """Why it can never be judged; empty: it can."""


@dataclass(frozen=True, slots=True)
class RolloutForecast:
    """Every rule in every step, and of what service."""

    service: str
    plan: Plan
    limit: float
    """Seconds that the whole may take."""
    rate: float
    """Requests a second, of both models together."""
    error_rate: float
    source: str
    """Who says that it is like this."""
    steps: tuple[StepForecast, ...]
    untold: tuple[Rule, ...] = ()
    """What nobody knows enough of: times, without a histogram."""
