"""Whole reports of latency checks: a slower model, a margin below the noise, a late generator, a stream that holds."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from statistics import NormalDist
from typing import Any

from mlgate.core.check import Bound, Rule
from mlgate.core.comparison import hold_baseline
from mlgate.core.evidence import Environment, Provenance
from mlgate.core.limits import hold_bounds, hold_limit
from mlgate.core.metric import Better, Metric
from mlgate.core.outcome import Outcome
from mlgate.core.report import BaselineSummary, CheckSummary, LoadSummary, Narrowed, Percentile, Report
from mlgate.core.stats.jackknife import Width
from mlgate.core.verdict import Delta, Finding, Measurement, unmeasured

P50, P95, P99 = (Metric(f"{name}_ms", "ms", Better.LOWER) for name in ("p50", "p95", "p99"))
TTFT = Metric("ttft_p95_ms", "ms", Better.LOWER)
ERRORS = Metric("error_rate", "ratio", Better.LOWER)

_PROVENANCE = Provenance(
    commit="3f9c2d1b7a6e5f4c3b2a190817263544f0e1d2c3",
    suite="b9" * 32,
    model="sha256:" + "5a" * 32,
    data=(("speed", "d4" * 32),),
    baseline="sha256:" + "4e" * 32,
)
_BASELINE = BaselineSummary(
    "image registry.example/summarizer:1.4",
    "a81b0c27d6e5f4c3b2a190817263544f0e1d2c3b",
    "sha256:" + "4e" * 32,
    "c7" * 32,
)
_STARTED = (
    ("probe.capabilities", "none"),
    ("probe.network", "lo only"),
    ("probe.privileges", "no new"),
    ("probe.reaches", "nothing"),
    ("probe.rootfs", "read-only"),
    ("probe.seccomp", "filter"),
    ("probe.user", "65532"),
    ("sandbox", "strict"),
    ("start_s", "2.1"),
)
_BINS = 24


def times(median: float, spread: float, n: int, tail: float) -> list[float]:
    """Return *n* times, ascending: log-normal, and slower by *tail* (relative) towards the slowest."""
    normal = NormalDist()
    ranks = [(index + 0.5) / n for index in range(n)]
    return [median * math.exp(spread * normal.inv_cdf(rank)) * (1 + tail * rank**8) for rank in ranks]


def at(found: Sequence[float], quantile: float) -> float:
    return round(found[math.ceil(quantile * len(found)) - 1], 2)


def percentile(
    after: Sequence[float], before: Sequence[float], quantile: float, width: float, clock: str = "latency"
) -> Percentile:
    """Return a percentile of both sides; *width* is the half width of both logarithms."""
    value, factor = at(after, quantile), math.exp(width)
    one = Percentile(clock, quantile, value, round(value / factor, 2), round(value * factor, 2))
    if not before:
        return one
    baseline = at(before, quantile)
    ratio = value / baseline
    ends = round(ratio / factor, 4), round(ratio * factor, 4)
    return replace(one, baseline=baseline, ratio=round(ratio, 4), ratio_low=ends[0], ratio_high=ends[1])


def counted(found: Sequence[float], edges: Sequence[float]) -> tuple[int, ...]:
    places = [min(len(edges) - 2, max(0, bisect_right(edges, time) - 1)) for time in found]
    return tuple(places.count(number) for number in range(len(edges) - 1))


def load(after: Sequence[float], before: Sequence[float], **more: Any) -> LoadSummary:
    low, high = min((*after, *before)) * 0.999, max((*after, *before)) * 1.001
    edges = tuple(round(low * (high / low) ** (number / _BINS), 4) for number in range(_BINS + 1))
    whole = LoadSummary(
        check="speed",
        load="open loop, 50/s, Poisson, blocks of 1 s",
        requests=len(after),
        failed=0,
        rounds=30,
        planned=60,
        warm=3,
        late=0,
        look=2,
        looks=3,
        late_p99_ms=0.06,
        generator=0.21,
        noise=0.008,
        percentiles=tuple(
            percentile(after, before, q, width) for q, width in ((0.5, 0.006), (0.9, 0.012), (0.95, 0.02), (0.99, 0.06))
        ),
        edges_ms=edges,
        counts=counted(after, edges),
        before=counted(before, edges) if before else (),
        narrowed=Narrowed("p95_ms", ((10, 0.061), (20, 0.037), (30, 0.024))) if before else None,
        facts=_STARTED,
    )
    return replace(whole, **more)


def measured(metric: Metric, one: Percentile, *, before: bool = False) -> Measurement:
    value = one.baseline if before else one.value
    factor = one.high / one.value
    signature = "clock:latency|load:open|rate:50|arrivals:poisson|block:1"
    return Measurement("speed", metric.name, metric, value, 1502, value / factor, value * factor, signature)


def rule(metric: Metric, bound: Bound, limit: float, line: int = 19, **options: Any) -> Rule:
    return replace(Rule(metric.name, bound, float(limit), where=f"mlgate.yaml:{line}:18"), **options)


def delta(one: Percentile) -> Delta:
    half = math.log(one.ratio_high / one.ratio)
    return Delta(
        one.value - one.baseline,
        Width(half),
        Width(half * 1.1),
        base=one.baseline,
        rounds=27,
        error=half / 2,
        by_request=True,
    )


def errors(failed: int = 0) -> Measurement:
    return Measurement(
        "speed", "error_rate", ERRORS, failed / 1652, 33, 0.0, 0.0018 + 2 * failed / 1652, "error_rate|timed"
    )


def report(findings: list[Finding], loads: list[LoadSummary], parts: list[Measurement], **more: Any) -> Report:
    before = more.pop("before", [])
    whole = Report(
        model="summarizer",
        suite=_PROVENANCE.suite,
        evidence="e1" * 32,
        provenance=_PROVENANCE,
        environments=(Environment("3.11.7", "Linux-x86_64", "Example CPU", ()),),
        checks=(CheckSummary("speed", "latency", 61, 61, 0),),
        findings=tuple(sorted(findings, key=lambda f: -f.outcome)),
        measurements=tuple(parts),
        before=tuple(before),
        baseline=_BASELINE if before else None,
        loads=tuple(loads),
    )
    return replace(whole, **more)


def slower() -> Report:
    """Return a duet in which the p95 is 10 % up, and the median hardly."""
    after, before = times(41.2, 0.2, 1502, 0.16), times(40.6, 0.2, 1498, 0.02)
    one = load(after, before, late=1)
    p50, _, p95, p99 = one.percentiles
    findings = [
        hold_baseline(
            rule(P95, Bound.MAX_RISE, 0.05, relative=True),
            measured(P95, p95),
            measured(P95, p95, before=True),
            delta(p95),
        ),
        hold_baseline(
            rule(P50, Bound.MAX_RISE, 0.05, 18, relative=True),
            measured(P50, p50),
            measured(P50, p50, before=True),
            delta(p50),
        ),
        hold_bounds(rule(P95, Bound.MAX, 120), measured(P95, p95), p95.low, p95.high),
        hold_limit(rule(ERRORS, Bound.MAX, 0, 20), errors()),
    ]
    before_parts = [measured(m, p, before=True) for m, p in ((P50, p50), (P95, p95), (P99, p99))]
    parts = [measured(P50, p50), measured(P95, p95), measured(P99, p99), errors()]
    return report(findings, [one], parts, before=[*before_parts, errors()])


def noisy() -> Report:
    """Return a duet on a machine whose own noise is larger than the margin."""
    after, before = times(41.0, 0.3, 1502, 0.1), times(40.6, 0.3, 1498, 0.1)
    widths = ((0.5, 0.05), (0.9, 0.07), (0.95, 0.09), (0.99, 0.16))
    one = load(after, before, noise=0.038, rounds=60, look=3)
    one = replace(one, percentiles=tuple(percentile(after, before, q, width) for q, width in widths))
    p95 = one.percentiles[2]
    why = "max_rise 5% is below this machine's own noise: a model beside itself differs by up to 6.7% here in 57 rounds"
    rise = rule(P95, Bound.MAX_RISE, 0.05, relative=True)
    part, past = measured(P95, p95), measured(P95, p95, before=True)
    findings = [
        Finding("speed", rise, Outcome.INCONCLUSIVE, why, "noise", "", part, past, delta(p95)),
        hold_bounds(rule(P95, Bound.MAX, 120), part, p95.low, p95.high),
    ]
    return report(findings, [one], [part], before=[past])


def late() -> Report:
    """Return a run in which the generator, not the model, was measured."""
    why = (
        "the generator, not the model, was measured in 9 of 30 rounds: requests left 2.31 ms late (p99), "
        "the generator's core was 94% busy, 0% stolen; a lower rate, or a machine with a core to spare, is needed"
    )
    one = load(times(6.1, 0.25, 14210, 0.6), (), load="open loop, 800/s, Poisson, blocks of 1 s", late=9, flaw=why)
    one = replace(one, late_p99_ms=2.31, generator=0.94, noise=math.nan, failed=4)
    findings = [
        unmeasured("speed", rule(P95, Bound.MAX, 12), why),
        hold_limit(rule(ERRORS, Bound.MAX, 0.01, 20), errors(4)),
    ]
    return report(findings, [one], [errors(4)])


def streaming() -> Report:
    """Return a streamed duet that holds: whole replies, the first token, and between tokens."""
    after, before = times(1810.0, 0.3, 642, 0.1), times(1834.0, 0.3, 640, 0.1)
    first, first_before = times(212.0, 0.2, 642, 0.2), times(213.0, 0.2, 640, 0.2)
    between, between_before = times(11.3, 0.12, 40_000, 0.4), times(11.6, 0.12, 40_000, 0.4)
    one = load(after, before, load="closed loop, 8 under way, blocks of 2 s", noise=0.011, generator=0.04)
    tokens = [
        percentile(first, first_before, 0.5, 0.01, "ttft"),
        percentile(first, first_before, 0.95, 0.02, "ttft"),
        percentile(between, between_before, 0.5, 0.004, "itl"),
        percentile(between, between_before, 0.95, 0.008, "itl"),
    ]
    one = replace(one, percentiles=(*one.percentiles, *tokens))
    ttft = tokens[1]
    part, past = measured(TTFT, ttft), measured(TTFT, ttft, before=True)
    findings = [
        hold_baseline(rule(TTFT, Bound.MAX_RISE, 0.05, relative=True), part, past, delta(ttft)),
        hold_bounds(rule(TTFT, Bound.MAX, 400), part, ttft.low, ttft.high),
    ]
    return report(findings, [one], [part], before=[past])


ALL = {"slower": slower, "noisy": noisy, "late": late, "streaming": streaming}
