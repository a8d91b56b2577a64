"""From rounds to scores: times, rates, facts, and the metrics of the very answers that were timed."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from mlgate.checks.latency_plan import LatencyPlan, Search
from mlgate.core.check import Check, MetricChoice
from mlgate.core.evidence import Observation, Row
from mlgate.core.latency import metrics as latency_metrics
from mlgate.core.latency import stream_text
from mlgate.core.latency.block import LoadBlock, TimedReply, held_back
from mlgate.core.latency.rounds import LatencyRounds
from mlgate.core.metric import ERROR_RATE
from mlgate.core.ports import Score
from mlgate.core.stats.jackknife import Statistics, Unscored, quotient
from mlgate.core.stats.series import Fact, Series, Text
from mlgate.metrics.by_field import scoring

_MS = 1000.0


def scores(check: Check, seen: LatencyRounds) -> list[Score]:
    """Return one score a metric of the check."""
    return [_score(check, choice, seen) for choice in check.metrics]


def _score(check: Check, choice: MetricChoice, seen: LatencyRounds) -> Score:
    name = choice.kind
    asked = latency_metrics.timing(name)
    if name == ERROR_RATE.name:
        return _errors(check, choice.name, seen)
    if name in latency_metrics.FACTS:
        return _fact(check, choice.name, seen)
    if not latency_metrics.metric(name):
        return Unscored(choice.name, seen.cut_off) if seen.cut_off else _answers(check, choice, seen)
    return Unscored(choice.name, seen.flaw) if seen.flaw else _latency_score(check, choice, asked, seen)


def _latency_score(
    check: Check, choice: MetricChoice, asked: latency_metrics.LatencyMetric | None, seen: LatencyRounds
) -> Score:
    """Return a metric of times; with it, what it is over all rounds, where rounds were left out."""
    found = _score_of_kind(check, choice, asked, seen)
    if not seen.omitted or not isinstance(found, Series):
        return found
    whole = _score_of_kind(check, choice, asked, seen.whole())
    return replace(found, whole=whole, omitted=seen.omitted) if isinstance(whole, Series) else whole


def _score_of_kind(
    check: Check, choice: MetricChoice, asked: latency_metrics.LatencyMetric | None, seen: LatencyRounds
) -> Score:
    name = choice.kind
    if asked:
        return _times(check, asked, seen)
    if name == latency_metrics.CACHE_SPEEDUP.name:
        return _cache(check, choice.name, seen)
    return _rate(check, choice.name, seen)


def signature(check: Check, clock: str) -> str:
    """Return what a time was measured with: unlike loads give times that nobody can compare."""
    given = check.params
    mode = str(given.get("mode"))
    facts = {
        "clock": clock,
        "load": mode,
        "rate": given.get("rate") if mode == "open" else None,
        "arrivals": given.get("arrivals") if mode != "closed" else None,
        "stages": given.get("stages") if mode == "stages" else None,
        "concurrency": given.get("concurrency") if mode == "closed" else None,
        "block": given.get("block_s"),
        "token": f"{stream_text.TOKEN} characters" if clock in {"itl", "tokens"} else None,
    }
    return "|".join(f"{key}:{json.dumps(value)}" for key, value in facts.items() if value is not None).replace('"', "")


def _times(check: Check, asked: latency_metrics.LatencyMetric, seen: LatencyRounds) -> Score:
    found, name = seen.times(asked, signature(check, asked.clock)), asked.metric.name
    if not len(found.values):
        held, long = held_back(seen.replies) if asked.clock == "itl" else (0, 0)
        if held and any(reply.events for reply in seen.replies):
            return Unscored(
                name, f"{held:,} of {long:,} replies came in one piece, or nearly: {name} has nothing to time"
            )
        return Unscored(name, f"no reply had a time of that kind: {name} needs replies that are streamed")
    if asked.clock != "itl":
        return found
    answered = [reply for reply in seen.replies if not reply.failure]
    short = sum(1 for reply in answered if not stream_text.has_waits(reply.answer))
    if short > len(answered) / 2:
        return Unscored(name, f"{short:,} of {len(answered):,} replies have fewer than two tokens: {name} has no wait")
    return replace(found, text=_text(seen), pace=_pace(check, seen))


def _text(seen: LatencyRounds, *, whole: bool = False) -> Text:
    """Return how the text came; *whole*: what is measured does not depend on its pieces."""
    answered = [reply for reply in seen.replies if not reply.failure]
    tokens = sum(stream_text.visible(reply.answer) for reply in answered) / stream_text.TOKEN
    if whole or not tokens:
        return Text(tokens / max(1, len(answered)), math.nan)
    came = [reply.pieces for reply in answered if stream_text.has_waits(reply.answer)]
    later = sum(one.size for found in came for one in found[1:]) / stream_text.TOKEN
    return Text(tokens / len(answered), sum(len(found) - 1 for found in came if found) / later if later else math.nan)


def _pace(check: Check, seen: LatencyRounds) -> Series:
    """Return how long each reply took a token, all of it: a failure as if it had one."""
    pairs = [
        (number, reply.done * _MS / max(1.0, stream_text.visible(reply.answer) / stream_text.TOKEN))
        for number, block in seen.counted.items()
        for reply in block.replies
    ]
    return seen.series(latency_metrics.PACE, 0.0, pairs, signature(check, "latency"))


def _rate(check: Check, name: str, seen: LatencyRounds) -> Score:
    """Return one value a round, and their mean."""
    values = {number: _per_round(name, block) for number, block in seen.counted.items()}
    absent = [number for number, value in values.items() if not math.isfinite(value)]
    if absent:
        return Unscored(name, f"round {absent[0]} has nothing to compute {name} from")
    if name != "tokens_per_s":
        return seen.series(latency_metrics.SUMS[name], 0.0, list(values.items()), signature(check, "latency"))
    found = seen.series(latency_metrics.SUMS[name], 0.0, list(values.items()), signature(check, "tokens"))
    return replace(found, text=_text(seen, whole=True))


def _per_round(name: str, block: LoadBlock) -> float:
    answered = [reply for reply in block.replies if not reply.failure]
    match name:
        case "throughput_rps":
            wall = block.facts.get("wall_s", 0.0)
            return len(answered) / wall if wall > 0 else math.nan
        case "cpu_ms_per_request":
            used = block.facts.get("server_cpu_s", math.nan)
            return used * _MS / len(answered) if answered else math.nan
        case _:
            if answered and not any(reply.events for reply in answered):
                return math.nan
            tokens = sum(stream_text.visible(reply.answer) for reply in answered) / stream_text.TOKEN
            seconds = sum(reply.done for reply in block.replies)
            return tokens / seconds if seconds > 0 else math.nan


def _errors(check: Check, name: str, seen: LatencyRounds) -> Statistics:
    """Return failures and requests of each example."""
    rows = np.zeros((len(check.examples), 2))
    for reply in _replies(seen):
        rows[reply.example] += (1.0 if reply.failure else 0.0), 1.0
    asked = np.flatnonzero(rows[:, 1])
    return Statistics(name, ERROR_RATE, "error_rate|timed", rows, quotient, asked, seen.look)


def _fact(check: Check, name: str, seen: LatencyRounds) -> Score:
    metric = latency_metrics.FACTS[name]
    if name == "max_rps":
        return _largest_rate(check, name, seen)
    if name == "peak_memory_mb":
        found = [block.facts[key] for block in seen.done.values() if (key := "server_memory_mb") in block.facts]
        value = max(found, default=math.nan)
    else:
        given = seen.start.get(name, math.nan)
        value = float(given) if isinstance(given, int | float) else math.nan
    if not math.isfinite(value):
        return Unscored(name, f"{name} was not seen: it needs a model that runs from an image")
    return Fact(name, metric, name, value, seen.duet)


def _largest_rate(check: Check, name: str, seen: LatencyRounds) -> Score:
    if seen.cut_off:
        return Unscored(name, seen.cut_off)
    search = Search(LatencyPlan.of(check))
    for number, block in seen.done.items():
        if number not in seen.late:
            search.learn(seen.rates[number], block)
    if not search.held:
        return Unscored(name, f"the bounds were broken even at {search.plan.least:g} requests a second")
    signed = "|".join(f"{k}<={v:g}" for k, v in search.plan.find.items())
    found = Fact(name, latency_metrics.FACTS[name], signed, search.held)
    if not seen.late:
        return found
    whole = _largest_rate(check, name, seen.whole())
    return replace(found, whole=whole, omitted=seen.omitted) if isinstance(whole, Fact) else whole


def _cache(check: Check, name: str, seen: LatencyRounds) -> Score:
    asked_before: set[int] = set()
    fresh: list[tuple[int, float]] = []
    repeated: list[tuple[int, float]] = []
    for number, block in seen.done.items():
        for reply in block.replies:
            into = repeated if reply.example in asked_before else fresh
            asked_before.add(reply.example)
            if number in seen.counted:
                into.append((number, reply.done * _MS))
    if not fresh or not repeated:
        what = "first requests" if not fresh else "repetitions"
        return Unscored(name, f"no {what} were left to compare: {name} needs more examples, or a longer run")
    signed = signature(check, "latency")
    over, under = (seen.series(latency_metrics.CACHE_SPEEDUP, 0.5, part, signed) for part in (fresh, repeated))
    return over.over(under)


def _answers(check: Check, choice: MetricChoice, seen: LatencyRounds) -> Score:
    """Score every timed answer, and sum an example's: rows in the check's order, of the examples that were asked."""
    how = scoring(choice.kind, choice.options, choice.filters)
    counts: dict[tuple[int, str], int] = {}
    for reply in _replies(seen):
        key = reply.example, "" if reply.failure else reply.answer
        counts[key] = counts.get(key, 0) + 1
    try:
        each = how.statistics([answer for _, answer in counts], [check.examples[example] for example, _ in counts])
    except ValueError as error:
        return Unscored(choice.name, str(error))
    rows = np.zeros((len(check.examples), each.shape[1] if each.ndim == 2 else 1))  # noqa: PLR2004 - (n, k)
    np.add.at(rows, [example for example, _ in counts], each * np.asarray(list(counts.values()), float)[:, None])
    asked = np.asarray(sorted({example for example, _ in counts}), np.intp)
    return Statistics(choice.name, how.metric, how.signature(check.examples), rows, how.value, asked, seen.look)


def _replies(seen: LatencyRounds) -> Iterator[TimedReply]:
    for block in seen.done.values():
        yield from block.replies


def first_answers(check: Check, seen: LatencyRounds) -> Mapping[str, Row]:
    """Return a row an example: an answer to show, and how often which came: two sides did the same if all is equal."""
    found: dict[int, Counter[str]] = {}
    failed: Counter[int] = Counter()
    for reply in _replies(seen):
        texts = found.setdefault(reply.example, Counter())
        if reply.failure:
            failed[reply.example] += 1
        else:
            texts[reply.answer] += 1
    return {
        example.id: Observation(check.id, example.id, _answer_summary(found.get(i, Counter()), failed[i]))
        for i, example in enumerate(check.examples)
    }


def _answer_summary(texts: Counter[str], failed: int) -> Mapping[str, str | float]:
    seen: dict[str, str | float] = {"answer": next(iter(texts), ""), "times": json.dumps(sorted(texts.items()))}
    return {**seen, "failed": float(failed)} if failed else seen
