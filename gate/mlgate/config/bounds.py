"""What is wrong with a bound, once it is known what the metric means."""

from __future__ import annotations

from collections.abc import Iterator

from mlgate.config.choices import Ruled
from mlgate.config.fault import Complaint
from mlgate.core.check import Better, Metric

_SCALES = {"points": 100.0, "ratio": 1.0}
"""The greatest value of a metric where higher is better, by unit."""


def senseless(ruled: Ruled, metric: Metric) -> Iterator[Complaint]:
    """Yield what contradicts the metric: a comparison the wrong way round, a limit that nothing can reach or break."""
    rule, steps, name = ruled.rule, ruled.steps, ruled.metric
    drop, rise = ("max_drop", "max_rise")
    if rule.max_drop is not None and metric.better is Better.LOWER:
        says = f"is the wrong way round: lower is better for {name}"
        yield Complaint((*steps, drop), says, f"write {rise}: {rule.max_drop}", at_key=True)
    if rule.max_rise is not None and metric.better is Better.HIGHER:
        says = f"is the wrong way round: higher is better for {name}"
        yield Complaint((*steps, rise), says, f"write {drop}: {rule.max_rise}", at_key=True)
    top = _SCALES.get(metric.unit)
    if top is None or metric.better is Better.LOWER:
        return
    if rule.min is not None and rule.min > top:
        yield Complaint(
            (*steps, "min"),
            f"can never be reached: {name} goes from 0 to {top:g}",
            f"write {rule.min / 100:g}" if rule.min <= 100 * top else "",
        )
    if rule.max_drop is not None and rule.max_drop.amount >= (1.0 if rule.max_drop.relative else top):
        yield Complaint(
            (*steps, drop),
            f"can never be broken: {name} goes from 0 to {top:g}",
            f"write the drop that is still good enough: {top / 100:g}, or 2% of the baseline",
        )


def notice(ruled: Ruled, metric: Metric) -> str:
    """Return what is likely a slip but may be meant: a ratio where points are counted."""
    limit = ruled.rule.min
    if metric.unit == "points" and limit is not None and 0 < limit <= 1:
        return f"{ruled.metric} goes from 0 to 100: min {limit:g} is nearly nothing (meant {limit * 100:g}?)"
    return ""
