"""A page under a limit of bytes: what matters most is kept whole, the rest is left out with a count, nothing is cut."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_NOTE = 80
"""Bytes kept free for a block's note of what was left out."""


@dataclass(frozen=True, slots=True)
class PageBlock:
    """A heading with whole pieces under it (rows of a table, folds), of which the last ones can be left out."""

    rank: int
    """0 is kept first."""
    head: str
    pieces: Iterable[str]
    """Made as they are needed: a report may have 100,000 findings."""
    count: int
    """How many pieces there are."""
    noun: str
    """What the pieces are, for the note."""
    most: int = 1_000
    """No reader wants more of them."""
    tail: str = ""


def fit(blocks: Sequence[PageBlock], limit: int) -> str:
    """Return the blocks in their order, in at most *limit* bytes of UTF-8; a block that has no room is only counted."""
    texts = [""] * len(blocks)
    room = limit - sum(_NOTE + len(block.noun) for block in blocks)
    for index in sorted(range(len(blocks)), key=lambda i: blocks[i].rank):
        texts[index], used = _within(blocks[index], room)
        room -= used
    return "".join(texts)


def _within(block: PageBlock, room: int) -> tuple[str, int]:
    """Return the block's text, and its bytes without the note, which has room of its own."""
    if not block.count:
        return "", 0
    kept: list[str] = []
    used = _size(block.head) + _size(block.tail)
    for piece in block.pieces:
        size = _size(piece)
        if len(kept) == block.most or used + size > room:
            break
        kept.append(piece)
        used += size
    left = block.count - len(kept)
    if not kept:
        return f"\n{left:,} {block.noun} left out\n", 0
    note = f"\nand {left:,} more {block.noun}\n" if left else ""
    return "".join([block.head, *kept, block.tail, note]), used


def _size(text: str) -> int:
    return len(text.encode())
