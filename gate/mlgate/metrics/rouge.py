"""ROUGE-1, -2, -L and -Lsum (Lin, 2004): rouge_score's numbers, fast, and a tokenizer for other scripts than Latin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import pairwise

import numpy as np

from mlgate.core.check import Json
from mlgate.core.metric import Better, Metric
from mlgate.core.stats.jackknife import Array
from mlgate.metrics import lcs
from mlgate.metrics.options import Options
from mlgate.metrics.ratio import ratio
from mlgate.metrics.references import how_many, nothing_to_match, refuse_unmatchable, texts
from mlgate.metrics.rouge_tokens import TOKENIZERS, Tokenizer, tokenizer
from mlgate.metrics.scorer import References

MOST_CELLS = 1_000_000_000
"""Words of the answer times words of a reference, at most: 125 MB of ROUGE-Lsum's table, a second of ROUGE-L's."""

MOST_STEPS = 50_000_000
"""Sentences of a reference times words and sentences of the answer, at most, for ROUGE-Lsum: 15 s at worst."""

_SCORES = ("fmeasure", "precision", "recall")

Sentences = list[list[int]]
Counted = tuple[int, int, int]
"""Hits, units of the answer, units of the reference."""
Count = Callable[[Sentences, Sentences], Counted]
"""From the answer's and a reference's token ids."""


@dataclass(frozen=True, eq=False, slots=True)
class Rouge:
    """Mean ROUGE over examples, against each example's best reference by F-measure. Columns: score, 1."""

    metric: Metric
    label: str
    """As signatures say it: `ROUGE-L`."""
    count: Count = field(repr=False)
    tokens: Tokenizer
    by_line: bool
    """Whether lines are sentences (ROUGE-Lsum)."""
    score: str

    def signature(self, references: References) -> str:
        """Return the settings in sacrebleu's form; the version is rouge_score's, whose numbers these are."""
        return (
            f"{self.label}|nrefs:{how_many(references)}|{self.tokens.signature}|score:{self.score[0]}"
            f"|version:{version('rouge-score')}+mlgate1"
        )

    def unsuitable(self, references: References) -> str:
        """Return why: no text, or text in which rouge_score's tokenizer sees no word at all."""
        if why := nothing_to_match(references):
            return why
        if self.tokens.name == "unicode":
            return ""
        unseen = sum(not self.tokens.words(text) and any(c.isalnum() for c in text) for text in texts(references))
        if not unseen:
            return ""
        return (
            f"{unseen:,} references have letters or digits, but no word that rouge_score sees (ASCII only), and score "
            f"0 whatever the answer: use {self.metric.name}: {{tokenizer: unicode}} under metrics"
        )

    def statistics(self, answers: Sequence[str], references: References) -> Array:
        """Return each example's score and a one, shape (n, 2). ValueError for texts too long."""
        refuse_unmatchable(answers, references)
        rows = np.ones((len(answers), 2))
        for index, (answer, several) in enumerate(zip(answers, references, strict=True)):
            ids: dict[str, int] = {}
            given = self._sentences(answer, ids)
            try:
                scores = [_scores(*self.count(given, self._sentences(text, ids))) for text in several]
            except OverflowError as error:
                raise ValueError(f"example {index}: {error}") from error
            rows[index, 0] = max(scores, key=_fmeasure)[_SCORES.index(self.score)]
        return rows

    def value(self, totals: Array) -> Array:
        """Return the mean."""
        return ratio(totals)

    def _sentences(self, text: str, ids: dict[str, int]) -> Sentences:
        parts = [part for part in text.split("\n") if part] if self.by_line else [text]
        return [[ids.setdefault(word, len(ids)) for word in self.tokens.words(part)] for part in parts]


def _scores(hits: int, answered: int, wanted: int) -> tuple[float, float, float]:
    """Return F-measure, precision and recall in rouge_score's order of operations, so that not a bit differs."""
    precision, recall = hits / max(answered, 1), hits / max(wanted, 1)
    both = precision + recall
    return (2 * precision * recall / both if both > 0 else 0.0), precision, recall


def _fmeasure(scores: tuple[float, float, float]) -> float:
    return scores[0]


def _unigrams(answer: Sentences, reference: Sentences) -> Counted:
    (given,), (wanted,) = answer, reference
    return (Counter(given) & Counter(wanted)).total(), len(given), len(wanted)


def _bigrams(answer: Sentences, reference: Sentences) -> Counted:
    (given,), (wanted,) = answer, reference
    hits = (Counter(pairwise(given)) & Counter(pairwise(wanted))).total()
    return hits, max(len(given) - 1, 0), max(len(wanted) - 1, 0)


def _sequence(answer: Sentences, reference: Sentences) -> Counted:
    (given,), (wanted,) = answer, reference
    _refuse_endless(len(given) * len(wanted), MOST_CELLS)
    return lcs.length(wanted, given), len(given), len(wanted)


def _summary(answer: Sentences, reference: Sentences) -> Counted:
    given, wanted = sum(map(len, answer)), sum(map(len, reference))
    _refuse_endless(given * wanted, MOST_CELLS)
    _refuse_endless(len(reference) * (given + len(answer)), MOST_STEPS)
    return lcs.union_hits(reference, answer), given, wanted


def _refuse_endless(steps: int, most: int) -> None:
    if steps > most:
        raise OverflowError(f"answer and reference are too long to align: {steps:,} steps, {most:,} is the most")


def rouge1(options: Mapping[str, Json]) -> Rouge:
    """Make ROUGE-1: words in common."""
    return _rouge("rouge1", "ROUGE-1", _unigrams, options)


def rouge2(options: Mapping[str, Json]) -> Rouge:
    """Make ROUGE-2: word pairs in common."""
    return _rouge("rouge2", "ROUGE-2", _bigrams, options)


def rouge_l(options: Mapping[str, Json]) -> Rouge:
    """Make ROUGE-L: the longest common subsequence of the whole texts."""
    return _rouge("rougeL", "ROUGE-L", _sequence, options)


def rouge_lsum(options: Mapping[str, Json]) -> Rouge:
    """Make ROUGE-Lsum: the union of sentences' common subsequences; a line is a sentence."""
    return _rouge("rougeLsum", "ROUGE-Lsum", _summary, options)


def _rouge(name: str, label: str, count: Count, options: Mapping[str, Json]) -> Rouge:
    chosen = Options(name, options, ("use_stemmer", "tokenizer", "score"))
    tokens = tokenizer(chosen.choice("tokenizer", TOKENIZERS), stem=chosen.flag("use_stemmer"))
    metric = Metric(name, "ratio", Better.HIGHER)
    return Rouge(metric, label, count, tokens, by_line=name == "rougeLsum", score=chosen.choice("score", _SCORES))
