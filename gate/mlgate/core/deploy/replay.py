"""A rollout that is over, judged by other rules: how each step came out then, and how it would have by these."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StepEnd:
    """How a step came out."""

    passed: bool | None
    """None: it was not decided by users' requests in the time that it had."""
    after: float
    """Seconds since its weight was in effect."""
    why: str


@dataclass(frozen=True, slots=True)
class ReplayedStep:
    """One step."""

    weight: int
    """Percent."""
    then: StepEnd
    now: StepEnd


@dataclass(frozen=True, slots=True)
class Replay:
    """All steps that had traffic, up to the one that would have taken the candidate back."""

    steps: tuple[ReplayedStep, ...]
    planned: tuple[int, ...]
    """Percent, of every step of the plan."""

    @property
    def deciding(self) -> ReplayedStep | None:
        """Return the step that would have taken the candidate back; None: none of them."""
        return next((one for one in self.steps if one.now.passed is False), None)

    @property
    def is_promoted(self) -> bool:
        """Whether every step would have passed."""
        return len(self.steps) == len(self.planned) and all(one.now.passed for one in self.steps)

    @property
    def exit_code(self) -> int:
        """Return 0 for promoted, 1 for rolled back, 3 for not decided."""
        return 0 if self.is_promoted else 1 if self.deciding else 3
