"""How many harmless changes the rules let through, as a table for a terminal, with what would let more through."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from mlgate.core.groups import counted
from mlgate.core.outcome import Outcome
from mlgate.core.power import ENOUGH_PASSES, Forecast, Foretold, Power, Untold
from mlgate.core.sample_size import round_up
from mlgate.reports.content import text_width
from mlgate.reports.content.escape import terminal

_ADVICE = f"so that {ENOUGH_PASSES:.0%} pass"
_HEAD = ("rule", "margin", "known to", "pass", _ADVICE)
_RIGHT = frozenset({1, 2, 3})
_WIDEST = 80
_LONGEST_NAME = 60
_LONGEST_WHY = 400


def render(forecast: Forecast, width: int = _WIDEST) -> str:
    """Return the table, what it comes to, what its columns mean, and why something is not in it."""
    width = min(width, _WIDEST)
    if not forecast.found:
        return "\n".join(_nothing(forecast.untold, width)) + "\n"
    lines = [*_table(forecast.found, width), ""]
    for said in (*_together(forecast.found), *_legend(forecast.found)):
        lines += text_width.wrap(said, width)
    for one in forecast.untold:
        lines += ["", *text_width.wrap(f"Not foretold: {_reason(one)}", width), *_next(one, width)]
    return "\n".join(lines) + "\n"


def _nothing(untold: Sequence[Untold], width: int) -> Iterator[str]:
    if not untold:
        yield "nothing to foretell: no rule compares with a baseline"
        yield "  next: write max_drop or max_rise into a rule, and run mlgate check"
    for one in untold:
        yield from text_width.wrap(f"nothing to foretell: {_reason(one)}", width)
        yield from _next(one, width)


def _reason(one: Untold) -> str:
    return f"{', '.join(terminal(name, _LONGEST_NAME) for name in one.names)}: {terminal(one.why, _LONGEST_WHY)}"


def _next(one: Untold, width: int) -> Iterator[str]:
    if one.hint:
        yield from text_width.hang("  next: ", text_width.wrap(one.hint, width - 8), 8)


def _table(found: Sequence[Foretold], width: int) -> list[str]:
    rows = [_HEAD, *(tuple(_row(one)) for one in found)]
    lines = text_width.table(rows, _RIGHT)
    if max(map(text_width.width, lines)) <= width:
        return lines
    advised = [f"{_name(one.power)}: {_advice(one)}" for one in found if _advice(one)]  # they get lines of their own
    lines = text_width.table([row[:4] for row in rows], _RIGHT)
    return [*lines, "", f"{_ADVICE}:", *(line for one in advised for line in _wrapped_and_indented(one, width))]


def _wrapped_and_indented(text: str, width: int) -> Iterator[str]:
    first, *others = text_width.wrap(text, width - 4)
    yield f"  {first}"
    yield from (f"    {line}" for line in others)


def _row(told: Foretold) -> Iterator[str]:
    one = told.power
    yield f"{_name(one)}{_warns(one)}"
    yield one.finding.rule.limit_text.partition(" ")[2] + _unit(one)
    yield "?" if math.isnan(one.known) else f"±{_amount(one, one.known)}"
    yield "?" if math.isnan(one.passes) else f"{one.passes:.0%}"
    yield _advice(told)


def _name(one: Power) -> str:
    return terminal(f"{one.finding.check}/{one.finding.rule.metric}", _LONGEST_NAME)


def _warns(one: Power) -> str:
    if one.stops:
        return ""
    return " (warns only)" if one.finding.rule.on_breach is Outcome.WARNED else " (warns unless shown worse)"


def _advice(told: Foretold) -> str:
    """Return what to change: more data first, and a wider margin last."""
    one = told.power
    if not one.passes < ENOUGH_PASSES:
        return ""
    wider = _wider(one)
    margin = f"{one.finding.rule.bound.value}: {wider}" if wider else ""
    if not told.grows:
        return margin or "no margin is enough"
    if math.isinf(told.enough):
        none = "no number of" if told.grows in {"examples", "groups"} else "no"
        return (
            f"no margin and {none} {told.grows} is enough"
            if not margin
            else f"{margin} ({none} {told.grows} is enough)"
        )
    return ", or ".join(filter(None, (_more(told), margin)))


def _more(told: Foretold) -> str:
    match told.grows:
        case "budget":
            return f"budget: {told.enough:g}s"
        case "stages":
            return f"stages of {told.enough:g}s in all"
        case _:
            least = " at least" if math.isnan(told.power.known) else ""
            return f"{round_up(round(told.enough)):,} {told.grows}{least}"


def _wider(one: Power) -> str:
    """Return the margin that would do as the file writes it, rounded up to two digits; empty for none."""
    wanted = one.needed_margin * (100 if one.finding.rule.relative else 1)
    if not wanted < math.inf:
        return ""
    digits = 1 - math.floor(math.log10(wanted)) if wanted > 0 else 0
    rounded = math.ceil(wanted * 10**digits - 1e-9) / 10**digits
    return f"{rounded:.10g}{'%' if one.finding.rule.relative else ''}"


def _amount(one: Power, value: float) -> str:
    if one.finding.rule.relative:
        return f"{value:.1%}"
    assert one.finding.measured is not None
    return f"{one.finding.measured.metric.show(value)}{_unit(one)}"


def _unit(one: Power) -> str:
    """Return the metric's unit behind a number; what people read without one, scores and shares, has none."""
    assert one.finding.measured is not None
    unit = one.finding.measured.metric.unit
    return f" {unit}" if unit in {"ms", "s", "MB", "1/s"} and not one.finding.rule.relative else ""


