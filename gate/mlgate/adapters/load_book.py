"""What a block saw, request by request, and the distinct replies of it. Standard library only."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from mlgate.adapters.load_wire import Head, Reader

KEPT = 128 << 20
"""The most bytes of distinct replies that one block keeps: a hostile server must not fill this machine's memory."""
SHOWN = 1 << 20
"""A reply that is no success is cut to so many bytes: it is only shown."""
_HEADS = 512

Row = tuple[int, float, float, float, float, int]
"""Slot, due, begun, first, done (clock readings; first negative: none) and the reply's place; -1: none."""

Simple = tuple[int, dict[bytes, int]]


class Book:
    """Filled while a block runs; read once it is over."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.failures: dict[int, str] = {}
        self.unreached: set[int] = set()
        """Requests that could not even be sent."""
        self.marks: dict[int, list[tuple[int, float]]] = {}
        self.simple: dict[bytes, Simple] = {}
        """Of heads met before, byte for byte: how long head and body are, and where equal bodies are looked up.

        What a head means is worked out once and strictly. A server that repeats a head costs one look-up a reply.
        """
        self._replies: list[tuple[int, str, bytes]] = []
        self._known: dict[tuple[int, str], dict[bytes, int]] = {}
        self._kept = 0

    def learn(self, reader: Reader, head: Head) -> None:
        """Remember the head of a whole reply, if it is one after which a reply's length is known."""
        if head.length >= 0 and reader.reusable:
            if len(self.simple) >= _HEADS:
                self.simple.clear()
            known = self._known.setdefault((head.status, head.kind), {})
            self.simple[reader.raw_head] = (len(reader.raw_head) + head.length, known)

    def place(self, head: Head, body: bytes) -> int:
        """Return where the reply stands among the distinct ones; -1 when too much is kept already."""
        if head.status != 200 and len(body) > SHOWN:  # noqa: PLR2004 - the one status that brings an answer
            body = body[:SHOWN]
        known = self._known.setdefault((head.status, head.kind), {})
        found = known.get(body)
        if found is None:
            if self._kept + len(body) > KEPT:
                return -1
            self._kept += len(body)
            found = known[body] = len(self._replies)
            self._replies.append((head.status, head.kind, body))
        return found

    def fail(self, slot: int, due: float, begun: float, now: float, why: str) -> None:
        """Write down a request that brought no reply."""
        self.failures[slot] = why
        self.rows.append((slot, due, begun, -1.0, now, -1))

    def columns(self, start: float, plan: Sequence[int], timeout_s: float) -> dict[str, object]:
        """Return the block as columns of whole microseconds, in the order in which requests were due.

        A reply that came after its time-out is a failure too, and a failure never took less than the time-out.
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
            "late_us": [_us(max(0.0, row[2] - row[1])) for row in rows],
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
