"""A rollout as Markdown: how it ended and why, what happened when, and what users' requests were like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlgate.core.deploy.rollout import Phase
from mlgate.core.deploy.story import RolloutStory
from mlgate.core.deploy.traffic import TrafficCounts, counted, latencies
from mlgate.core.outcome import Outcome
from mlgate.reports.content.elapsed import clock
from mlgate.reports.content.escape import markdown, markdown_code
from mlgate.reports.content.numbers import NO_NUMBER, SYMBOLS
from mlgate.reports.content.openings import OPENINGS

_DOES = {
    Phase.LOADING: "loaded",
    Phase.CHECKING: "asked by the online checks",
    Phase.SHIFTING: "traffic shifted",
    Phase.HOLDING: "judged",
    Phase.PROMOTING: "made the model that serves",
    Phase.RESTORING: "taken back",
}
_WHY = 400
_P95 = 0.95


def render(story: RolloutStory, *, run_url: str = "") -> str:
    """Return the page."""
    return "".join(_parts(story, run_url))


def _parts(story: RolloutStory, run_url: str) -> Iterator[str]:
    promoted = story.is_promoted
    symbol = SYMBOLS[Outcome.PASSED if promoted else Outcome.FAILED]
    yield f"### {symbol} {markdown(story.service, 80)}: {'promoted' if promoted else 'rolled back'}\n\n"
    if story.deciding.why:
        yield f"{markdown(story.deciding.why, _WHY)}\n\n"
    yield f"candidate {markdown_code(story.candidate.name, 80)}"
    yield f", beside {markdown_code(story.stable.name, 80)}\n" if story.stable else ", the first model\n"
    yield "\n| after | traffic | what | why |\n|---:|---:|---|---|\n"
    for state in story.rollout.states:
        if not state.phase.is_over:
            why = markdown(state.why, _WHY) if state.phase is not Phase.HOLDING else ""
            opening = state.opening(story.rollout.plan)
            traffic = f"{state.weight(story.rollout.plan)} %" + (f", {OPENINGS[opening]}" if opening else "")
            yield f"| {clock(state.since - story.rollout.began)} | {traffic} | {_DOES[state.phase]} | {why} |\n"
    yield from _counted(story)
    if run_url:
        yield f"\n[the run]({run_url})\n"


def _counted(story: RolloutStory) -> Iterator[str]:
    windows, edges = story.traffic.windows, story.traffic.edges_ms
    sides = {"candidate": [one.candidate for one in windows], "what served": [one.stable for one in windows]}
    if not any(one is not None for side in sides.values() for one in side):
        return
    yield "\n| users' requests | counted | failed | p95 between |\n|---|---:|---:|---:|\n"
    for name, side in sides.items():
        if any(one is not None for one in side):
            yield f"| {name} | {_row(side, edges)} |\n"


def _row(side: Sequence[TrafficCounts | None], edges: Sequence[float]) -> str:
    whole = counted(side)
    if not whole.n:
        return f"0 | {NO_NUMBER} | {NO_NUMBER}"
    _, low, high = latencies(edges, side).quantile(_P95) if edges else (0.0, 0.0, 0.0)
    times = f"{low:g} and {high:g} ms" if edges else NO_NUMBER
    return f"{whole.n:,.0f} | {100 * whole.share:.2f}% | {times}"
