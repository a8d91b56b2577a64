"""How long each rule will take in each step of a rollout, as a table for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import groupby

from mlgate.core.deploy.forecast import RolloutForecast, StepForecast
from mlgate.reports.content import text_width
from mlgate.reports.content.escape import terminal
from mlgate.reports.terminal.rollout import span

_WIDEST = 80
_HEAD = ("step", "rule", "passes after", "requests")
_RIGHT = frozenset({0, 2, 3})
_LONGEST_NAME = 60
_LONGEST_WHY = 400


def render(told: RolloutForecast, width: int = _WIDEST) -> str:
    """Return the page."""
    width = min(width, _WIDEST)
    service, source = terminal(told.service, _LONGEST_NAME), terminal(told.source, _LONGEST_WHY)
    said = (
        f"{service}: at {told.rate:.3g} requests/s, of which {100 * told.error_rate:.3g}% fail ({source}), a candidate "
        "like what serves passes each rule after about:"
    )
    lines = [*text_width.wrap(said, width), "", *text_width.table([_HEAD, *map(_row, told.steps)], _RIGHT), ""]
    for said in _said(told):
        lines += text_width.wrap(said, width)
    return "\n".join(lines)


def _row(one: StepForecast) -> tuple[str, ...]:
    rule = terminal(f"{one.rule.metric} {one.rule.limit_text}", _LONGEST_NAME)
    if not math.isfinite(one.after):
        return f"{one.weight} %", rule, "never" if one.why else "too late", "-"
    return f"{one.weight} %", rule, _about(one.after), f"{one.requests:,.0f}"


def _about(seconds: float) -> str:
    return span(60 * round(seconds / 60)) if seconds >= 60 else span(seconds)  # noqa: PLR2004 - a minute


def _said(told: RolloutForecast) -> Iterator[str]:
    plan = told.plan
    longest = [max(one.after for one in some) for _, some in groupby(told.steps, key=lambda one: one.weight)]
    late = f"before the deadline of {span(told.limit)}"
    if len(longest) < len(plan.steps):
        yield "Not every step has a rule that can be told."
    elif sum(longest) < told.limit:
        yield f"The steps take about {_about(sum(longest))} together, {late}."
    else:
        then = "a step that is not decided waits on" if plan.outlasts else "such a candidate would go back"
        yield f"The steps are not over {late}: {then}."
    yield f"requests: the candidate's by then. Each step lasts {span(plan.hold)} at least (`hold`)."
    if any(math.isinf(one.after) and not one.why for one in told.steps):
        yield f"too late: not {late}. Does what serves keep the rule itself?"
    whys = dict.fromkeys((one.rule.metric, one.why) for one in told.steps if one.why)
    for name, why in whys:
        yield f"never: {terminal(name, _LONGEST_NAME)}: {terminal(why, _LONGEST_WHY)}"
    if told.untold:
        names = ", ".join(dict.fromkeys(terminal(one.metric, _LONGEST_NAME) for one in told.untold))
        yield f"Not told: {names}, which needs a histogram of times: name a rollout.json that has one."
