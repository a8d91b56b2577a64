"""When a step of a rollout is looked at, and how much each look may err. The same for everybody who looks."""

from __future__ import annotations

from dataclasses import dataclass, replace

GROWTH = 1.5
"""Each look comes so many times later than the one before: to look more often than the data grow tells nothing new."""
EARLY = 10
"""Looks before the step's time is over, from a 58th of it on. They may take the candidate back, and never pass it."""
RECENT_SHARE = 0.25
"""Beside all of a step, its last part is looked at, a quarter as long as the step holds at least: what begins to go
wrong after an hour must not drown in that hour."""
_RECENT_WINDOWS = 12
"""So many windows it has at least."""
_RECENT_MOST_S = 1800.0
"""Longer it need not be: of a step that holds for a week, a quarter would hide a failure for hours."""
_MOST_RECENT = 1000
"""So many looks at the last part of a step err together as often as one look at all of it may."""


@dataclass(frozen=True, slots=True)
class StepLook:
    """One look at a step."""

    after: float
    """Seconds since the step's weight is in effect: what was counted until then is looked at, and nothing later."""
    failing_part: float
    """Which part of the error that all looks together may make this one may, of a reason to go back."""
    passing_part: float = 0.0
    """The same of a reason to go on; 0: the step's time is not over."""


RECENT = StepLook(0.0, 1 / _MOST_RECENT)
"""A look at the last part of a step, as it is read: nothing of it is cut off."""


def recent_span(hold: float, window: float) -> float:
    """Return how many seconds the last part of a step has, which holds for *hold*: *window* is the shortest one."""
    return max(min(RECENT_SHARE * hold, _RECENT_MOST_S), _RECENT_WINDOWS * window)


def last_look(elapsed: float, hold: float) -> StepLook | None:
    """Return the last look that is due *elapsed* seconds into a step that holds for *hold*; None before the first."""
    if not hold > 0:
        return StepLook(elapsed, _part(1), _part(1))
    number, after = 0, hold / GROWTH**EARLY
    while after <= elapsed:
        number, after = number + 1, _after(number + 1, hold)
    if not number:
        return None
    return StepLook(_after(number - 1, hold), _part(number), _part(number - EARLY) if number > EARLY else 0.0)


def only_look(look: StepLook, hold: float) -> StepLook:
    """Return the look at what is judged once, when the step's time is over: that one has all of the error to pass by.

    Before that time it is *look* itself, and later ones show what was there to be seen then. So who waits for another
    rule gets no second chance.
    """
    if not look.passing_part:
        return look
    return replace(last_look(hold, hold) or look, passing_part=1.0)


def _after(index: int, hold: float) -> float:
    return hold * GROWTH ** (index - EARLY)


def _part(number: int) -> float:
    """Return 1/2, 1/6, 1/12 …: together the whole, however many there are."""
    return 1 / (number * (number + 1))
