"""Latency: put timed load on the model, in rounds, beside the baseline where there is one; keep every single time."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence

from mlgate.checks.latency_plan import Asked, LatencyPlan, Search, strangers
from mlgate.checks.latency_scores import first_answers, scores
from mlgate.core.check import START, Check
from mlgate.core.errors import ConfigError, EvidenceError, GateError, ModelError, Refused
from mlgate.core.evidence import NOT_ASKED, Gap, Observation, Row
from mlgate.core.latency import rounds as latency_rounds
from mlgate.core.latency.block import ENDED, SKIPPED, LoadBlock, TimedReply, pack
from mlgate.core.ports import ClosedLoop, Decided, Load, OpenLoop, Reading, Score, Standing

_SILENT = 20
"""So many failures, and a whole block of them, without one answer are the end: each may cost a time-out."""


class LatencyKind:
    """One row a round and side. Within a round the sides are asked one after the other, in an order drawn by lot."""

    name = "latency"
    together = True

    def observe(self, check: Check, loads: Mapping[str, Load], decided: Decided) -> Iterator[Row]:
        """Yield how each side was started, its rounds, and a skip for each round that was not needed any more."""
        plan = LatencyPlan.of(check)
        order, searches = plan.order(check), {side: Search(plan) for side in loads}
        rng = random.Random(f"sides {plan.seed}")  # noqa: S311 - a seeded order, not a secret
        seen: list[Row] = [Observation(side, START, dict(load.facts)) for side, load in loads.items()]
        yield from seen
        end, sides = "", list(loads)
        for number in range(1, plan.rounds + 1):
            if end:
                yield from (Observation(side, f"{number:04}", {SKIPPED: end}) for side in loads)
                continue
            asked = Asked(plan, number, order)
            sides = _turn(rng, sides, number)
            for side in sides:
                row = _round(check, loads[side], side, asked, searches[side], first=side == sides[0])
                seen.append(row)
                yield row
            broken = next((row.why for row in seen[-len(sides) :] if isinstance(row, Gap)), "")
            if broken:
                yield from _gaps_from(plan, number + 1, loads, broken)
                return
            end = _gone(check, seen[-len(sides) :]) or _reason_to_stop(check, plan, number, seen, decided)

    def read(self, check: Check, rows: Mapping[str, Row]) -> Reading:
        """Read the rounds, with every block in them."""
        try:
            return Reading(rows, latency_rounds.read(check, rows))
        except EvidenceError as error:
            return Reading(rows, unreadable=str(error))

    def holes(self, check: Check, reading: Reading) -> Mapping[str, str]:
        """Return the rounds that are not there to be judged."""
        found = latency_rounds.holes(check, reading.rows)
        if found:
            return found
        return dict(strangers(check, reading.rounds)) if reading.rounds else {START: reading.unreadable}

    def score(self, check: Check, reading: Reading) -> Sequence[Score]:
        """Turn rounds into times, rates, facts, and the scores of the very answers that were timed."""
        assert reading.rounds is not None
        return scores(check, reading.rounds)

    def answers(self, check: Check, reading: Reading) -> Mapping[str, Row]:
        """Return what was answered to each example: one text, or all that differ."""
        assert reading.rounds is not None
        return first_answers(check, reading.rounds)

    def show(self, row: Row) -> str:
        """Return the answer of an example, and how many of its requests failed."""
        if not isinstance(row, Observation):
            return ""
        failed = float(row.seen.get("failed", 0))
        answer = str(row.seen.get("answer", ""))
        return f"{answer} ({failed:.0f} requests failed)".strip() if failed else answer


def _reason_to_stop(check: Check, plan: LatencyPlan, number: int, seen: Sequence[Row], decided: Decided) -> str:
    """Return why no further round is needed, after a round at which it is planned to look; empty for going on."""
    if plan.once and number == plan.once:
        match decided(check, seen):
            case Standing.DISTURBED:
                return ""
            case Standing.SETTLED:
                return "decided"
            case Standing.OPEN:
                return "not disturbed"
    tried = number - plan.once if number > plan.once else number
    return "decided" if tried in plan.looks[:-1] and decided(check, seen) is Standing.SETTLED else ""


def _turn(rng: random.Random, before: Sequence[str], number: int) -> list[str]:
    """Return who is asked first: at random in odd rounds, the other way round in the even round behind (ABBA).

    So a steady drift drops out, and every second time two blocks of one side are neighbours: the machine's own noise.
    """
    return rng.sample(sorted(before), len(before)) if number % 2 else list(reversed(before))


def _round(check: Check, load: Load, side: str, asked: Asked, search: Search, *, first: bool) -> Row:
    name, rate = f"{asked.number:04}", search.rate(asked.number)
    try:
        block, lost = _block(check, load, asked, search, rate)
        gone = " ".join(load.gone().split())  # it ends with the log's last lines
    except Refused:
        raise
    except GateError as error:
        whose = "" if side == check.id else "the baseline's model did not answer: "
        return Gap(side, name, f"{whose}{error}")
    search.learn(rate, block)
    why = _end(search, block, gone, lost)
    who = (
        f"{latency_rounds.MODEL_GONE}the model"
        if side == check.id
        else f"{latency_rounds.BASELINE_GONE}the baseline's model"
    )
    end = {ENDED: f"{who} {why}"} if why else {}
    duet = str(load.facts.get("run", ""))
    return Observation(side, name, {**pack(block), "first": float(first), "rate": rate, "duet": duet, **end})


def _block(check: Check, load: Load, asked: Asked, search: Search, rate: float) -> tuple[LoadBlock, str]:
    """Return a block, and why the model could not be reached any more; then each request of the block is a failure."""
    plan = asked.plan
    try:
        if plan.mode == "closed":
            picks = asked.picks(len(check.examples))
            return _closed_loop(load).press(check.examples, picks, plan.concurrency, plan.block_s), ""
        return _open_loop(load).fire(check.examples, asked.arrivals(rate)), ""
    except ModelError as error:
        if not search.tried:
            raise
        why = str(error)  # it answered before: it ended under load
    failed = [
        TimedReply(one.example, one.due, 0.0, math.nan, plan.timeout_s, failure=why)
        for one in asked.arrivals(rate or 1.0)
    ]
    return LoadBlock(tuple(failed)), why


def _closed_loop(load: Load) -> ClosedLoop:
    """Return the load as one that keeps so many requests under way. Raises ConfigError for one that cannot."""
    if not isinstance(load, ClosedLoop):
        raise ConfigError("this model cannot be loaded in a closed loop", hint="write load: {rate: …}")
    return load


def _open_loop(load: Load) -> OpenLoop:
    """Return the load as one that keeps a schedule. Raises ConfigError for gRPC, the one that cannot."""
    if not isinstance(load, OpenLoop):
        raise ConfigError(
            "gRPC can only be loaded in a closed loop",
            hint="write load: {concurrency: …}, or ask over HTTP with protocol kserve-v2 for a rate",
        )
    return load


def _end(search: Search, block: LoadBlock, gone: str, lost: str) -> str:
    """Return what became of a model that nobody can ask any more; empty while it can be asked.

    A search overloads on purpose: that nothing is answered at some rate is what it wants to know.
    """
    if gone:
        return f"was gone: {gone}"
    if lost:
        return f"could not be reached any more: {lost}"
    if search.failing >= max(_SILENT, len(block.replies)) and search.plan.mode != "find":
        return f"answered none of its last {search.failing:,} requests: {block.replies[-1].failure}"
    return ""


def _gone(check: Check, seen: Sequence[Row]) -> str:
    """Return why there is nobody to ask any more; the model's own end is told before the baseline's."""
    own_first = sorted(seen, key=lambda row: row.check != check.id)
    return next((str(row.seen[ENDED]) for row in own_first if isinstance(row, Observation) and ENDED in row.seen), "")


def _gaps_from(plan: LatencyPlan, start: int, loads: Mapping[str, Load], why: str) -> Iterator[Row]:
    """Yield a gap for each round that cannot be asked any more."""
    for number in range(start, plan.rounds + 1):
        for side in loads:
            yield Gap(side, f"{number:04}", f"{NOT_ASKED}{why}")
