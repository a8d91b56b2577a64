"""What a block saw, request by request, and the distinct replies of it. Standard library only."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence

from mlgate.adapters.load.head_patterns import shape_of
from mlgate.adapters.load.http1_parser import HEAD_LIMIT, Head, Reader

KEPT = 128 << 20
"""The most bytes of distinct replies that one block keeps: a hostile server must not fill this machine's memory."""
MARKS = 1 << 20
"""The most times of pieces, of streamed replies, that one block keeps."""
LARGEST_ERROR_BODY = 1 << 20
"""A reply that is no success is cut to so many bytes: it is only shown."""
_LENGTHS = 512
_SHAPES = 8
"""The most that one block learns: a server without end of them is read with care, and pays for it itself."""
_SELDOM = 8
"""One in so many heads told by their shape is kept: soon enough if it repeats, and cheap if it never does."""

ResultRow = tuple[int, float, float, float, float, int]
"""Slot, due, begun, first, done (clock readings; first negative: none) and the reply's place; -1: none."""

Bodies = dict[bytes, int]
"""The place of each distinct body that came with one status and content type."""
Same = tuple[bytes, int, Bodies]
"""A head, how long it is, and what came with its like."""


class Results:
    """Filled while a block runs; read once it is over."""

    def __init__(self) -> None:
        self.rows: list[ResultRow] = []
        self.failures: dict[int, str] = {}
        self.unreached: set[int] = set()
        """Requests that could not even be sent."""
        self.marks: dict[int, list[tuple[int, float]]] = {}
        self.waits: dict[int, float] = {}
        """How long a request that was due had to wait until the server gave a connection back, in seconds."""
        self.same: dict[int, Same] = {}
        """By the length of a whole reply: the head that came last with it. Who repeats a head is told by comparing."""
        self._shapes: list[tuple[Callable[[bytes], re.Match[bytes] | None], Head, Bodies]] = []
        self._replies: list[tuple[int, str, bytes]] = []
        self._known: dict[tuple[int, str], Bodies] = {}
        self._kept = 0
        self._marked = 0

    def learn(self, reader: Reader, head: Head) -> None:
        """Remember the head of a whole reply, if it is one after which a reply's length is known."""
        if head.length < 0 or not reader.reusable:
            return
        raw, known = reader.raw_head, self._bodies(head)
        self._keep(len(raw) + head.length, (raw, len(raw), known))
        if len(self._shapes) == _SHAPES or any(match(raw) for match, _, _ in self._shapes):
            return
        if shape := shape_of(raw, head):
            self._shapes.append((shape.match, head, known))

    def recognise(self, data: bytes) -> int:
        """Return the place of a whole reply whose head has a shape met before; -1: it must be read with care."""
        for match, head, known in self._shapes:
            if found := match(data):
                digits, body = found.groups()
                if int(digits) != len(body) or len(data) > HEAD_LIMIT:
                    return -1
                if len(self.rows) % _SELDOM == 0:
                    start = len(data) - len(body)
                    self._keep(len(data), (data[:start], start, known))
                place = known.get(body)
                return self.place(head, body) if place is None else place
        return -1

    def _keep(self, length: int, same: Same) -> None:
        if len(self.same) >= _LENGTHS:
            self.same.clear()
        self.same[length] = same

    def _bodies(self, head: Head) -> Bodies:
        return self._known.setdefault((head.status, head.kind), {})

    def place(self, head: Head, body: bytes) -> int:
        """Return where the reply stands among the distinct ones; -1 when too much is kept already."""
        if head.status != 200 and len(body) > LARGEST_ERROR_BODY:  # noqa: PLR2004 - the one status that brings an answer
            body = body[:LARGEST_ERROR_BODY]
        known = self._bodies(head)
        found = known.get(body)
        if found is None:
            if self._kept + len(body) > KEPT:
                return -1
            self._kept += len(body)
            found = known[body] = len(self._replies)
            self._replies.append((head.status, head.kind, body))
        return found

    def mark(self, slot: int, marks: list[tuple[int, float]]) -> bool:
        """Keep when the pieces of a streamed reply came; False when too many are kept already."""
        if self._marked + len(marks) > MARKS:
            return False
        self._marked += len(marks)
        self.marks[slot] = marks
        return True

    def fail(self, slot: int, due: float, begun: float, now: float, why: str) -> None:
        """Write down a request that brought no reply."""
        self.failures[slot] = why
        self.rows.append((slot, due, begun, -1.0, now, -1))

    def columns(self, start: float, plan: Sequence[int], timeout_s: float) -> dict[str, object]:
        """Return the block as columns of whole microseconds, in the order in which requests were due.

        A reply that came after its time-out is a failure too, and a failure never took less than the time-out. Late is
        what the generator itself added: to wait for a connection that the server keeps busy is no part of it.
        """
        rows = sorted(self.rows)
        late = f"no answer within {timeout_s:g} s"
        for slot, due, _, _, done, _ in rows:
            if done - due > timeout_s:
                self.failures.setdefault(slot, late)
        failed = self.failures
        empty = {place for place, (_, _, body) in enumerate(self._replies) if not body}
        return {
            "payload": [plan[row[0] % len(plan)] for row in rows],
            "due_us": [_us(row[1] - start) for row in rows],
            "late_us": [_us(max(0.0, row[2] - row[1] - self.waits.get(row[0], 0.0))) for row in rows],
            "first_us": [_us(row[3] - row[1]) if row[3] >= 0 and row[5] not in empty else -1 for row in rows],
            "done_us": [_us(max(row[4] - row[1], timeout_s * (row[0] in failed))) for row in rows],
            "reply": [row[5] for row in rows],
            "replies": [
                {"status": status, "kind": kind, "body": base64.b64encode(body).decode("ascii")}
                for status, kind, body in self._replies
            ],
            "failure": {str(i): failed[row[0]] for i, row in enumerate(rows) if row[0] in failed},
            "unreached": [i for i, row in enumerate(rows) if row[0] in self.unreached],
            "marks": {
                str(i): [[size, _us(now - row[1])] for size, now in self.marks[row[0]]]
                for i, row in enumerate(rows)
                if row[0] in self.marks
            },
        }


def _us(seconds: float) -> int:
    return round(seconds * 1e6)
