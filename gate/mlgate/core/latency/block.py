"""What timed load saw: requests with their times, in blocks, and how a block travels as the row of a round.

A round is one block of requests for the candidate and, in a duet, one for the baseline, in random order. The row of a
round holds raw times of every request: percentiles are computed after the merge, like every other number.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise

from mlgate.core.errors import EvidenceError
from mlgate.core.latency import stream_text
from mlgate.core.latency.metrics import Clock

SKIPPED = "skipped"
"""The key of a round's row that was not needed any more, with the reason."""
ENDED = "ended"
"""The key of a round's row behind which nobody could be asked any more, with the reason."""

COLUMNS = frozenset(
    {
        "example",
        "due_us",
        "late_us",
        "first_us",
        "done_us",
        "answer",
        "answers",
        "failures",
        "events_us",
        "events_chars",
    }
)
"""The facts of a round's row that hold its requests, one entry each."""

_MICRO = 1e6


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request of a block, planned before the block begins."""

    due: float
    """Seconds after the block's start. Ascending in a block."""
    example: int
    """Position of the example that is asked."""


@dataclass(frozen=True, slots=True)
class TimedReply:
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
    """Of a streamed reply: when each piece of text arrived, after due. What came in one read is one piece."""
    sizes: tuple[int, ...] = ()
    """How many characters of the answer each piece brought; empty in rows of older versions."""

    @property
    def pieces(self) -> list[stream_text.Piece]:
        """Return the pieces of a streamed reply that a person could tell apart."""
        return stream_text.pieces(self.answer, self.events, self.sizes)

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
                came = self.pieces
                first = stream_text.first_token(came) if self.events else self.first
                return (self.done if math.isnan(first) else first,)
            case "itl":
                return stream_text.waits(self.pieces, self.done) if self.events else ()


def clocked(replies: Sequence[TimedReply], clock: Clock) -> list[Sequence[float]]:
    """Return the times of one clock, in seconds, of each reply.

    A failed reply has as many waits between tokens as the others have on average: it must not hide among theirs.
    """
    found = [reply.times(clock) for reply in replies]
    if clock != "itl":
        return found
    known = [len(times) for times, reply in zip(found, replies, strict=True) if times and not reply.failure]
    each = math.ceil(sum(known) / len(known)) if known else 1
    return [list(times) * each if reply.failure else times for times, reply in zip(found, replies, strict=True)]


def held_back(replies: Sequence[TimedReply]) -> tuple[int, int]:
    """Return how many replies of at least two tokens came in one piece, or nearly; and how many such replies there are.

    Where it is most of them there is no time between tokens to be judged.
    """
    long = [reply for reply in replies if not reply.failure and stream_text.has_waits(reply.answer)]
    return sum(1 for reply in long if stream_text.held_back(reply.pieces)), len(long)


@dataclass(frozen=True, slots=True)
class LoadBlock:
    """Requests that one model was sent without a pause, and what else was seen meanwhile."""

    replies: tuple[TimedReply, ...]
    """In the order in which they were due."""
    facts: Mapping[str, float] = field(default_factory=dict)
    """`wall_s`, `cpu_s` (the generator's), `steal_s`; of a container also `server_cpu_s`, `server_memory_mb`."""


def pack(block: LoadBlock) -> dict[str, str | float]:
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
    if any(reply.sizes for reply in replies):
        seen["events_chars"] = ";".join(" ".join(map(str, reply.sizes)) for reply in replies)
    return {**seen, **{f"fact.{name}": float(value) for name, value in block.facts.items()}}


def unpack(seen: Mapping[str, str | float]) -> LoadBlock:
    """Read a block back. Raises EvidenceError for what `pack` would not have written."""
    try:
        examples = [int(text) for text in str(seen["example"]).split()]
        n = len(examples)
        due, late, first, done = (_times(seen, name, n) for name in ("due_us", "late_us", "first_us", "done_us"))
        texts: list[str] = json.loads(str(seen["answers"]))
        answers = [texts[int(index)] for index in str(seen["answer"]).split()]
        failures: dict[str, str] = json.loads(str(seen.get("failures", "{}")))
        streams = str(seen["events_us"]).split(";") if "events_us" in seen else [""] * n
        sizes = str(seen["events_chars"]).split(";") if "events_chars" in seen else [""] * n
        _insist(len(answers) == n == len(streams) == len(sizes) and all(isinstance(text, str) for text in answers))
        replies = tuple(
            TimedReply(
                examples[i],
                due[i],
                late[i],
                first[i],
                done[i],
                answers[i],
                str(failures.get(str(i), "")),
                tuple(int(text) / _MICRO for text in streams[i].split()),
                tuple(int(text) for text in sizes[i].split()),
            )
            for i in range(n)
        )
        for reply in replies if "events_chars" in seen else ():
            _insist_whole(reply)
        facts = {name[5:]: float(value) for name, value in seen.items() if name.startswith("fact.")}
        _insist(all(math.isfinite(value) for value in facts.values()))
    except RecursionError as error:
        raise EvidenceError("a round's row cannot be read: it is nested too deep") from error
    except (KeyError, ValueError, IndexError, TypeError, AttributeError, OverflowError) as error:
        raise EvidenceError(f"a round's row cannot be read: {error}") from error
    return LoadBlock(replies, facts)


def with_texts(seen: Mapping[str, str | float], edit: Callable[[str], str]) -> Mapping[str, str | float]:
    """Return a block's row with every text as *edit* returns it. Raises EvidenceError for a row that is no block.

    The pieces of a stream are fitted to a text that is longer or shorter by then.
    """
    block = unpack(seen)
    replies = tuple(_with_text_edited(reply, edit) for reply in block.replies)
    return seen if replies == block.replies else {**seen, **pack(LoadBlock(replies, block.facts))}


def _with_text_edited(reply: TimedReply, edit: Callable[[str], str]) -> TimedReply:
    answer, failure = edit(reply.answer), edit(reply.failure)
    if answer == reply.answer or not reply.sizes:
        return replace(reply, answer=answer, failure=failure)
    ends = [round(end * len(answer) / len(reply.answer)) for end in accumulate(reply.sizes)]
    pieces = [(at, end - start) for at, start, end in zip(reply.events, [0, *ends], ends, strict=False) if end > start]
    events, sizes = tuple(at for at, _ in pieces), tuple(size for _, size in pieces)
    return replace(reply, answer=answer, failure=failure, events=events, sizes=sizes)


def _column(times: Iterable[float]) -> str:
    return " ".join("-" if math.isnan(t) else str(round(t * _MICRO)) for t in times)


def _insist(equal: bool) -> None:
    if not equal:
        raise ValueError("columns of unequal length")


def _insist_whole(reply: TimedReply) -> None:
    """Raise ValueError unless the pieces are the answer: each has a time and some text, and nothing is left over."""
    if len(reply.sizes) != len(reply.events) or sum(reply.sizes) != len(reply.answer) * bool(reply.sizes):
        raise ValueError("its pieces are not its answer")
    if any(size < 1 for size in reply.sizes) or any(b < a for a, b in pairwise(reply.events)):
        raise ValueError("a piece without text, or before the one in front of it")


def _times(seen: Mapping[str, str | float], name: str, n: int) -> Sequence[float]:
    column = [math.nan if text == "-" else int(text) / _MICRO for text in str(seen[name]).split()]
    if len(column) != n:
        raise ValueError(f"{name} has {len(column)} entries for {n} requests")
    if name != "first_us" and any(math.isnan(t) or t < 0 for t in column):
        raise ValueError(f"{name} has an entry that is no time")
    return column
