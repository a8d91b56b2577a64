"""A rollout that somebody else moves, for a terminal: the verdict, and what is done meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from mlgate.core.deploy.observed import ObservedVerdict
from mlgate.core.outcome import Outcome
from mlgate.reports.content.escape import terminal
from mlgate.reports.terminal.rollout import span

_LONGEST_WHY = 300


def render(service: str, verdict: ObservedVerdict) -> str:
    """Return the page."""
    return "\n".join(_lines(terminal(service), verdict))


def status_line(verdict: ObservedVerdict) -> str:
    """Return the living line: what the verdict waits for."""
    why = f" · {terminal(verdict.why, 80)}" if verdict.why else ""
    return f"{_share(verdict)}{_lasted(verdict)}{why}"


def _lines(service: str, verdict: ObservedVerdict) -> Iterator[str]:
    match verdict.outcome:
        case Outcome.PASSED:
            head = "passed"
        case Outcome.FAILED:
            head = "failed"
        case _:
            head = "not known"
    yield f"{service}: {head}: {terminal(verdict.why, _LONGEST_WHY)}"
    seen = verdict.seen
    if seen.candidate is not None:
        beside = f", beside {terminal(seen.stable.name)}" if seen.stable is not None else ""
        yield f"  {terminal(seen.candidate.name)} {_share(verdict)}{_lasted(verdict)}{beside}"


def _share(verdict: ObservedVerdict) -> str:
    weight = verdict.seen.weight
    return f"gets {'an unknown share' if weight is None else f'{weight} %'}"


def _lasted(verdict: ObservedVerdict) -> str:
    return f" for {span(verdict.at - verdict.since)}" if verdict.since is not None else ""
