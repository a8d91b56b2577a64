"""The metrics of a latency check, by the names that rules use. What is not here is a metric of the answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from mlgate.core.metric import ERROR_RATE, Better, Metric

Clock = Literal["latency", "service", "ttft", "itl"]
"""From when a request was due to its end; from when it was sent; to the first text; between tokens (stream_text.py)."""

QUANTILE = r"(?:(service|ttft|itl)_)?(?:p(\d{1,2}(?:\.\d{1,2})?)|(mean))_ms"
"""How percentiles and means are called, for Python and for JSON Schema alike."""
_QUANTILE = re.compile(QUANTILE)


@dataclass(frozen=True, slots=True)
class LatencyMetric:
    """A percentile, or the mean, of one clock."""

    metric: Metric
    clock: Clock
    quantile: float
    """0.95 for a p95; 0 for the mean."""


SUMS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        ERROR_RATE,
        Metric("throughput_rps", "1/s", Better.HIGHER),
        Metric("tokens_per_s", "1/s", Better.HIGHER),
        Metric("cpu_ms_per_request", "ms", Better.LOWER),
    )
}
"""One number a round, and their mean; the error rate over all of them."""

FACTS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("peak_memory_mb", "MB", Better.LOWER),
        Metric("image_mb", "MB", Better.LOWER),
        Metric("start_s", "s", Better.LOWER),
        Metric("load_s", "s", Better.LOWER),
        Metric("max_rps", "1/s", Better.HIGHER),
    )
}
"""Numbers that a run has once: no interval."""

STARTING = frozenset({"start_s", "load_s"})
"""Facts of a start: of two runs they are no more comparable than times."""

PACE = Metric("ms_per_token", "ms", Better.LOWER)
"""From when a request was due to its end, by token: a time between tokens is held against it. No rule names it."""

CACHE_SPEEDUP = Metric("cache_speedup", "times", Better.LOWER)
"""Median time of an example's first request over that of its repetitions: a cache answers repetitions faster."""


def timing(name: str) -> LatencyMetric | None:
    """Return the percentile or mean that *name* is about: `p95_ms`, `ttft_p50_ms`, `itl_p99_ms`, `mean_ms`; or None."""
    found = _QUANTILE.fullmatch(name)
    if not found:
        return None
    clock: Clock = found[1] or "latency"  # type: ignore[assignment]  # the pattern's three words
    quantile = float(found[2]) / 100 if found[2] else 0.0
    if found[2] and not 0 < quantile < 1:
        return None
    return LatencyMetric(Metric(name, "ms", Better.LOWER), clock, quantile)


def metric(name: str) -> Metric | None:
    """Return the metric of that name, or None when it is none of a latency check's own."""
    found = timing(name)
    if found:
        return found.metric
    return SUMS.get(name) or FACTS.get(name) or (CACHE_SPEEDUP if name == CACHE_SPEEDUP.name else None)


NAMES = ("p50_ms", "p90_ms", "p95_ms", "p99_ms", "mean_ms", "ttft_p95_ms", "itl_p95_ms", "service_p95_ms")
"""Examples of percentiles, for hints."""


def names() -> tuple[str, ...]:
    """Return the names to suggest; any other percentile is written the same way."""
    return (*NAMES, *SUMS, *FACTS, CACHE_SPEEDUP.name)