def _together(found: Sequence[Foretold]) -> Iterator[str]:
    judged = [one.power for one in found if one.power.stops and not math.isnan(one.power.passes)]
    share = math.prod(one.passes for one in judged)
    if judged:
        others = " the other rules" if any(math.isnan(one.power.passes) for one in found) else ""
        yield (
            f"Of 100 harmless changes that vary as much as this run did, about {100 * share:.0f} would pass{others}."
            f"{_most(judged, share)}"
        )
    elif not any(one.power.stops for one in found):
        yield "No rule here stops a change: all of them only warn."
    for why in dict.fromkeys(one.power.unknown for one in found if one.power.unknown):
        names = ", ".join(_name(one.power) for one in found if one.power.unknown == why)
        yield f"{names}: {terminal(why, _LONGEST_WHY)}."


def _most(judged: Sequence[Power], share: float) -> str:
    if share >= ENOUGH_PASSES or len(judged) == 1:
        return ""
    return f" Most of the others are stopped by {_name(min(judged, key=lambda one: one.passes))}."


def _legend(found: Sequence[Foretold]) -> Iterator[str]:
    """Yield what the columns mean, and what their numbers rest on; nothing where there is no number."""
    if all(math.isnan(one.power.passes) for one in found):
        return
    levels = {one.power.finding.rule.confidence for one in found}
    interval = f"{100 * levels.pop():g}% interval" if len(levels) == 1 else "interval at the rule's confidence"
    last = " at the last look" if any(one.planned for one in found) else ""
    yield (
        f"margin: what the rule allows. known to: half of the {interval}{last}. pass: the share of harmless changes "
        "that do."
    )
    seen = dict.fromkeys(_sample_size(one) for one in found)
    yield f'Every number is "about": foretold from one run of {" and of ".join(seen)}.'


def _sample_size(told: Foretold) -> str:
    measured, delta = told.power.finding.measured, told.power.finding.delta
    assert measured is not None
    assert delta is not None
    if not delta.rounds:
        return counted(measured.n, measured.groups)
    return (
        f"{delta.rounds} of {told.planned} planned rounds" if delta.rounds < told.planned else f"{delta.rounds} rounds"
    )
