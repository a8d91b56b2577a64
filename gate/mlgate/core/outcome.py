"""What a gate can conclude, from best to worst."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class Outcome(IntEnum):
    """How one finding, or a whole verdict, came out. A greater value is worse."""

    PASSED = 0
    WARNED = 1
    INCONCLUSIVE = 2
    """Measured, and neither shown good nor shown bad."""
    ERRORED = 3
    """Could not be measured."""
    FAILED = 4
    """Measured, and bad."""

    @property
    def blocks(self) -> bool:
        """Whether a pull request or a rollout must stop here."""
        return self >= Outcome.INCONCLUSIVE

    @property
    def exit_code(self) -> int:
        """0 passed or warned, 1 the model is worse, 3 we do not know."""
        match self:
            case Outcome.PASSED | Outcome.WARNED:
                return 0
            case Outcome.INCONCLUSIVE | Outcome.ERRORED:
                return 3
            case Outcome.FAILED:
                return 1


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """Fold outcomes into one; nothing at all is INCONCLUSIVE, never a pass."""
    return max(outcomes, default=Outcome.INCONCLUSIVE)
