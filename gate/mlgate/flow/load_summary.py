"""What a latency check sent and saw, beside its rules: percentiles, a histogram, the machine's noise, what was cut."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from mlgate.core.check import Check, Json
from mlgate.core.latency import generator as load_generator
from mlgate.core.latency import rounds as latency_rounds
from mlgate.core.latency.block import TimedReply
from mlgate.core.latency.metrics import timing
from mlgate.core.latency.rounds import LatencyRounds
from mlgate.core.ports import Reading
from mlgate.core.report import LoadSummary, Narrowed, Percentile
from mlgate.core.stats.aa_noise import noise
from mlgate.core.stats.block_bootstrap import log_width
from mlgate.core.stats.ratio import ratio
from mlgate.core.stats.series import Series, shared

SHOWN_PERCENTILES = ("p50_ms", "p90_ms", "p95_ms", "p99_ms")
STREAMED_PERCENTILES = ("ttft_p50_ms", "ttft_p95_ms", "itl_p50_ms", "itl_p95_ms")
_CONFIDENCE = 0.95
_BINS = 24
_WIDEST = 3.0
_RUN = ("run",)
"""Facts of a start that mean nothing to a person."""


def load_summary(check: Check, reading: Reading, baseline: Reading | None) -> LoadSummary:
    """Summarise one latency check. What was not observed gives a summary with a flaw, never an exception."""
    seen, past = reading.rounds, baseline.rounds if baseline else None
    unreadable = reading.unreadable or (baseline.unreadable if baseline else "")
    if seen is None or unreadable:
        return _nothing(check, unreadable)
    past = past if past and past.duet and past.duet == seen.duet else None
    replies = seen.replies
    walls = [block.facts.get("wall_s", 0.0) for block in seen.counted.values()]
    busy = [block.facts.get("cpu_s", 0.0) for block in seen.counted.values()]
    edges = _edges(replies, past.replies if past else ())
    median = _both(seen, past, "p50_ms")
    return LoadSummary(
        check=check.id,
        load=described(check),
        requests=len(replies),
        failed=sum(1 for block in seen.done.values() for reply in block.replies if reply.failure),
        rounds=len(seen.done) - seen.begun,
        planned=latency_rounds.a_try(check),
        warm=seen.warm - seen.begun,
        begun=seen.begun,
        late=len([number for number in seen.late if number > seen.planned_warm]),
        look=seen.look.number,
        looks=len(latency_rounds.places(check)),
        late_p99_ms=load_generator.lateness(replies) * 1000,
        generator=sum(busy) / sum(walls) if sum(walls) > 0 else math.nan,
        noise=noise(*median) if median else math.nan,
        percentiles=tuple(_percentiles(seen, past)),
        edges_ms=edges,
        counts=_counts(replies, edges),
        before=_counts(past.replies, edges) if past else (),
        narrowed=_widest_interval(check, seen, past),
        facts=tuple((name, _text(seen.start[name])) for name in sorted(seen.start, key=_telling) if name not in _RUN),
        flaw=seen.flaw,
    )


def _telling(name: str) -> tuple[bool, bool, str]:
    """Order facts: the sandbox and what its probe found before everything else."""
    return name != "sandbox", not name.startswith("probe."), name


def _nothing(check: Check, why: str) -> LoadSummary:
    nothing = math.nan
    return LoadSummary(
        check.id, described(check), 0, 0, 0, check.rounds, 0, 0, 0, 0, nothing, nothing, nothing, (), (), (), flaw=why
    )


def described(check: Check) -> str:
    """Return how a check loads its model, for people."""
    given = check.params
    block = f"blocks of {_text(given.get('block_s'))} s"
    arrivals = "evenly spaced" if given.get("arrivals") == "constant" else "Poisson"
    match given.get("mode"):
        case "closed":
            return f"closed loop, {_text(given.get('concurrency'))} under way, {block}"
        case "find":
            bounds = given.get("find", {})
            kept = ", ".join(f"{k} <= {_text(v)}" for k, v in bounds.items()) if isinstance(bounds, Mapping) else ""
            return f"open loop, the largest rate that keeps {kept}"
        case "stages":
            stages = given.get("stages", ())
            pairs = [one for one in stages if isinstance(one, Sequence)] if isinstance(stages, Sequence) else []
            rates = ", ".join(f"{_text(one[0])}/s" for one in pairs)
            return f"open loop in stages of {rates}, {arrivals}, {block}"
        case _:
            return f"open loop, {_text(given.get('rate'))}/s, {arrivals}, {block}"


def _text(value: Json) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _percentiles(seen: LatencyRounds, past: LatencyRounds | None) -> Iterator[Percentile]:
    streamed = any(reply.events for reply in seen.replies)
    for name in (*SHOWN_PERCENTILES, *(STREAMED_PERCENTILES if streamed else ())):
        one = _series(seen, name)
        if not len(one.values):
            continue
        value, half = one.corpus(), log_width(one, _CONFIDENCE)
        low, high = value * math.exp(-half), value * math.exp(half)
        both = _both(seen, past, name)
        found = timing(name)
        assert found is not None
        if both is None:
            yield Percentile(found.clock, found.quantile, value, low, high)
            continue
        compared = ratio(*both)
        doubt = compared.half(_CONFIDENCE)
        ends = compared.value * math.exp(-doubt), compared.value * math.exp(doubt)
        yield Percentile(found.clock, found.quantile, value, low, high, both[1].corpus(), compared.value, *ends)


def _both(seen: LatencyRounds, past: LatencyRounds | None, name: str) -> tuple[Series, Series] | None:
    if past is None:
        return None
    one, other = shared(_series(seen, name), _series(past, name))
    return (one, other) if len(one.values) and len(other.values) else None


def _widest_interval(check: Check, seen: LatencyRounds, past: LatencyRounds | None) -> Narrowed | None:
    """Return the compared metric whose interval is widest for its margin, and how it narrowed from look to look."""
    widest, most = "", 0.0
    for rule in check.rules:
        compared = rule.bound.compares and rule.limit > 0 and timing(rule.metric) is not None
        both = _both(seen, past, rule.metric) if compared else None
        if both is None or not both[1].corpus() > 0:
            continue
        half = ratio(*both).half(_CONFIDENCE) / rule.share(both[1].corpus())
        if math.isfinite(half) and half > most:
            widest, most = rule.metric, half
    both = _both(seen, past, widest) if widest else None
    if both is None:
        return None
    places = [place + seen.planned_warm for place in seen.look.places if place + seen.planned_warm <= len(seen.done)]
    told = sorted({places[0], places[len(places) // 2], places[-1]}) if places else [len(seen.done)]
    halves = [ratio(*(side.of(np.arange(place + 1)) for side in both)).half(_CONFIDENCE) for place in told]
    known = [(place - seen.begun, math.expm1(half)) for place, half in zip(told, halves, strict=True)]
    return Narrowed(widest, tuple((rounds, half) for rounds, half in known if math.isfinite(half)))


def _series(seen: LatencyRounds, name: str) -> Series:
    asked = timing(name)
    assert asked is not None
    return seen.times(asked)


def _edges(replies: Sequence[TimedReply], others: Sequence[TimedReply]) -> tuple[float, ...]:
    """Return edges of a histogram with equal steps on the logarithm, from the fastest to the slowest of both sides."""
    times = [reply.done * 1000 for reply in (*replies, *others) if reply.done > 0]
    if not times:
        return ()
    low, high = min(times), min(max(times), _WIDEST * float(np.quantile(times, 0.99)))  # a time-out squeezes the rest
    return tuple(float(edge) for edge in np.geomspace(low, max(high, low * 1.01), _BINS + 1))


def _counts(replies: Sequence[TimedReply], edges: Sequence[float]) -> tuple[int, ...]:
    if not edges:
        return ()
    times = np.clip([reply.done * 1000 for reply in replies], edges[0], edges[-1])
    return tuple(int(count) for count in np.histogram(times, np.asarray(edges))[0])
