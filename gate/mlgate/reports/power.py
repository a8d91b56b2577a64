"""How many harmless changes the rules let through, as a table for a terminal, with what would let more through."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from mlgate.core.check import Check, Json
from mlgate.core.power import ENOUGH, Power
from mlgate.core.verdict import round_up
from mlgate.reports import columns
from mlgate.reports.escape import terminal

_HEAD = ("rule", "margin", "known to", "pass", f"so that {ENOUGH:.0%} pass")
_RIGHT = frozenset({1, 2, 3})
_LONGEST_S = 3_600
"""A budget beyond it is no advice."""
_DENSEST = 2.0
"""So many times the requests that are asked now: beyond it another load is timed."""
_MOST = 1_000_000
"""So many examples are no advice either."""


def render(found: Sequence[Power], checks: Mapping[str, Check], width: int) -> str:
    """Return the table, and below it what it comes to."""
    if not found:
        return (
            "nothing to foretell: no rule compares with a baseline, or this run compared nothing\n"
            "  next: write max_drop or max_rise, and run mlgate check\n"
        )
    rows = [_HEAD, *(tuple(_row(one, checks[one.finding.check])) for one in found)]
    lines = columns.table(rows, _RIGHT)
    if max(map(columns.width, lines)) > width:  # what to do gets lines of its own
        lines = columns.table([row[:4] for row in rows], _RIGHT)
        lines += [f"{row[0]}: {row[4]}" for row in rows[1:] if row[4]]
    return "\n".join([*lines, "", *columns.wrap(_together(found), width)]) + "\n"


def _row(one: Power, check: Check) -> Iterator[str]:
    yield terminal(f"{one.finding.check}/{one.finding.rule.metric}", 60)
    yield _amount(one, one.margin)
    yield f"±{_amount(one, one.known)}"
    yield "?" if math.isnan(one.passes) else f"{one.passes:.0%}"
    yield "" if one.passes >= ENOUGH else ", or ".join(_advice(one, check))


def _advice(one: Power, check: Check) -> Iterator[str]:
    """Yield what to change, most honest first: more data, then a wider margin."""
    measured, delta = one.finding.measured, one.finding.delta
    assert measured is not None
    assert delta is not None
    if delta.rounds and math.isfinite(one.more):
        planned = check.rounds - _number(check.params.get("warm"))
        seconds = 5 * math.ceil(planned * one.more * 2 * _number(check.params.get("block_s")) / 5)
        if seconds <= _LONGEST_S:
            yield f"budget: {seconds}s"
        yield from _denser(one, check)
    elif math.isfinite(one.more) and measured.units * one.more < _MOST:
        what = "examples" if measured.groups is None else "groups"
        yield f"{round_up(math.ceil(measured.units * one.more)):,} {what}"
    if math.isfinite(one.needed_margin):
        yield f"{one.finding.rule.bound.value}: {_limit(one)}"


def _denser(one: Power, check: Check) -> Iterator[str]:
    """Yield how densely to ask, where that would do and is near what is asked: far from it another load is timed."""
    for name in ("rate", "concurrency"):
        asked = _number(check.params.get(name))
        if asked and one.crowded <= _DENSEST:
            yield f"{name}: {math.ceil(asked * one.crowded)}"


def _limit(one: Power) -> str:
    """Return the margin that would do as the file writes it, rounded up to two digits."""
    wanted = one.needed_margin * (100 if _relative(one) else 1)
    digits = 1 - math.floor(math.log10(wanted)) if wanted > 0 else 0
    rounded = math.ceil(wanted * 10**digits - 1e-9) / 10**digits
    if not _relative(one):
        return f"{rounded:.10g}"
    return f"{rounded:.10g}%"


def _relative(one: Power) -> bool:
    return one.finding.rule.relative or bool(one.finding.delta and one.finding.delta.base)


def _amount(one: Power, value: float) -> str:
    if _relative(one):
        return f"{value:.1%}" if math.isfinite(value) else "?"
    assert one.finding.measured is not None
    return one.finding.measured.metric.show(value)


def _together(found: Sequence[Power]) -> str:
    known = [one.passes for one in found if not math.isnan(one.passes)]
    worst = min(found, key=lambda one: one.passes)
    share = math.prod(known)
    if len(known) < len(found):
        return "Of some comparisons nothing can be foretold: this run had too little to compare them by."
    said = f"Of 100 changes that change nothing, about {100 * share:.0f} would pass all of these comparisons."
    if share >= ENOUGH:
        return said
    name = terminal(f"{worst.finding.check}/{worst.finding.rule.metric}", 60)
    return f"{said} Most of the others are stopped by {name}."


def _number(value: Json) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
