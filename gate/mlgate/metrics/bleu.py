"""BLEU (Papineni et al., 2002), by sacrebleu's counts and a vectorised form of its formula (Post, 2018)."""

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
from mlgate.metrics.references import nothing_to_match, refuse_unmatchable, texts
from mlgate.metrics.sacrebleu_tokenizers import TOKENIZERS, refuse_missing
from mlgate.metrics.scorer import References
from mlgate.metrics.scripts import spaceless

if TYPE_CHECKING:
    from sacrebleu.metrics.bleu import BLEU

_OPTIONS = ("tokenize", "lowercase", "smooth_method", "smooth_value", "max_ngram_order")
_SMOOTH_METHODS = ("exp", "floor", "add-k", "none")
_SPACED_TOKENIZERS = ("13a", "intl", "none")
_MANY = 0.5


@dataclass(frozen=True, slots=True)
class Smoothing:
    """What stands in for an n-gram order without a match (Chen and Cherry, 2014)."""

    method: str
    value: float | None


@dataclass(frozen=True, eq=False, slots=True)
class Bleu:
    """Corpus BLEU. Columns: answers' tokens, references' tokens, matched n-grams by order, n-grams by order."""

    metric: ClassVar[Metric] = Metric("bleu", "points", Better.HIGHER)
    peer: BLEU
    tokenize: str
    order: int
    smoothing: Smoothing

    def signature(self, references: References) -> str:
        """Return sacrebleu's signature; behind it what sacrebleu's leaves out or rounds."""
        more = "" if self.order == _ORDER else f"|order:{self.order}"
        value = self.smoothing.value
        if value is not None and float(f"{value:.2f}") != value:
            more += f"|smooth_value:{value!r}"
        return f"BLEU|{sacrebleu_rows.signature(self.peer, references)}{more}"

    def unsuitable(self, references: References) -> str:
        """Return why: no text, a script that the tokenizer does not split, or texts shorter than the n-grams."""
        if why := nothing_to_match(references):
            return why
        if self.tokenize in _SPACED_TOKENIZERS and (found := spaceless(references)):
            return (
                f"{found}, which tokenize {self.tokenize} takes for one word a sentence: "
                f"use {_advice(found.letters)} or chrf"
            )
        lengths = [len(self.peer._preprocess_segment(text).split()) for text in texts(references)]  # noqa: SLF001 - the tokens that it counts
        short = sum(length < self.order for length in lengths)
        if short >= _MANY * len(lengths) > 0:
            return (
                f"{short:,} of {len(lengths):,} references have fewer than {self.order} tokens, so BLEU has few or no "
                f"{self.order}-grams to match: use chrf or exact_match, or a smaller max_ngram_order"
            )
        return ""

    def statistics(self, answers: Sequence[str], references: References) -> Array:
        """Return sacrebleu's counts, shape (n, 2 + 2 * order)."""
        refuse_unmatchable(answers, references)
        return sacrebleu_rows.rows(self.peer, answers, references, 2 + 2 * self.order)

    def value(self, totals: Array) -> Array:
        """Return BLEU, 0 to 100: sacrebleu's compute_bleu over the leading axes."""
        # Columns first: numpy sums over a long last axis several times faster than over one of four.
        columns = np.ascontiguousarray(np.moveaxis(totals, -1, 0))
        answered, wanted = columns[0], columns[1]
        hits, total = columns[2 : 2 + self.order], columns[2 + self.order :]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            logs = np.log(self._precisions(hits, total)).mean(axis=0)
            brevity = np.where(answered < wanted, np.exp(1 - wanted / answered), 1.0)
        matched = (hits > 0).any(axis=0)
        return np.where(matched, brevity * np.exp(np.where(matched, logs, 0.0)), 0.0)

    def _precisions(self, hits: Array, total: Array) -> Array:
        """Return the smoothed precisions in percent, orders first, zero where an order counts for nothing."""
        value = self.smoothing.value
        if self.smoothing.method == "add-k" and value is not None:
            hits, total = hits.copy(), total.copy()
            hits[1:] += value
            total[1:] += value
        missed = (hits == 0) & (total > 0)
        if not missed.any():
            pass
        elif self.smoothing.method == "exp":
            hits = np.where(missed, 0.5 ** missed.cumsum(axis=0), hits)
        elif self.smoothing.method == "floor" and value is not None:
            hits = np.where(missed, value, hits)
        precisions: Array = np.divide(100.0 * hits, total, out=np.zeros_like(total), where=total > 0)
        return precisions


_ORDER = 4
_DEFAULT_VALUES = {"floor": 0.1, "add-k": 1.0}


def bleu(options: Mapping[str, Json]) -> Bleu:
    """Make BLEU; the options are sacrebleu's own (`tokenize: zh`)."""
    chosen = Options("bleu", options, _OPTIONS)
    tokenize = chosen.choice("tokenize", TOKENIZERS)
    lowercase = chosen.flag("lowercase")
    method = chosen.choice("smooth_method", _SMOOTH_METHODS)
    value = chosen.positive("smooth_value")
    if value is not None and method not in _DEFAULT_VALUES:
        raise ValueError(f"bleu: smooth_value goes with smooth_method floor or add-k, not with {method}")
    value = _DEFAULT_VALUES.get(method) if value is None else value
    order = chosen.whole("max_ngram_order", _ORDER, 1, 9)
    name = refuse_missing(tokenize)

    from sacrebleu.metrics.bleu import BLEU

    peer = BLEU(
        lowercase=lowercase,
        force=True,  # or it writes to the log that the text looks tokenized
        tokenize=name,
        smooth_method=method,
        smooth_value=value,
        max_ngram_order=order,
    )
    return Bleu(peer, tokenize, order, Smoothing(method, value))


def tokenizer_for(letters: str) -> str:
    """Return the tokenizer for letters of scripts without spaces: Japanese has kana, Chinese has Han only."""
    if any("\u3040" <= c <= "\u30ff" or "\uff66" <= c <= "\uff9f" for c in letters):
        return "ja-mecab"
    if all("\u2e80" <= c <= "\u9fff" or "\uf900" <= c <= "\ufaff" or c >= "\U00020000" for c in letters):
        return "zh"
    return "char"


def _advice(letters: str) -> str:
    name = tokenizer_for(letters)
    return f"tokenize {name}" + (" (or char)" if name == "ja-mecab" else "")
