"""What timed load saw: requests with their times, in blocks, and how a block travels as the row of a round.

A round is one block of requests for the candidate and, in a duet, one for the baseline, in random order. The row of a
round holds raw times of every request: percentiles are computed after the merge, like every other number.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from mlgate.core.errors import EvidenceError
from mlgate.core.timing import Clock

SKIPPED = "skipped"
"""The key of a round's row that was not needed any more, with the reason."""
ENDED = "ended"
"""The key of a round's row behind which nobody could be asked any more, with the reason."""

_MICRO = 1e6


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request of a block, planned before the block begins."""

    due: float
    """Seconds after the block's start. Ascending in a block."""
    example: int
    """Position of the example that is asked."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of one timed request. All times in seconds."""

    example: int
    """Position of the example that was asked."""
    due: float
    """When it was to be sent, after the block's start. In a closed loop: when it was sent."""
    late: float
    """How much later than due it was sent: the generator's fault, never negative."""
    first: float
    """From due until the first byte of the body, or the first streamed event, was there; NaN when there was none."""
    done: float
    """From due until the reply was whole. A failed request's is never below its time-out."""
    answer: str = ""
    failure: str = ""
    """Why there is no answer; empty when there is one."""
    events: tuple[float, ...] = ()
    """Of a streamed reply: when each piece of text arrived, after due."""

    def times(self, clock: Clock) -> Sequence[float]:
        """Return its times of one clock, in seconds. A failure never counts as fast."""
        match clock:
            case "latency":
                return (self.done,)
            case _ if self.failure:
                return (self.done,)
            case "service":
                return (self.done - self.late,)
            case "ttft":
                first = self.events[0] if self.events else self.first
                return (self.done if math.isnan(first) else first,)
            case "itl":
                return [after - before for before, after in pairwise(self.events)]


@dataclass(frozen=True, slots=True)
class Block:
    """Requests that one model was sent without a pause, and what else was seen meanwhile."""

    replies: tuple[Reply, ...]
    """In the order in which they were due."""
    facts: Mapping[str, float] = field(default_factory=dict)
    """`wall_s`, `cpu_s` (the generator's), `steal_s`; of a container also `server_cpu_s`, `server_memory_mb`."""


def pack(block: Block) -> dict[str, str | float]:
    """Return a block as the facts of a row: one column of whole microseconds a time, equal answers once."""
    replies = block.replies
    texts = list(dict.fromkeys(reply.answer for reply in replies))
    place = {text: index for index, text in enumerate(texts)}
    failures = {str(i): reply.failure for i, reply in enumerate(replies) if reply.failure}
    seen: dict[str, str | float] = {
        "example": " ".join(str(reply.example) for reply in replies),
        "due_us": _column(reply.due for reply in replies),
        "late_us": _column(reply.late for reply in replies),
        "first_us": _column(reply.first for reply in replies),
        "done_us": _column(reply.done for reply in replies),
        "answer": " ".join(str(place[reply.answer]) for reply in replies),
        "answers": json.dumps(texts),
    }
    if failures:
        seen["failures"] = json.dumps(failures)
    if any(reply.events for reply in replies):
        seen["events_us"] = ";".join(_column(reply.events) for reply in replies)
    return {**seen, **{f"fact.{name}": float(value) for name, value in block.facts.items()}}


def unpack(seen: Mapping[str, str | float]) -> Block:
    """Read a block back. Raises EvidenceError for what `pack` would not have written."""
    try:
        examples = [int(text) for text in str(seen["example"]).split()]
        n = len(examples)
        due, late, first, done = (_times(seen, name, n) for name in ("due_us", "late_us", "first_us", "done_us"))
        texts: list[str] = json.loads(str(seen["answers"]))
        answers = [texts[int(index)] for index in str(seen["answer"]).split()]
        failures: dict[str, str] = json.loads(str(seen.get("failures", "{}")))
        streams = str(seen["events_us"]).split(";") if "events_us" in seen else [""] * n
        _insist(len(answers) == n == len(streams) and all(isinstance(text, str) for text in answers))
        replies = tuple(
            Reply(
                examples[i],
                due[i],
                late[i],
                first[i],
                done[i],
                answers[i],
                str(failures.get(str(i), "")),
                tuple(int(text) / _MICRO for text in streams[i].split()),
            )
            for i in range(n)
        )
        facts = {name[5:]: float(value) for name, value in seen.items() if name.startswith("fact.")}
        _insist(all(math.isfinite(value) for value in facts.values()))
    except RecursionError as error:
        raise EvidenceError("a round's row cannot be read: it is nested too deep") from error
    except (KeyError, ValueError, IndexError, TypeError, AttributeError, OverflowError) as error:
        raise EvidenceError(f"a round's row cannot be read: {error}") from error
    return Block(replies, facts)


def _column(times: Iterable[float]) -> str:
    return " ".join("-" if math.isnan(t) else str(round(t * _MICRO)) for t in times)


def _insist(equal: bool) -> None:
    if not equal:
        raise ValueError("columns of unequal length")


def _times(seen: Mapping[str, str | float], name: str, n: int) -> Sequence[float]:
    column = [math.nan if text == "-" else int(text) / _MICRO for text in str(seen[name]).split()]
    if len(column) != n:
        raise ValueError(f"{name} has {len(column)} entries for {n} requests")
    if name != "first_us" and any(math.isnan(t) or t < 0 for t in column):
        raise ValueError(f"{name} has an entry that is no time")
    return column
