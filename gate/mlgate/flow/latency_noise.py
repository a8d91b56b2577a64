"""What a comparison of times cannot show: a tail that few requests reach, a change that the machine's noise hides."""

from __future__ import annotations

import math

from mlgate.core.check import Rule
from mlgate.core.comparison import is_shown_worse, is_within
from mlgate.core.latency.metrics import timing
from mlgate.core.latency.rounds import LatencyRounds
from mlgate.core.stats.aa_noise import noise
from mlgate.core.stats.series import Series
from mlgate.core.verdict import Delta, Finding

TAIL_QUANTILE = 0.99
"""From this percentile on, only an interval narrower than the margin passes."""


def too_wide(rule: Rule, part: Series, delta: Delta) -> str:
    """Return why a tail is not known well enough to pass; empty for one that is, or that is shown worse and fails."""
    if part.quantile < TAIL_QUANTILE:
        return ""
    if not delta.finite:
        known = "from one side only"
    elif math.expm1(delta.alone.half) < rule.share(delta.base) or is_shown_worse(part.metric, delta):
        return ""
    else:
        known = f"to a factor of {math.exp(delta.alone.half):.2f} only"
    return f"{rule.metric} is known {known}, and {rule.limit_text} is narrower: a tail like this needs more requests"


def lost_in_noise(rule: Rule, part: Series, past: Series, delta: Delta) -> str:
    """Return why the difference may be no more than what one model differs from itself by, in this very run.

    What lies within the margin passes, and what moved by more than the noise is judged, whatever the margin. What moved
    by less never fails: so a tighter margin is never milder.
    """
    floor, margin, rounds_of = noise(part, past), rule.share(delta.base), f"{len(part.first)} rounds"
    if math.isnan(floor):
        return f"the machine's own noise is not known from {rounds_of}: {rule.limit_text} may be below it"
    if is_within(part.metric, delta, margin * past.corpus()):
        return ""
    itself = f"a model beside itself differs by up to {floor:.1%} here in {rounds_of}"
    moved = delta.value / delta.base
    if abs(moved) > floor:
        return ""
    if floor > margin:
        return f"{rule.limit_text} is below this machine's own noise: {itself}"
    if is_shown_worse(part.metric, delta):
        return f"{rule.metric} moved by {moved:+.1%}, and that may be this machine's own noise: {itself}"
    return ""


def is_restless(finding: Finding, past: LatencyRounds) -> bool:
    """Return whether the machine is why nothing is known: the baseline beside itself differs by more than is allowed.

    *past* are the baseline's rounds. The candidate has no part in that, so it cannot have its run started over.
    """
    asked, delta = timing(finding.rule.metric), finding.delta
    if finding.topic != "noise" or asked is None or delta is None or not delta.base:
        return False
    times = past.times(asked)
    return noise(times, times, of_both=False) > finding.rule.share(delta.base)
