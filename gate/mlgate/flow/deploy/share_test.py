"""A rule about users' requests, as a question about a share of them, and what is said of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mlgate.core.check import Rule
from mlgate.core.metric import Metric
from mlgate.core.stats.shares import Counted
from mlgate.core.verdict import Measurement


@dataclass(frozen=True, slots=True)
class ShareTest:
    """One rule at one look."""

    rule: Rule
    metric: Metric
    verb: str
    """What the requests did that are counted: `failed`, `took longer than 250 ms`."""
    mine: Counted
    its: Counted | None
    """Of what serves beside; None where nothing does."""
    most: float
    """More than this breaks the rule: a share, or how much more than what serves."""
    to_go_on: float
    """At most this lets the next step keep it. Not below `most`: not all requests are the candidate's."""
    value: Measurement
    before: Measurement | None

    @property
    def best(self) -> float:
        """Return what is held against the rule: a share, or how much more than what serves."""
        return self.mine.share - self.its.share if self.rule.bound.compares and self.its else self.mine.share

    @property
    def seen(self) -> str:
        """Say what was counted."""
        after = f"{percent(self.mine.share)} of {self.mine.n:,.0f} requests {self.verb}"
        if self.metric.unit == "ms":
            at = ", judged at the edge of a bucket that is nearest to it" if self.rule.bound.compares else ""
            after = f"{self.rule.metric} {_between(self.value)}{at}: {after}"
        beside = f", and {percent(self.its.share)} of those of the model that serves" if self.its is not None else ""
        return f"{after}{beside}"

    def allowed(self, most: float) -> str:
        """Say what the rule allows."""
        return f"{self.rule.limit_text} allows {points(most) if self.rule.bound.compares else percent(most)}"


def _between(one: Measurement) -> str:
    if not math.isfinite(one.value):
        return f"is more than {one.low:g} ms"
    return f"is between {one.low:g} and {one.high:g} ms"


def percent(share: float) -> str:
    """Show a share of requests."""
    return f"{share * 100:.3g}%"


def points(share: float) -> str:
    """Show a difference between two shares of requests."""
    return f"{share * 100:+.3g} points".replace("-", "\N{MINUS SIGN}")
