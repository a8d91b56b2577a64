"""How much text the row of one block may carry: whatever a model sends, its row can be written and read back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from mlgate.core.latency.block import TimedReply

MOST_REQUESTS = 40_000
"""So many requests a block may have: the times of more are a long row by themselves. Half a second has fewer."""
MOST_ANSWER_TEXT = 4_000_000
"""The most bytes of distinct answers and of times of streamed pieces, as they stand in the row."""
UNTOLD = "failed like others of the block: there is no room to say why"
_WHYS = 500_000
"""The most bytes of sentences that say why requests failed."""
_ROW = 7_500_000
"""The most bytes of a row without those sentences: together less than evidence_file.LONGEST."""
_EACH = 160
"""What a request takes at most beside its answer: its times, and a failure in our own words."""
_LEAST_ROOM = 1_000_000
_EVENT_BYTES = 11
"""What the time of one streamed piece takes at most."""


def bounded(replies: Sequence[TimedReply], timeout_s: float) -> tuple[TimedReply, ...]:
    """Return *replies* with a failure in place of each answer that its row has no room for: none is ever cut.

    Holds for up to MOST requests. Equal answers stand in a row once. What fits behind one that did not is kept.
    """
    room = max(_LEAST_ROOM, min(MOST_ANSWER_TEXT, _ROW - _EACH * len(replies)))
    too_much = f"the block's answers are more than {room / 1e6:.3g} MB"
    known: set[str] = set()
    whys = _WHYS
    kept = []
    for reply in replies:
        if reply.failure:
            size = _length_in_row(reply.failure)
            told = size <= whys
            whys -= size * told
            kept.append(reply if told else replace(reply, failure=UNTOLD))
            continue
        size = _EVENT_BYTES * len(reply.events) + sum(len(str(one)) + 1 for one in reply.sizes)
        size += 0 if reply.answer in known else _length_in_row(reply.answer)
        if size > room:
            done = max(reply.done, timeout_s)
            kept.append(replace(reply, answer="", failure=too_much, events=(), sizes=(), done=done))
            continue
        room -= size
        known.add(reply.answer)
        kept.append(reply)
    return tuple(kept)


def _length_in_row(text: str) -> int:
    """Return how long *text* is in a row: JSON in JSON, in ASCII."""
    return len(json.dumps(json.dumps(text)))
