"""Holding a value against `min` or `max`. Every comparison fails closed."""

from __future__ import annotations

import math

from mlgate.core.check import Bound, Rule
from mlgate.core.metric import Metric
from mlgate.core.outcome import Outcome
from mlgate.core.verdict import Finding, Measurement, unmeasured


def hold_limit(rule: Rule, measured: Measurement) -> Finding:
    """Hold a value against `min` or `max`."""
    unit, least = measured.metric, rule.bound is Bound.MIN
    if not math.isfinite(measured.value):
        why = f"{rule.metric} is {unit.show(measured.value)} on {measured.n:,} examples"
        return unmeasured(measured.check, rule, why, measured.slice)
    kept = measured.value >= rule.limit if least else measured.value <= rule.limit
    shown, limit = _apart(unit, measured.value, rule.limit)
    side = "at" if measured.value == rule.limit else "above" if kept is least else "below"
    why = f"{rule.metric} {shown} is {side} the {'minimum' if least else 'maximum'} {limit}"
    return _finding(rule, measured, Outcome.PASSED if kept else rule.on_breach, why, rule.bound.value)


def hold_bounds(rule: Rule, measured: Measurement, low: float, high: float) -> Finding:
    """Hold a value that is known with doubt against `min` or `max`: *low* and *high* bound it, each at the confidence.

    Passed when the worse bound keeps the limit, failed when even the better one breaks it, else inconclusive.
    """
    unit = measured.metric
    name = f"{rule.metric} {unit.show(measured.value)}"
    if not math.isfinite(measured.value) or math.isnan(low) or math.isnan(high):
        why = f"{name} has no finite bounds on {measured.n:,} requests"
        return _finding(rule, measured, rule.when_inconclusive, why, "too-few")
    least = rule.bound is Bound.MIN
    side = "minimum" if least else "maximum"
    at_best, at_worst = (high, low) if least else (low, high)
    kept, broken = (low >= rule.limit, high < rule.limit) if least else (high <= rule.limit, low > rule.limit)
    sure = f"{rule.confidence * 100:g}%"
    if kept:
        word = "at least" if least else "at most"
        why = f"{name}, {word} {unit.show(at_worst)} ({sure} bound), keeps the {side} {rule.limit:g}"
        return _finding(rule, measured, Outcome.PASSED, why, rule.bound.value)
    if broken:
        word = "at most" if least else "at least"
        why = f"{name}, {word} {unit.show(at_best)} ({sure} bound), breaks the {side} {rule.limit:g}"
        return _finding(rule, measured, rule.on_breach, why, rule.bound.value)
    ends = f"{unit.show(low)} to {unit.show(high)}" if math.isfinite(high) else f"{unit.show(low)} or more"
    why = f"{name} may be {ends}: on both sides of the {side} {rule.limit:g}"
    return _finding(rule, measured, rule.when_inconclusive, why, "inconclusive")


def _finding(rule: Rule, measured: Measurement, outcome: Outcome, why: str, topic: str) -> Finding:
    return Finding(measured.check, rule, outcome, why, topic, measured.slice, measured)


def _apart(metric: Metric, value: float, limit: float) -> tuple[str, str]:
    """Show two numbers with enough digits that they do not look equal when they are not."""
    shown, bound = metric.show(value), f"{limit:g}"
    if value != limit and float(shown) == float(bound):
        return repr(value), repr(limit)
    return shown, bound
