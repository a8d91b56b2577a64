"""How many harmless changes the rules let through, as a table for a terminal, with what would let more through."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from mlgate.core.power import ENOUGH, Foretold, Power
from mlgate.core.verdict import round_up
from mlgate.reports import columns
from mlgate.reports.escape import terminal

_HEAD = ("rule", "margin", "known to", "pass", f"so that {ENOUGH:.0%} pass")
_RIGHT = frozenset({1, 2, 3})


def render(found: Sequence[Foretold], silent: Sequence[str], width: int) -> str:
    """Return the table, and below it what it comes to. *silent*: comparisons that the run did not make."""
    if not found:
        return (
            "nothing to foretell: no rule compares with a baseline, or this run compared nothing\n"
            "  next: write max_drop or max_rise, and run mlgate check\n"
        )
    rows = [_HEAD, *(tuple(_row(one)) for one in found)]
    lines = columns.table(rows, _RIGHT)
    if max(map(columns.width, lines)) > width:  # what to do gets lines of its own
        lines = columns.table([row[:4] for row in rows], _RIGHT)
        lines += [f"{row[0]}: {row[4]}" for row in rows[1:] if row[4]]
    lines += ["", *columns.wrap(_together([one.power for one in found]), width)]
    if silent:
        named = ", ".join(terminal(name, 60) for name in silent)
        lines += columns.wrap(f"This run did not compare {named}: of it nothing is foretold.", width)
    return "\n".join(lines) + "\n"


def _row(told: Foretold) -> Iterator[str]:
    one = told.power
    yield _name(one)
    yield _amount(one, one.margin)
    yield f"±{_amount(one, one.known)}"
    yield "?" if math.isnan(one.passes) else f"{one.passes:.0%}"
    yield "" if one.passes >= ENOUGH else ", or ".join(_advice(told))


def _name(one: Power) -> str:
    return terminal(f"{one.finding.check}/{one.finding.rule.metric}", 60)


def _advice(told: Foretold) -> Iterator[str]:
    """Yield what to change: more data first, and a wider margin last."""
    one, measured = told.power, told.power.finding.measured
    if told.budget_s:
        yield f"budget: {told.budget_s:g}s"
    if told.load:
        yield f"{told.load}: {told.density}"
    if told.units and measured is not None:
        yield f"{round_up(told.units):,} {'examples' if measured.groups is None else 'groups'}"
    if math.isfinite(one.needed_margin):
        yield f"{one.finding.rule.bound.value}: {_limit(one)}"


def _limit(one: Power) -> str:
    """Return the margin that would do as the file writes it, rounded up to two digits."""
    wanted = one.needed_margin * (100 if _relative(one) else 1)
    digits = 1 - math.floor(math.log10(wanted)) if wanted > 0 else 0
    rounded = math.ceil(wanted * 10**digits - 1e-9) / 10**digits
    return f"{rounded:.10g}{'%' if _relative(one) else ''}"


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
    return f"{said} Most of the others are stopped by {_name(worst)}."
