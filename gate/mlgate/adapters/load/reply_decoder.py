"""From the columns that the load generator writes to replies with answers or failures, and times in seconds."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast, runtime_checkable

from mlgate.adapters.http.connection import HttpReply
from mlgate.adapters.http.redaction import Redaction
from mlgate.adapters.http.replies import EVENT_STREAM, STATUS_OK, read, told, wrong_status
from mlgate.adapters.protocols.protocol import HttpProtocol
from mlgate.adapters.protocols.sse import events
from mlgate.core.errors import AdapterError
from mlgate.core.latency.block import TimedReply
from mlgate.core.ports import Failure, text_of

_MICRO = 1e6
_TIMES = ("due_us", "late_us", "first_us", "done_us")

Carried = tuple[tuple[int, int], ...]
"""Of each event with text: where it ended in the body, and how many characters it brought."""
Seen = tuple[str, str, Carried]
"""Of one distinct reply: answer, failure, and its events with text."""


@runtime_checkable
class Streaming(Protocol):
    """A protocol whose answers can come in pieces."""

    stream: bool

    def decode_stream(self, events: Sequence[bytes]) -> tuple[str | Failure, dict[int, int]]:
        """Return the answer, and how many characters of it which event carried."""


@dataclass(frozen=True, slots=True)
class ReplyDecoder:
    """Reads replies as one protocol means them."""

    protocol: HttpProtocol
    stream: bool
    """Whether answers come in pieces; the protocol is Streaming then."""
    timeout_s: float
    """What a failure took at least."""
    redaction: Redaction

    def replies(self, found: Mapping[str, Any], asked: Sequence[int]) -> tuple[TimedReply, ...]:
        """Turn the worker's columns into replies; *asked* is each one's example. Equal replies are read once.

        Raises AdapterError for columns that are none.
        """
        try:
            seen = [
                self._seen(HttpReply(one["status"], one["kind"], base64.b64decode(one["body"])))
                for one in found["replies"]
            ]
            columns = zip(asked, *(found[name] for name in (*_TIMES, "reply")), strict=True)
            return tuple(
                self._reply(i, column, seen, found["failure"], found["marks"]) for i, column in enumerate(columns)
            )
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise AdapterError(f"the load generator's columns cannot be read: {error}") from error

    def _reply(
        self,
        i: int,
        column: tuple[int, ...],
        seen: Sequence[Seen],
        failures: Mapping[str, str],
        marks: Mapping[str, Sequence[tuple[int, int]]],
    ) -> TimedReply:
        example, due, late, first, done, place = column
        failure = self.redaction.line(failures[str(i)]) if str(i) in failures else ""
        answer = ""
        carried: Carried = ()
        if not failure:
            answer, failure, carried = seen[place]
        arrived = _arrival_of_text(carried, marks.get(str(i), ()), done) if not failure else {}
        times = tuple(at / _MICRO for at in arrived)
        began = times[0] if times else first / _MICRO if first >= 0 else math.nan
        ended = max(done / _MICRO, self.timeout_s) if failure else done / _MICRO
        return TimedReply(
            example, due / _MICRO, late / _MICRO, began, ended, answer, failure, times, tuple(arrived.values())
        )

    def _seen(self, reply: HttpReply) -> Seen:
        """Return what one distinct reply says."""
        if not self.stream:
            (one,) = read(reply, 1, self.protocol, self.redaction)
            return ("", one.why, ()) if isinstance(one, Failure) else (text_of(one), "", ())
        if reply.status != STATUS_OK:
            return "", wrong_status(reply, self.redaction).why, ()
        if reply.kind != EVENT_STREAM:
            kind = self.redaction.line(reply.kind, 40) or "no content type"
            return "", f"status 200, {kind}, not an event stream: {self.redaction.line(reply.body) or 'empty'}", ()
        came = events(reply.body)
        answer, carried = cast("Streaming", self.protocol).decode_stream([event.data for event in came])
        if isinstance(answer, Failure):
            return "", told(answer, reply, self.redaction).why, ()
        return answer, "", tuple((came[index].end, size) for index, size in carried.items())


def _arrival_of_text(carried: Carried, marks: Sequence[tuple[int, int]], done: int) -> dict[int, int]:
    """Return how many characters arrived when, in microseconds: what came in one read arrived together.

    An event is there when the body had first grown to its end. Ends and marks ascend.
    """
    found: dict[int, int] = {}
    place = 0
    for end, size in carried:
        while place < len(marks) and marks[place][0] < end:
            place += 1
        at = marks[place][1] if place < len(marks) else done
        found[at] = found.get(at, 0) + size
    return found
