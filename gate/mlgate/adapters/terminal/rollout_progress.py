"""How a rollout goes: a line a state, and below them, on a terminal, one that lives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self, TextIO

from mlgate.adapters.terminal.output import tell
from mlgate.adapters.terminal.status_line import StatusLine
from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.deploy.rollout import Reading, Rollout, State

_LOG_S = 60.0
"""In a log, where no line can be written over, what it waits for is told once a minute."""


class RolloutLines:
    """Shows each state once, and what is waited for."""

    def __init__(
        self,
        stream: TextIO,
        state_line: Callable[[Rollout, State], str],
        status_line: Callable[[ServiceRecord, Reading], str],
    ) -> None:
        self._stream, self._state_line, self._status_line = stream, state_line, status_line
        self._line = StatusLine(stream)
        self._shown = 0
        self._of: Rollout | None = None
        self._next_log = 0.0

    def __enter__(self) -> Self:
        """Show nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Clear the living line."""
        self._line.clear()

    def show(self, record: ServiceRecord, reading: Reading) -> None:
        """Show the states that are new, and what was read."""
        rollout = record.rollout
        assert rollout is not None
        if self._of is None or rollout.began != self._of.began:
            self._shown = 0
        self._of = rollout
        states = rollout.states
        for state in states[self._shown :]:
            self._line.clear()
            tell(self._stream, self._state_line(rollout, state))
            self._next_log = reading.at + _LOG_S
        self._shown = len(states)
        if rollout.state.phase.is_over:
            self._line.clear()
        elif self._line.lives:
            self._line.show(self._status_line(record, reading))
        elif reading.at >= self._next_log:
            self._next_log = reading.at + _LOG_S
            self._line.show(f"          {self._status_line(record, reading)}")
