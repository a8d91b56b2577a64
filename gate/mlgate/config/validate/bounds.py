"""What is wrong with a bound, once it is known what the metric means: each is held against its range and direction."""

from __future__ import annotations

from collections.abc import Iterator

from mlgate.config.sections.rule import Margin
from mlgate.config.validate.metric_choice import ResolvedMetric, Ruled
from mlgate.config.yaml.fault import Complaint
from mlgate.core.latency import metrics as latency_metrics
from mlgate.core.metric import Better

_PERCENT = "2% of the baseline"
_EDITS = frozenset({"ter", "wer", "cer"})
"""Counts of edits: a model that says nothing has the whole unit, and one that says too much has more."""
_NEARLY_NOTHING = 0.1
"""Points, of 100, that no two runs of one model would keep."""


def senseless(ruled: Ruled, one: ResolvedMetric) -> Iterator[Complaint]:
    """Yield every bound that can never bind or never hold: the wrong way round, or beyond what the metric can be."""
    yield from _wrong_way(ruled, one)
    if one.metric.better is Better.HIGHER:
        yield from _lower_limit(ruled, one)
    else:
        yield from _upper_limit(ruled, one)
    yield from _margin(ruled, one)


def _wrong_way(ruled: Ruled, one: ResolvedMetric) -> Iterator[Complaint]:
    """Yield bounds that would stop the better model."""
    rule, higher = ruled.rule, one.metric.better is Better.HIGHER
    says = f"is the wrong way round: {one.metric.better.value} is better for {ruled.metric}"
    wrong, right = ("max", "min") if higher else ("min", "max")
    limit: float | None = getattr(rule, wrong)
    if limit is not None:
        more = "; a better model would be stopped"
        band, recorded = getattr(rule, right) is not None, one.choice.kind == "recorded"
        hint = "delete it" if band else f"write {right}: {_turned(limit, one):.12g}"
        if band and recorded:
            hint = "delete it; for a band, record how far the number is from what is right"
        yield Complaint((*ruled.steps, wrong), says + more, hint, at_key=True)
    wrong, right = ("max_rise", "max_drop") if higher else ("max_drop", "max_rise")
    margin: Margin | None = getattr(rule, wrong)
    if margin is not None:
        written = str(margin) if margin.relative or not _in_percent(margin.amount, one) else f"{margin.amount / 100:g}"
        hint = "delete it" if getattr(rule, right) is not None else f"write {right}: {written}"
        yield Complaint((*ruled.steps, wrong), says, hint, at_key=True)


def _turned(limit: float, one: ResolvedMetric) -> float:
    """Return what whoever wrote the wrong one of min and max meant by the other: the same, in the metric's unit."""
    metric = one.metric
    value = limit / 100 if _in_percent(limit, one) else limit
    if metric.better is Better.LOWER and metric.unit == "ratio" and 1 / 2 < value <= 1:
        value = 1 - value  # 0.95 of something good is 0.05 of errors
    if _has_range(one) and (value <= 0 or (metric.span and value >= metric.span)):
        return _example(one)
    return value


def _lower_limit(ruled: Ruled, one: ResolvedMetric) -> Iterator[Complaint]:
    """Yield a `min`, of a metric where higher is better, that nothing can reach or everything keeps."""
    limit, metric, name, steps = ruled.rule.min, one.metric, ruled.metric, (*ruled.steps, "min")
    if limit is None or not _has_range(one):
        return
    if limit > metric.most:
        hint = f"write {limit / 100:g}" if _in_percent(limit, one) else f"write at most {metric.most:g}"
        yield Complaint(steps, f"can never be reached: {name} goes from 0 to {metric.most:g}", hint)
    if limit > metric.least:
        return
    if not metric.span:
        says = f"can never be broken: {name} is always above 0"
        yield Complaint(steps, says, f"write a greater number, e.g. {_example(one):g}, or delete it")
        return
    hint = f"write the least that is still good enough, e.g. {_example(one):g}"
    if limit < 0:
        meant = -limit / 100 if _in_percent(-limit, one) else -limit
        hint = f"write {meant:g}, or max_drop: {meant:g} for how far it may fall below the baseline"
    yield Complaint(steps, f"can never be broken: {name} goes from 0 to {metric.most:g}", hint)


def _upper_limit(ruled: Ruled, one: ResolvedMetric) -> Iterator[Complaint]:
    """Yield a `max`, of a metric where lower is better, that nothing can keep or everything keeps."""
    limit, metric, name, steps = ruled.rule.max, one.metric, ruled.metric, (*ruled.steps, "max")
    if limit is None or not _has_range(one):
        return
    if limit < 0 or (limit == 0 and not metric.span):
        above = f"{name} is never below 0" if metric.span else f"{name} is always above 0"
        hint = f"write {-limit / 100 if _in_percent(-limit, one) else -limit:g}" if limit < 0 and metric.span else ""
        yield Complaint(steps, f"can never be kept: {above}", hint or f"write a greater number, e.g. {_example(one):g}")
    elif metric.span and limit >= metric.span:
        hint = f"write {limit / 100:g}" if _in_percent(limit, one) else f"e.g. {_example(one):g}"
        yield Complaint(steps, _stops_nobody(name, one), f"{hint}: the most that is still good enough")
    elif one.choice.kind in _EDITS and metric.unit == "points" and 0 < limit < 1:
        says = f"can hardly be kept: {name} is counted in points, and of 100 edits {limit:g} is less than one"
        yield Complaint(steps, says, f"write {limit * 100:g}, or 0 where nothing may differ")


