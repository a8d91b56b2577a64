"""What is wrong with a bound, once it is known what the metric means."""

from __future__ import annotations

from collections.abc import Iterator

from mlgate.config.validate.metric_choice import Ruled
from mlgate.config.yaml.fault import Complaint
from mlgate.core.latency import metrics as latency_metrics
from mlgate.core.metric import Better, Metric

_SCALES = {"points": 100.0, "ratio": 1.0}
"""The greatest value of a metric where higher is better, by unit."""

_PERCENT = "2% of the baseline"


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
    if latency_metrics.metric(name) == metric and metric.unit != "ratio":
        yield from _below_zero(ruled, metric)
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
            f"write the drop that is still good enough: {top / 100:g}, or {_PERCENT}",
        )


def _below_zero(ruled: Ruled, metric: Metric) -> Iterator[Complaint]:
    """Yield limits of a time, a rate or a size that only nothing at all could keep or break."""
    rule, above = ruled.rule, f"{ruled.metric} is always above 0"
    if rule.max is not None and rule.max <= 0:
        yield Complaint((*ruled.steps, "max"), f"can never be kept: {above}", "write a greater number")
    if rule.min is not None and rule.min <= 0:
        yield Complaint((*ruled.steps, "min"), f"can never be broken: {above}", "write a greater number, or delete it")
    drop = rule.max_drop
    if drop is not None and drop.relative and drop.amount >= 1 and metric.better is Better.HIGHER:
        hint = f"write the drop that is still good enough: {_PERCENT}"
        yield Complaint((*ruled.steps, "max_drop"), f"can never be broken: {above}", hint)


def notices(ruled: Ruled, metric: Metric) -> Iterator[tuple[str, str]]:
    """Yield bound and sentence of what is likely a slip but may be meant: a fraction where the unit is counted."""
    limit, name = ruled.rule.min, ruled.metric
    if metric.unit == "points" and limit is not None and 0 < limit <= 1:
        yield "min", f"{name} goes from 0 to 100: min {limit:g} is nearly nothing (meant {limit * 100:g}?)"
    if latency_metrics.metric(name) != metric or metric.unit == "ratio":
        return
    for bound, margin in (("max_drop", ruled.rule.max_drop), ("max_rise", ruled.rule.max_rise)):
        if margin is not None and not margin.relative and 0 < margin.amount < 1:
            much = f"{bound} {margin} is {margin} {metric.unit}"
            yield bound, f"{name} is counted in {metric.unit}: {much} (meant {margin.amount * 100:g}%?)"
