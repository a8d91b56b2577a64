"""sacrebleu's own per-example statistics and signatures, for BLEU, chrF and TER."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np

from mlgate.core.stats.jackknife import Array
from mlgate.metrics.references import how_many
from mlgate.metrics.scorer import References

if TYPE_CHECKING:
    from sacrebleu.metrics.base import Metric as Peer

_CHUNK_EXAMPLES = 500
"""Examples at a time: sacrebleu keeps every n-gram of every reference of a call in memory."""


def rows(peer: Peer, answers: Sequence[str], references: References, width: int) -> Array:
    """Return sacrebleu's statistics, shape (n, width): the rows that its own paired tests sum."""
    found = np.empty((len(answers), width))
    for start in range(0, len(answers), _CHUNK_EXAMPLES):
        part = slice(start, start + _CHUNK_EXAMPLES)
        # sacrebleu wants the first references of all examples, then the second ones; None says that there is none.
        streams = list(zip_longest(*references[part]))
        found[part] = peer._extract_corpus_statistics(answers[part], streams)  # noqa: SLF001 - as its PairedTest does
        _forget(peer)
    return found


def signature(peer: Peer, references: References) -> str:
    """Return sacrebleu's signature of a metric over *references*, without the metric's name."""
    count = how_many(references)
    peer.num_refs = -1 if count == "var" else int(count)
    return str(peer.get_signature().format())


def _forget(peer: Peer) -> None:
    """Empty the tokenizer's caches: they keep 65,536 texts a class, of whatever size, for the process's life."""
    tokenizer = getattr(peer, "tokenizer", None)
    for cached in (tokenizer, getattr(tokenizer, "_post_tokenizer", None)):
        clear = getattr(type(cached).__call__, "cache_clear", None)
        if clear is not None:
            clear()
