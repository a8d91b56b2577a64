"""How far a build is: one living line on a terminal, a line every ten seconds in a log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self, TextIO

from mlgate.adapters.terminal.status_line import StatusLine
from mlgate.core.build import Underway

_FIRST_S = 2.0
"""A build whose layers are all there is over by then."""
_LOG_S = 10.0


class BuildStatus:
    """Shows a build that takes longer than two seconds; *render* makes one line of it, with nothing hostile in it."""

    def __init__(self, stream: TextIO, render: Callable[[Underway], str]) -> None:
        self._line, self._render = StatusLine(stream), render
        self._next = _FIRST_S

    def __enter__(self) -> Self:
        """Show nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Clear the living line."""
        self._line.clear()

    def show(self, underway: Underway) -> None:
        """Show the line when it is time."""
        if underway.seconds < self._next:
            return
        self._next = underway.seconds + (0.0 if self._line.lives else _LOG_S)
        text = self._render(underway)
        self._line.show(text)
