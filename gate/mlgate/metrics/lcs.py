"""Longest common subsequences of token ids: how long (ROUGE-L), and which tokens rouge_score picks (ROUGE-Lsum).

Bit-parallel (Hyyrö, 2004): one column of the dynamic-programming table is one integer, so a token of the answer
costs a few operations on integers as long as the reference, not a row of the table in Python.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

Tokens = Sequence[int]
"""Words as non-negative numbers, equal numbers for equal words. rapidfuzz compares hashes: only numbers are exact."""


def length(reference: Tokens, answer: Tokens) -> int:
    """Return the length of the longest common subsequence."""
    from rapidfuzz.distance import LCSseq

    return LCSseq.similarity(reference, answer)


def union_hits(reference: Iterable[Tokens], answer: Iterable[Tokens]) -> int:
    """Return ROUGE-Lsum's hits: union of each reference sentence's subsequences with every sentence of the answer.

    A word counts at most as often as in each text (Lin, 2004, section 3.2, as ROUGE-1.5.5 and rouge_score do it).
    """
    wanted = [tuple(sentence) for sentence in reference]
    given = [tuple(sentence) for sentence in answer]
    left = Counter(chain.from_iterable(wanted)) & Counter(chain.from_iterable(given))
    found = _Unions(given)
    hits = 0
    for sentence in wanted:
        for token in found.of(sentence):
            if left[token] > 0:
                left[token] -= 1
                hits += 1
    return hits


class _Unions:
    """The words of a reference sentence that any sentence of the answer has in common with it, in order.

    Only unlike sentences that share a word are compared, each pair once: a text of 4,000 lines has 16 million pairs.
    """

    def __init__(self, answer: Iterable[tuple[int, ...]]) -> None:
        self._sentences = list(dict.fromkeys(answer))
        self._having: dict[int, list[int]] = {}
        for index, sentence in enumerate(self._sentences):
            for token in set(sentence):
                self._having.setdefault(token, []).append(index)
        self._known: dict[tuple[int, ...], list[int]] = {}

    def of(self, reference: tuple[int, ...]) -> list[int]:
        if reference not in self._known:
            self._known[reference] = self._find(reference)
        return self._known[reference]

    def _find(self, reference: tuple[int, ...]) -> list[int]:
        matches: dict[int, int] = {}
        for place, token in enumerate(reference):
            matches[token] = matches.get(token, 0) | 1 << place
        sharing = set(chain.from_iterable(self._having.get(token, ()) for token in matches))
        most = sum(mask for token, mask in matches.items() if token in self._having)
        union = 0
        for index in sharing:
            union |= picked(matches, len(reference), self._sentences[index])
            if union == most:  # nothing is left that another sentence could add
                break
        places = f"{union:b}"[::-1]
        return [token for token, picked_too in zip(reference, places, strict=False) if picked_too == "1"]


def picked(matches: dict[int, int], size: int, answer: Sequence[int]) -> int:
    """Return, as bits, the reference's places in the one subsequence that rouge_score reads out of its table.

    *matches* has, for each word of a reference of *size* words, the bits of its places. rouge_score walks back from
    the table's end: on equal words diagonally; else left only when that is strictly longer, otherwise up. With D the
    bits where a column's length grows, "up" goes to the highest bit of (match | D) at or below the current place.
    """
    full = (1 << size) - 1
    row = full
    columns: list[tuple[int, int]] = []
    for token in answer:
        match = matches.get(token, 0)
        if match:
            both = row & match
            row = ((row + both) | (row - both)) & full
        columns.append((match, full & ~row))
    bits, below = 0, full
    for match, grows in reversed(columns):
        place = ((match | grows) & below).bit_length()
        if not place:
            break
        bit = 1 << (place - 1)
        if match & bit:
            bits |= bit
            below = bit - 1
        else:
            below = (bit << 1) - 1
    return bits
