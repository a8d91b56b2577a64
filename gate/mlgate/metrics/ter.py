"""Translation edit rate (Snover et al., 2006), by sacrebleu's implementation of Tercom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mlgate.core.check import Json
from mlgate.core.metric import Better, Metric
from mlgate.core.stats.jackknife import Array
from mlgate.metrics import sacrebleu_rows
from mlgate.metrics.options import Options
from mlgate.metrics.references import nothing_to_match, refuse_unmatchable
from mlgate.metrics.scorer import References
from mlgate.metrics.scripts import spaceless

if TYPE_CHECKING:
    from sacrebleu.metrics.ter import TER

_OPTIONS = ("normalized", "no_punct", "asian_support", "case_sensitive")

MOST_CELLS = 100_000
"""Tokens of the answer times tokens of a reference, at most. sacrebleu tries up to 1,000 shifts, each with an edit
distance in a band of 50 (Tercom's beam is 20, sacrebleu's 25 to either side): 2.6 s at 100 x 100 tokens, 6 s at
200 x 200, 16 s at 400 x 400, 40 s at 800 x 800, measured on shuffled words, the worst that was found."""


@dataclass(frozen=True, eq=False, slots=True)
class Ter:
    """Corpus TER. Columns: the fewest edits against any reference, the references' mean length."""

    metric: ClassVar[Metric] = Metric("ter", "points", Better.LOWER)
    peer: TER

    def signature(self, references: References) -> str:
        """Return sacrebleu's signature."""
        return f"TER|{sacrebleu_rows.signature(self.peer, references)}"

    def unsuitable(self, references: References) -> str:
        """Return why: no text, or a script that is not split into words."""
        if why := nothing_to_match(references):
            return why
        split = self.peer.normalized and self.peer.asian_support
        if not split and (found := spaceless(references)):
            return (
                f"{found}, so that a sentence is one word to TER: "
                "use cer or chrf, or for Chinese normalized with asian_support"
            )
        return ""

    def statistics(self, answers: Sequence[str], references: References) -> Array:
        """Return sacrebleu's edits and lengths, shape (n, 2). ValueError for texts over MOST_CELLS."""
        refuse_unmatchable(answers, references)
        for index, (answer, several) in enumerate(zip(answers, references, strict=True)):
            self._refuse_endless(index, answer, several)
        return sacrebleu_rows.rows(self.peer, answers, references, 2)

    def _refuse_endless(self, index: int, answer: str, several: Sequence[str]) -> None:
        words = len(self.peer._preprocess_segment(answer).split())  # noqa: SLF001 - the tokens that it compares
        for reference in several:
            wanted = len(self.peer._preprocess_segment(reference).split())  # noqa: SLF001 - the same
            if words * wanted > MOST_CELLS:
                raise ValueError(
                    f"example {index}: TER of {words:,} against {wanted:,} words would take minutes, "
                    f"{MOST_CELLS:,} word pairs is the most: use chrf, or wer"
                )

    def value(self, totals: Array) -> Array:
        """Return TER in percent (may exceed 100). sacrebleu's: edits against nothing are 100, nothing against it 0."""
        edits, length = totals[..., 0], totals[..., 1]
        rate: Array = np.divide(edits, length, out=np.where(edits > 0, 1.0, 0.0), where=length > 0)
        return 100 * rate


def ter(options: Mapping[str, Json]) -> Ter:
    """Make TER; the options are sacrebleu's own."""
    chosen = Options("ter", options, _OPTIONS)

    from sacrebleu.metrics.ter import TER

    peer = TER(
        normalized=chosen.flag("normalized"),
        no_punct=chosen.flag("no_punct"),
        asian_support=chosen.flag("asian_support"),
        case_sensitive=chosen.flag("case_sensitive"),
    )
    return Ter(peer)
