"""Token F1 of question answering (Rajpurkar et al., 2016): the overlap of an answer's and a reference's words."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlgate.core.check import Json
from mlgate.core.metric import Better, Metric
from mlgate.core.stats.jackknife import Array
from mlgate.core.text.normal_form import normal
from mlgate.metrics.options import Options
from mlgate.metrics.ratio import ratio
from mlgate.metrics.references import how_many, refuse_unpaired
from mlgate.metrics.scorer import References
from mlgate.metrics.scripts import spaceless

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


@dataclass(frozen=True, slots=True)
class TokenF1:
    """Mean F1 of words, against each example's best reference. Columns: F1, 1."""

    metric: ClassVar[Metric] = Metric("token_f1", "ratio", Better.HIGHER)
    normalize: str

    def signature(self, references: References) -> str:
        """Return the settings."""
        return f"F1|nrefs:{how_many(references)}|norm:nfc+{self.normalize}|tok:space|version:mlgate2"

    def unsuitable(self, references: References) -> str:
        """Return why: a script that is not split into words by spaces."""
        if found := spaceless(references):
            return f"{found}, so that a sentence is one word: use rouge1: {{tokenizer: unicode}}, or chrf"
        return ""

    def statistics(self, answers: Sequence[str], references: References) -> Array:
        """Return F1 and 1 for each example, shape (n, 2)."""
        refuse_unpaired(answers, references)
        rows = np.ones((len(answers), 2))
        for index, (answer, several) in enumerate(zip(answers, references, strict=True)):
            given = Counter(self._words(answer))
            rows[index, 0] = max(_f1(given, Counter(self._words(reference))) for reference in several)
        return rows

    def value(self, totals: Array) -> Array:
        """Return the mean."""
        return ratio(totals)

    def _words(self, text: str) -> list[str]:
        """Return words after NFC; for `squad` lower-case, without ASCII punctuation, then without articles.

        That is SQuAD's official script, in its order.
        """
        text = normal("NFC", text)
        if self.normalize == "squad":
            text = _ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION))
        return text.split()


def _f1(given: Counter[str], wanted: Counter[str]) -> float:
    """Return F1; without words on a side 1 if on both and else 0, as SQuAD 2.0's script says of "no answer"."""
    if not given or not wanted:
        return float(given == wanted)
    hits = (given & wanted).total()
    return 2 * hits / (given.total() + wanted.total())


def token_f1(options: Mapping[str, Json]) -> TokenF1:
    """Make token F1 with SQuAD's normalisation, or with none."""
    return TokenF1(Options("token_f1", options, ("normalize",)).choice("normalize", ("squad", "none")))
