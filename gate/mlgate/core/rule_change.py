"""Whose rules judge: those of the base branch, and what a change would make of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Direction(Enum):
    """Which way a change of the rules goes."""

    QUESTION = "question"
    """The rules are answered by something else than what they were written for: the verdict says so in its headline."""
    LOOSER = "looser"
    DIFFERENT = "different"
    """Neither can be shown: other data, another metric's signature, another baseline."""
    EFFECTIVE = "in effect"
    """No rule of this file, and it bears on what is measured: another address, other resources, edited tests."""
    TIGHTER = "tighter"


@dataclass(frozen=True, slots=True)
class RuleChange:
    """One difference between the base's rules and the ones that the change under test brings."""

    direction: Direction
    what: str
    """One clause with both values: `summaries/rougeL: min 0.3 becomes 0.2`."""
    where: str = ""
    """`file:line:column`, in the file that has it."""

    @property
    def weakens(self) -> bool:
        """Return whether it could turn a block into a pass."""
        return self.direction is not Direction.TIGHTER


@dataclass(frozen=True, slots=True)
class Policy:
    """The base's rules, which judge whatever the change under test does to its own file."""

    source: str
    """The commit that they were read from."""
    changes: tuple[RuleChange, ...] = ()
    """What asks another question first, then looser ones."""

    @property
    def questions(self) -> tuple[RuleChange, ...]:
        """Return the changes by which the same rules judge something else: passing them shows little."""
        return tuple(change for change in self.changes if change.direction is Direction.QUESTION)
