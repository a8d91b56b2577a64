"""The words that ROUGE compares: by rouge_score's own tokenizer, or by ours for every script."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version

from mlgate.metrics import words

TOKENIZERS = ("rouge_score", "unicode")
"""The first is the default."""


@dataclass(frozen=True, eq=False, slots=True)
class Tokenizer:
    """One way from text to words."""

    name: str
    words: Callable[[str], list[str]] = field(repr=False)
    signature: str
    """`tok:rouge_score|stem:no`, with the version of what else decides."""


def tokenizer(name: str, *, stem: bool) -> Tokenizer:
    """Return the tokenizer *name*; with *stem* NLTK's Porter stemmer cuts English endings, as rouge_score does."""
    from rouge_score.tokenizers import DefaultTokenizer

    split = words.words if name == "unicode" else DefaultTokenizer().tokenize
    kind = f"tok:unicode-{words.VERSION}" if name == "unicode" else f"tok:{name}"
    if not stem:
        return Tokenizer(name, split, f"{kind}|stem:no")
    stemming = DefaultTokenizer(use_stemmer=True).tokenize

    @lru_cache(maxsize=65_536)
    def stemmed(word: str) -> tuple[str, ...]:
        # One word at a time is the same and lets us stem each word once; what is not ASCII is no English word.
        return tuple(stemming(word)) if word.isascii() else (word,)

    def split_and_stem(text: str) -> list[str]:
        return [stem for word in split(text) for stem in stemmed(word)]

    return Tokenizer(name, split_and_stem, f"{kind}|stem:nltk{version('nltk')}")
