"""chrF (Popović, 2015) and chrF++ (Popović, 2017), by sacrebleu's counts and a vectorised form of its formula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlgate.core.check import Json
from mlgate.core.metric import Better, Metric
from mlgate.core.stats.jackknife import Array
from mlgate.metrics import sacrebleu_rows
from mlgate.metrics.options import Options
from mlgate.metrics.references import nothing_to_match, refuse_unmatchable
from mlgate.metrics.scorer import References

if TYPE_CHECKING:
    from sacrebleu.metrics.chrf import CHRF

_OPTIONS = ("char_order", "word_order", "beta", "lowercase", "whitespace")


@dataclass(frozen=True, eq=False, slots=True)
class Chrf:
    """Corpus chrF. Columns: answer's n-grams, reference's n-grams and matches, for each order."""

    metric: Metric
    peer: CHRF

    def signature(self, references: References) -> str:
        """Return sacrebleu's signature behind its name, which carries beta and the word order (`chrF2++`)."""
        name = f"chrF{self.peer.beta}{'+' * self.peer.word_order}"
        return f"{name}|{sacrebleu_rows.signature(self.peer, references)}"

    def unsuitable(self, references: References) -> str:
        """Return why: only references without any text; chrF needs no tokenizer."""
        return nothing_to_match(references)

    def statistics(self, answers: Sequence[str], references: References) -> Array:
        """Return sacrebleu's counts, shape (n, 3 * orders), against each example's best reference."""
        refuse_unmatchable(answers, references)
        return sacrebleu_rows.rows(self.peer, answers, references, 3 * self.peer.order)

    def value(self, totals: Array) -> Array:
        """Return chrF, 0 to 100: sacrebleu's _compute_f_score over the leading axes."""
        # Columns first: numpy sums over a long last axis several times faster than over one of six.
        columns = np.ascontiguousarray(np.moveaxis(totals, -1, 0))
        answered, wanted, hits = columns[0::3], columns[1::3], columns[2::3]
        counts = (answered > 0) & (wanted > 0)
        orders = np.maximum(counts.sum(axis=0), 1)
        precision = np.divide(hits, answered, out=np.zeros_like(hits), where=counts).sum(axis=0) / orders
        recall = np.divide(hits, wanted, out=np.zeros_like(hits), where=counts).sum(axis=0) / orders
        factor = float(self.peer.beta) ** 2
        below = factor * precision + recall
        above = 100 * (1 + factor) * precision * recall
        score: Array = np.divide(above, below, out=np.zeros_like(below), where=below > 0)
        return score


def chrf(options: Mapping[str, Json]) -> Chrf:
    """Make chrF2 unless `beta`, `char_order` or `word_order` say otherwise."""
    return _chrf("chrf", options, word_order=0)


def chrf_plus_plus(options: Mapping[str, Json]) -> Chrf:
    """Make chrF2++: words and word pairs count beside characters."""
    return _chrf("chrf++", options, word_order=2)


def _chrf(name: str, options: Mapping[str, Json], word_order: int) -> Chrf:
    chosen = Options(name, options, _OPTIONS)

    from sacrebleu.metrics.chrf import CHRF

    peer = CHRF(
        char_order=chosen.whole("char_order", 6, 1, 12),
        word_order=chosen.whole("word_order", word_order, 0, 4),
        beta=chosen.whole("beta", 2, 1, 9),
        lowercase=chosen.flag("lowercase"),
        whitespace=chosen.flag("whitespace"),
    )
    return Chrf(Metric(name, "points", Better.HIGHER), peer)
