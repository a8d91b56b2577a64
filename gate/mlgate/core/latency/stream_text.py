"""Streamed text as a reader sees it: when how much of it was there, in units that no server chooses.

A server may send a token in many events, many tokens in one, events without text, or text that nobody sees. None of
that makes a reply arrive sooner. So events are not counted: text is, in tokens of four visible characters each.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

TOKEN = 4
"""Visible characters that count as one token: about what a tokenizer makes of one in English."""
TICK_S = 0.001
"""What arrives within so much of a piece's beginning belongs to it.

benchmarks/pieces.py: 25 events that a server writes one by one, without a pause, arrive within 0.1 ms half of the time
and within 0.7 to 1.2 ms in 95 % of cases, on a machine with 9 processes a core. The rest is held by the pace (`waits`).
"""
MOST_WAITS = 500
"""The most waits that one reply contributes: of more, every second or third by size."""
_HIDDEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Me", "Mn", "Zl", "Zp", "Zs"})
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\U00013441\U00013442\U0001d159")
"""Letters and signs in name only: fillers, the empty braille cell, blank hieroglyphs and a note without a head."""
_SHORT = 64
"""Characters of a text that is worth remembering."""
_NEARLY = 1e-9


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that arrived together."""

    at: float
    """Seconds after the request was due."""
    size: float
    """Visible characters."""


def visible(text: str) -> int:
    """Return how many characters of *text* a person can see: no blanks, controls, formats or combining marks."""
    return _short(text) if len(text) <= _SHORT else _visible_count(text)


@lru_cache(maxsize=4096)
def _short(text: str) -> int:
    return _visible_count(text)


def _visible_count(text: str) -> int:
    return sum(times for letter, times in Counter(text).items() if _is_visible(letter))


@lru_cache(maxsize=4096)
def _is_visible(letter: str) -> bool:
    return unicodedata.category(letter) not in _HIDDEN and letter not in _BLANK


def pieces(text: str, times: Sequence[float], sizes: Sequence[int]) -> list[Piece]:
    """Return the pieces of *text* that a person could tell apart.

    *sizes*: how many characters came at each of the *times*. Rows of older versions have none: their text is then
    spread evenly over the pieces.
    """
    arrivals, start = [], 0
    for at, size in zip(times, sizes or [0] * len(times), strict=True):
        shown = visible(text[start : start + size])
        start += size
        if not sizes or shown:
            arrivals.append(Piece(at, shown))
    merged: list[Piece] = []
    for one in arrivals:
        if merged and one.at - merged[-1].at < TICK_S:
            merged[-1] = Piece(merged[-1].at, merged[-1].size + one.size)
        else:
            merged.append(one)
    return merged if sizes else [Piece(one.at, visible(text) / len(merged)) for one in merged]


def first_token(found: Sequence[Piece]) -> float:
    """Return when the first whole token was there, or all of a shorter text; NaN where nothing came."""
    filled = 0.0
    for one in found:
        filled += one.size
        if filled >= TOKEN:
            return one.at
    return found[-1].at if found else math.nan


def has_waits(text: str) -> bool:
    """Whether a reply is long enough for a wait between two tokens."""
    return visible(text) >= 2 * TOKEN


def held_back(found: Sequence[Piece]) -> bool:
    """Whether a reply came in one piece, or nearly: its first one holds more than half of its text."""
    return not found or found[0].size > sum(one.size for one in found) / 2


def waits(found: Sequence[Piece], whole: float) -> list[float]:
    """Return how long a reader waited for each token, in seconds; *whole* is when the reply was there.

    Tokens that arrive together have all waited as long as their piece. None waited less than the pace of its reply is,
    behind the first piece. Of a reply that came nearly in one piece, they waited for all of it.
    """
    total = sum(one.size for one in found)
    if total < 2 * TOKEN:
        return []
    if held_back(found):
        return _thinned_waits([whole] * int(total / TOKEN + _NEARLY))
    began, first = found[0].at, found[0].size
    pace = (found[-1].at - began) / (total - first) * TOKEN
    filled, before, result = first, began, []
    for one in found[1:]:
        count = int((filled + one.size) / TOKEN + _NEARLY) - int(filled / TOKEN + _NEARLY)
        filled += one.size
        if count:
            result += [max(one.at - before, pace)] * count
            before = one.at
    if found[-1].at > before:  # less than a token is left, and it was waited for
        result.append(max(found[-1].at - before, pace))
    return _thinned_waits(result)


def _thinned_waits(found: list[float]) -> list[float]:
    step = -(-len(found) // MOST_WAITS)
    return sorted(found, reverse=True)[::step] if step > 1 else found
