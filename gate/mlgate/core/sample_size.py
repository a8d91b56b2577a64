"""How much more data would settle a comparison: a forecast, in examples, groups or rounds."""

from __future__ import annotations

import math

from mlgate.core.stats.jackknife import ENOUGH_EQUAL
from mlgate.core.verdict import Delta, Measurement

_FORESEEABLE = 1e6
"""So many times the examples is no advice."""
_FORESEEABLE_ROUNDS = 20.0
"""So many times the rounds of a run is none either: nobody waits for them."""


def to_settle(measured: Measurement, delta: Delta, margin: float) -> str:
    """Say how much more would settle it if the difference stays: as a failure beyond the margin, as a pass within.

    Empty where no such number is advice.
    """
    sign = measured.metric.sign
    room = margin + sign * delta.value
    beyond = sign * delta.value < -margin
    growth = delta.growth(delta.family, 0.0, -sign) if beyond else delta.growth(delta.alone, -sign * margin, sign)
    if not beyond and delta.unseen and math.isfinite(delta.unseen) and room > 0:
        growth = max(growth, _enough(measured, delta, room) / measured.units)
    if delta.rounds and growth >= _FORESEEABLE_ROUNDS:
        return f"more than {_FORESEEABLE_ROUNDS:g} times the rounds would settle it: widen the margin instead"
    if not 1 <= growth < _FORESEEABLE:
        return ""
    if delta.rounds:
        return f"about {round_up(math.floor(delta.rounds * (growth - 1)) + 1):,} more rounds would settle it"
    return f"about {round_up(math.floor(measured.units * growth) + 1):,} {_noun(measured)} would settle it"


def to_miss_less(measured: Measurement, delta: Delta, room: float) -> str:
    """Say how many examples can miss no more than *room*; empty where no such number is advice."""
    if not (room > 0 and delta.unseen / room < _FORESEEABLE):
        return ""
    return f"about {_enough(measured, delta, room):,} {_noun(measured)}"


def _enough(measured: Measurement, delta: Delta, room: float) -> int:
    """Return how many examples, or groups, would do for what so few can miss."""
    needed = math.ceil(measured.units * delta.unseen / room)
    if measured.units < ENOUGH_EQUAL:  # from there on half is held, and nothing where all is equal
        needed = ENOUGH_EQUAL if delta.identical else min(needed, max(ENOUGH_EQUAL, math.ceil(needed / 2)))
    return round_up(needed)


def _noun(measured: Measurement) -> str:
    return "examples" if measured.groups is None else "groups"


def round_up(n: int) -> int:
    """Two leading digits, upwards: a forecast should not look exact."""
    scale: int = 10 ** max(0, len(str(n)) - 2)
    return -(-n // scale) * scale
