"""What serves, as it does now: a line for each rule and one for the online checks, the worst first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlgate.core.outcome import Outcome
from mlgate.reports.content.escape import terminal
from mlgate.reports.content.numbers import SYMBOLS

_LONGEST_WHY = 300

Found = tuple[Outcome, str]
"""How something came out, and why."""


def render(service: str, name: str, found: Sequence[Found]) -> str:
    """Return the page."""
    return "\n".join(_lines(terminal(service), terminal(name), found))


def _lines(service: str, name: str, found: Sequence[Found]) -> Iterator[str]:
    worst = max((outcome for outcome, _ in found), default=Outcome.ERRORED)
    match worst:
        case Outcome.FAILED:
            yield f"{service}: {name} serves worse than its rules allow"
        case Outcome.ERRORED:
            yield f"{service}: {name} was not measured"
        case _:
            yield f"{service}: {name} serves as it should"
    for outcome, why in sorted(found, key=lambda one: -int(one[0])):
        yield f"  {SYMBOLS[outcome]} {terminal(why, _LONGEST_WHY)}"
    if worst is Outcome.FAILED:
        yield "  next: mlgate status shows its pods; mlgate rollback goes back to the model before"
