"""Latency: put timed load on the model, in rounds, beside the baseline where there is one; keep every single time."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence

from mlgate.checks.timed_plan import Asked, Plan, Search
from mlgate.checks.timed_scores import first_answers, scores
from mlgate.core import rounds
from mlgate.core.check import START, Check
from mlgate.core.errors import EvidenceError, GateError, ModelError
from mlgate.core.evidence import Gap, Observation, Row
from mlgate.core.ports import Decided, Load, Score
from mlgate.core.timed import SKIPPED, Block, Reply, pack, unpack


class Latency:
    """One row a round and side. Within a round the sides are asked one after the other, in random order."""

    name = "latency"
    together = True

    def observe(self, check: Check, loads: Mapping[str, Load], decided: Decided) -> Iterator[Row]:
        """Yield how each side was started, its rounds, and a skip for each round that was not needed any more."""
        plan = Plan.of(check)
        order, searches = plan.order(check), {side: Search(plan) for side in loads}
        rng = random.Random(f"sides {plan.seed}")  # noqa: S311 - a seeded order, not a secret
        seen: list[Row] = [Observation(side, START, dict(load.facts)) for side, load in loads.items()]
        yield from seen
        end = ""
        for number in range(1, plan.rounds + 1):
            if end:
                yield from (Observation(side, f"{number:04}", {SKIPPED: end}) for side in loads)
                continue
            asked = Asked(plan, number, order)
            sides = rng.sample(list(loads), len(loads))
            for side in sides:
                row = _round(check, loads[side], side, asked, searches[side], first=side == sides[0])
                seen.append(row)
                yield row
            broken = next((row.why for row in seen[-len(sides) :] if isinstance(row, Gap)), "")
            if broken:
                yield from _never(plan, number + 1, loads, broken)
                return
            end = _gone(check, plan, loads, seen[-len(sides) :]) or (
                "decided" if number in plan.looks[:-1] and decided(check, seen) else ""
            )

    def holes(self, check: Check, rows: Mapping[str, Row]) -> Mapping[str, str]:
        """Return the rounds that are not there to be judged."""
        found = dict(rounds.holes(check, rows))
        if not found:
            try:
                rounds.read(check, rows)
            except EvidenceError as error:
                found[START] = str(error)
        return found

    def score(self, check: Check, rows: Mapping[str, Row]) -> Sequence[Score]:
        """Turn rounds into times, rates, facts, and the scores of the very answers that were timed."""
        return scores(check, rounds.read(check, rows))

    def answers(self, check: Check, rows: Mapping[str, Row]) -> Mapping[str, Row]:
        """Return what was answered to each example: one text, or all that differ."""
        return first_answers(check, rounds.read(check, rows))

    def show(self, row: Row) -> str:
        """Return the answer of an example."""
        return str(row.seen.get("answer", "")) if isinstance(row, Observation) else ""


def _round(check: Check, load: Load, side: str, asked: Asked, search: Search, *, first: bool) -> Row:
    plan, name = asked.plan, f"{asked.number:04}"
    rate = search.rate(asked.number)
    try:
        if plan.mode == "closed":
            block = load.press(check.examples, asked.picks(len(check.examples)), plan.concurrency, plan.block_s)
        else:
            block = load.fire(check.examples, asked.arrivals(rate))
    except ModelError as error:
        if not search.tried:
            return Gap(side, name, str(error))
        block = _lost(asked, plan.timeout_s, str(error), rate)  # it answered before: it ended under load
    except GateError as error:
        return Gap(side, name, str(error))
    search.learn(rate, block)
    duet = str(load.facts.get("run", ""))
    return Observation(side, name, {**pack(block), "first": float(first), "rate": rate, "duet": duet})


def _lost(asked: Asked, timeout_s: float, why: str, rate: float) -> Block:
    """Return a block of which no request could be sent any more: each is a failure."""
    arrivals = asked.arrivals(rate or 1.0)
    replies = [Reply(one.example, one.due, 0.0, math.nan, timeout_s, failure=why) for one in arrivals]
    return Block(tuple(replies))


def _gone(check: Check, plan: Plan, loads: Mapping[str, Load], seen: Sequence[Row]) -> str:
    """Return why there is nobody to ask any more: a side's process ended, or it answered nothing in its last round.

    A search overloads on purpose: that nothing is answered at some rate is what it wants to know.
    """
    for row in sorted(seen, key=lambda row: row.check != check.id):  # the model's own end is told before the baseline's
        ended = loads[row.check].gone()
        why = f"was gone: {ended}" if ended else _unanswered(row) if plan.mode != "find" else ""
        if why and row.check == check.id:
            return f"{rounds.GONE}the model {why}"
        if why:
            return f"{rounds.BASELINE_GONE}the baseline's model {why}"
    return ""


def _unanswered(row: Row) -> str:
    replies = unpack(row.seen).replies if isinstance(row, Observation) else ()
    if not replies or not all(reply.failure for reply in replies):
        return ""
    return f"answered none of its last {len(replies)} requests: {replies[-1].failure}"


def _never(plan: Plan, start: int, loads: Mapping[str, Load], why: str) -> Iterator[Row]:
    """Yield a gap for each round that cannot be asked any more."""
    for number in range(start, plan.rounds + 1):
        for side in loads:
            yield Gap(side, f"{number:04}", f"not asked: {why}")
