"""How far a run is: one living line on a terminal, a line every ten seconds in a log."""

from __future__ import annotations

import time
from typing import Self, TextIO

from mlgate.adapters.terminal.status_line import StatusLine
from mlgate.core.evidence import Gap, Row

_LIVE_S = 0.1
_LOG_S = 10.0
_FIRST_S = 2.0
"""The living line waits this long: most runs at a desk are done by then."""


class RunProgress:
    """Done of total, rate, time left, gaps. Never writes a model's text."""

    def __init__(self, total: int, stream: TextIO) -> None:
        self._total = total
        self._line = StatusLine(stream)
        self._done = self._gaps = 0
        self._began = self._shown = 0.0

    def __enter__(self) -> Self:
        """Start the clock of what is shown; the rate's clock starts with the first row, when the model is up."""
        now = time.monotonic()
        self._shown = now + _FIRST_S - _LIVE_S if self._line.lives else now
        return self

    def __exit__(self, *_: object) -> None:
        """Clear the living line."""
        self._line.clear()

    def advance(self, row: Row) -> None:
        """Count one row, and show the line when it is time."""
        now = time.monotonic()
        self._began = self._began or now
        self._done += 1
        self._gaps += isinstance(row, Gap)
        if now - self._shown >= (_LIVE_S if self._line.lives else _LOG_S):
            self._shown = now
            text = line(self._done, self._total, self._gaps, now - self._began)
            self._line.show(text)


def line(done: int, total: int, gaps: int, seconds: float) -> str:
    """Return the text of a progress line; *seconds* since the first row."""
    rate = (done - 1) / seconds if seconds > 0 else 0.0
    left = f", {_span((total - done) / rate)} left" if rate and done < total else ""
    lost = f", {gaps:,} not answered" if gaps else ""
    share = done / total if total else 1.0
    return f"observing {done:,}/{total:,} ({share:.0%}), {rate:,.1f} rows/s{left}{lost}"


def _span(seconds: float) -> str:
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.0f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02d} s"
