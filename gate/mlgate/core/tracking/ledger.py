"""What was live when: the moves of a registry's alias, in the order in which they won."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["promoted", "rolled back", "moved by hand"]
NO_VERSION = 0
"""No version: versions count from 1."""


@dataclass(frozen=True, slots=True)
class Move:
    """An alias went from one version of the model to another."""

    number: int
    """1-based place in the ledger: of two moves that want the same place, one is refused."""
    alias: str
    kind: Kind
    version: int
    """Where the alias points since; NONE when a person took it away."""
    before: int
    """Where it pointed; NONE for nowhere."""
    at: str
    """ISO 8601 in UTC, seconds: `2026-11-23T05:00:00Z`. The mover's clock; the order is by `number`."""
    verdict: str = ""
    """SHA-256 of the report that let it through; empty for a move by hand."""
    commit: str = ""
    link: str = ""
    """The CI run's page; empty at a desk."""
    asked: bool = False
    """A person asked for this promotion, by `mlgate promote`. Not so: a run did that passed (`--save-baseline`)."""
    done: bool = field(default=False, compare=False)
    """The alias was seen to point there. Not so: the mover may have died in between."""


@dataclass(frozen=True, slots=True)
class LiveSpan:
    """One version was live, or none."""

    version: int
    """NONE: somebody had taken the alias away."""
    since: Move
    until: Move | None
    """None: it still is."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Every move of every alias of one model."""

    moves: tuple[Move, ...] = ()

    @property
    def next(self) -> int:
        """Return the place of the move to come."""
        return self.moves[-1].number + 1 if self.moves else 1

    def of(self, alias: str) -> tuple[Move, ...]:
        """Return the moves of one alias, oldest first."""
        return tuple(move for move in self.moves if move.alias == alias)

    def last(self, alias: str) -> Move | None:
        """Return the alias's last move."""
        moves = self.of(alias)
        return moves[-1] if moves else None

    def live(self, alias: str) -> int:
        """Return the version that the alias should point to; NONE when it never moved."""
        last = self.last(alias)
        return last.version if last else NO_VERSION

    def back(self, alias: str) -> int:
        """Return what a rollback goes to: what was live before the last promotion that was not taken back; or NONE."""
        stack: list[int] = []
        for move in self.of(alias):
            if move.kind != "promoted" and move.version in stack:  # by hand, too: who goes back does not go back again
                while stack[-1] != move.version:
                    stack.pop()
            else:
                stack.append(move.version)
        return stack[-2] if len(stack) > 1 else NO_VERSION

    def spans(self, alias: str) -> Sequence[LiveSpan]:
        """Return what was live when, oldest first: all the time since the first move, once."""
        moves = self.of(alias)
        pairs = zip(moves, (*moves[1:], None), strict=False)  # no move: no pair
        return tuple(LiveSpan(move.version, move, until) for move, until in pairs)
