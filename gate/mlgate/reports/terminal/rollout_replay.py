"""A kept rollout that was judged by other rules: how each step came out then and now, and how it would have ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlgate.core.check import Rule
from mlgate.core.deploy.replay import Replay, StepEnd
from mlgate.core.deploy.story import RolloutStory
from mlgate.reports.content import text_width
from mlgate.reports.content.escape import terminal
from mlgate.reports.terminal.rollout import span

_WIDEST = 80
_LONGEST_WHY = 400
_LONGEST_NAME = 60
_INDENT = 14
_THEN = {True: "passed", False: "went back", None: "not decided"}


def render(story: RolloutStory, rules: Sequence[Rule], found: Replay, width: int = _WIDEST) -> str:
    """Return the page."""
    return "\n".join(_lines(story, rules, found, min(width, _WIDEST)))


def _lines(story: RolloutStory, rules: Sequence[Rule], found: Replay, width: int) -> Iterator[str]:
    room = width - _INDENT
    yield from text_width.wrap(
        f"{terminal(story.service, _LONGEST_NAME)}: {terminal(story.candidate.name, _LONGEST_NAME)} was "
        f"{'promoted' if story.is_promoted else 'rolled back'}",
        width,
    )
    assert story.judged_by is not None
    for word, some in (("rules then", story.judged_by.rules), ("rules now", rules)):
        yield from text_width.hang(f"  {word}", text_width.wrap(_rules(some), room), _INDENT)
    for step in found.steps:
        yield ""
        for head, end in ((f"{step.weight:>3} %  then", step.then), ("       now", step.now)):
            yield from text_width.hang(head, text_width.wrap(_end(end), room), _INDENT)
    yield ""
    yield from text_width.wrap(f"by these rules it {_ending(found)}", width)


def _rules(some: Sequence[Rule]) -> str:
    return ", ".join(terminal(f"{one.metric} {one.limit_text}", _LONGEST_NAME) for one in some)


def _end(end: StepEnd) -> str:
    why = f": {terminal(end.why, _LONGEST_WHY)}" if end.why else ""
    return f"{_THEN[end.passed]} {'in' if end.passed is None else 'after'} {span(end.after)}{why}"


def _ending(found: Replay) -> str:
    if found.is_promoted:
        return "would have been promoted"
    if (back := found.deciding) is not None:
        why = f": {terminal(back.now.why, _LONGEST_WHY)}" if back.now.why else ""
        latest = "" if all(one.now.passed for one in found.steps[:-1]) else " at the latest"
        return f"would have been rolled back{latest} at {back.weight} % after {span(back.now.after)}{why}"
    open_step = next((one for one in found.steps if not one.now.passed), None)
    if open_step is not None:
        return f"is not decided in the time that it had at {open_step.weight} %"
    return f"is not decided: it ended before its step of {found.planned[len(found.steps)]} %"
