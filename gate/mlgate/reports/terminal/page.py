"""The terminal page that sections are written on: its width and its paint."""

from __future__ import annotations

from dataclasses import dataclass

from mlgate.core.outcome import Outcome
from mlgate.reports.content.numbers import SYMBOLS

_COLOURS = {
    Outcome.PASSED: "32",
    Outcome.WARNED: "33",
    Outcome.INCONCLUSIVE: "35",
    Outcome.ERRORED: "31",
    Outcome.FAILED: "1;31",
}


@dataclass(frozen=True, slots=True)
class TerminalPage:
    """How wide the terminal is, and whether it shows colours."""

    width: int
    colour: bool = False

    def mark(self, outcome: Outcome) -> str:
        """Return an outcome's symbol, painted."""
        return self._paint(SYMBOLS[outcome], _COLOURS[outcome])

    def word(self, outcome: Outcome) -> str:
        """Return an outcome's symbol and word, painted."""
        return self._paint(f"{SYMBOLS[outcome]} {outcome.name.lower()}", _COLOURS[outcome])

    def stamp(self, outcome: Outcome) -> str:
        """Return the verdict's symbol and word, painted."""
        bold = _COLOURS[outcome] if _COLOURS[outcome].startswith("1;") else f"1;{_COLOURS[outcome]}"
        return self._paint(f"{SYMBOLS[outcome]} {outcome.name}", bold)

    def heading(self, text: str) -> str:
        """Return a section's heading, painted. Our own words only."""
        return self._paint(text, "1")

    def faint(self, text: str) -> str:
        """Return what matters less, painted. Our own words and numbers only."""
        return self._paint(text, "2")

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and text else text