def _margin(ruled: Ruled, one: ResolvedMetric) -> Iterator[Complaint]:
    """Yield a `max_drop` or `max_rise` that allows all there is to lose."""
    metric, name = one.metric, ruled.metric
    higher = metric.better is Better.HIGHER
    bound, margin = ("max_drop", ruled.rule.max_drop) if higher else ("max_rise", ruled.rule.max_rise)
    if margin is None or not _has_range(one):
        return
    steps, word = (*ruled.steps, bound), "drop" if higher else "rise"
    if margin.relative:
        if higher and margin.amount >= 1:
            says = f"can never be broken: {_range(name, one)}"
            yield Complaint(steps, says, f"write the drop that is still good enough: {_PERCENT}")
    elif metric.span and margin.amount >= metric.span:
        amount = margin.amount / 100 if _in_percent(margin.amount, one) else metric.span / 100
        says = _stops_nobody(name, one)
        yield Complaint(steps, says, f"write the {word} that is still good enough: {amount:g}, or {_PERCENT}")


def usual(one: ResolvedMetric | None, number: float | None) -> str:
    """Return a rule as it is written for whoever gave the metric a *number* alone, or nothing: `{min: 0.3}`."""
    if one is None:
        return "{min: …}, or {max: …} where lower is better" if number is None else f"{{min: {number:.12g}}}"
    metric, limit = one.metric, number
    if limit is not None:
        limit = limit / 100 if _in_percent(limit, one) else limit
        limit = limit * 100 if metric.unit == "points" and 0 < limit < 1 else limit
    if limit is None or (_has_range(one) and (limit <= 0 or (metric.span and limit >= metric.span))):
        limit = _example(one)
    return f"{{{'min' if metric.better is Better.HIGHER else 'max'}: {limit:.12g}}}"


def _has_range(one: ResolvedMetric) -> bool:
    """Whether it is known what the metric can be: of what a user's tests record the unit alone may say."""
    return one.metric.unit != "" and (one.choice.kind != "recorded" or one.metric.span > 0)


def _in_percent(number: float, one: ResolvedMetric) -> bool:
    """Whether a bound of a ratio is a percentage by mistake: 15 where 0.15 belongs."""
    least = number > 1 if one.metric.better is Better.HIGHER else number >= 1
    return one.metric.unit == "ratio" and least and number < 100  # noqa: PLR2004 - percent


def _range(name: str, one: ResolvedMetric) -> str:
    return f"{name} goes from 0 to {one.metric.span:g}" if one.metric.span else f"{name} is always above 0"


def _stops_nobody(name: str, one: ResolvedMetric) -> str:
    """Say why a bound as wide as the unit is none."""
    whole = f"{one.metric.span:g}"
    if one.choice.kind in _EDITS:
        return f"stops nobody: a model that says nothing at all has {name} {whole}"
    if one.metric.most == one.metric.span or one.choice.kind == "recorded":
        return f"can never be broken: {_range(name, one)}"
    return f"stops nobody: {name} is {whole} where everything is wrong"


def _example(one: ResolvedMetric) -> float:
    """Return a bound as people write it for metrics of that unit."""
    higher = one.metric.better is Better.HIGHER
    match one.metric.unit:
        case "ratio":
            return 0.3 if higher else 0.01 if one.metric.most == 1 else 0.15
        case "points":
            return 30 if higher else 60
        case "ms":
            return 200
        case _:
            return 10


def notices(ruled: Ruled, one: ResolvedMetric) -> Iterator[tuple[str, str]]:
    """Yield bound and sentence of what is likely a slip but may be meant: a number in the scale of another unit."""
    metric, name, rule = one.metric, ruled.metric, ruled.rule
    for bound, limit in (("min", rule.min), ("max", rule.max)):
        if metric.unit == "points" and limit is not None and 0 < limit <= 1:
            yield bound, f"{name} goes from 0 to 100: {bound} {limit:g} is nearly nothing (meant {limit * 100:g}?)"
    timed = latency_metrics.metric(name) == metric and metric.unit != "ratio"
    if timed and metric.unit == "ms" and rule.max is not None and 0 < rule.max < 1:
        yield "max", f"{name} is counted in ms: max {rule.max:g} is {rule.max:g} ms (meant {rule.max * 1000:g}?)"
    for bound, margin in (("max_drop", rule.max_drop), ("max_rise", rule.max_rise)):
        if margin is None or not margin.amount:
            continue
        if metric.unit == "points" and not margin.relative and margin.amount <= _NEARLY_NOTHING:
            meant = f"{bound} {margin} is nearly nothing (meant {margin.amount * 100:g}?)"
            yield bound, f"{name} goes from 0 to 100: {meant}"
        if timed and not margin.relative and margin.amount < 1:
            much = f"{bound} {margin} is {margin} {metric.unit}"
            yield bound, f"{name} is counted in {metric.unit}: {much} (meant {margin.amount * 100:g}%?)"
