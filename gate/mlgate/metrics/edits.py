"""Word and character error rates: edits per word or character of the reference, as speech recognition counts them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mlgate.core.check import Json
from mlgate.core.metric import Better, Metric
from mlgate.core.stats.jackknife import Array
from mlgate.core.text.normal_form import normal
from mlgate.metrics.options import Options
from mlgate.metrics.ratio import ratio
from mlgate.metrics.references import how_many, nothing_to_match, refuse_unmatchable
from mlgate.metrics.scorer import References
from mlgate.metrics.scripts import spaceless

MOST_CELLS = 10_000_000_000
"""Units of the answer times units of a reference, at most: a few seconds, bit-parallel."""


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """Levenshtein edits over reference length, summed over the corpus. Columns: edits, units of the reference."""

    metric: Metric
    unit: str
    """`word` or `char`."""
    lowercase: bool

    def signature(self, references: References) -> str:
        """Return the settings."""
        case = "lc" if self.lowercase else "mixed"
        return (
            f"{self.metric.name.upper()}|nrefs:{how_many(references)}|case:{case}|norm:nfc|unit:{self.unit}"
            "|version:mlgate1"
        )

    def unsuitable(self, references: References) -> str:
        """Return why: no text, or for words a script that is not split into them."""
        if why := nothing_to_match(references):
            return why
        if self.unit == "word" and (found := spaceless(references)):
            return f"{found}, so that a sentence is one word: use cer"
        return ""

    def statistics(self, answers: Sequence[str], references: References) -> Array:
        """Return edits and length of the reference with the fewest (the longest of equals), shape (n, 2)."""
        refuse_unmatchable(answers, references)
        rows = np.empty((len(answers), 2))
        for index, (answer, several) in enumerate(zip(answers, references, strict=True)):
            ids: dict[str, int] = {}
            given = self._units(answer, ids)
            wanted = [self._units(reference, ids) for reference in several]
            if len(given) * max(map(len, wanted)) > MOST_CELLS:
                raise ValueError(
                    f"example {index}: {len(given):,} {self.unit}s against {max(map(len, wanted)):,} are too many to "
                    f"align: {MOST_CELLS:,} pairs is the most"
                )
            edits, negative = min((_distance(reference, given), -len(reference)) for reference in wanted)
            rows[index] = edits, -negative
        return rows

    def value(self, totals: Array) -> Array:
        """Return the rate; it exceeds 1 when more is wrong than the references are long. NaN without any length."""
        return ratio(totals)

    def _units(self, text: str, ids: dict[str, int]) -> list[int]:
        """Return words, or characters of the trimmed text, as numbers: rapidfuzz compares other things by hash."""
        text = normal("NFC", text)
        if self.lowercase:
            text = normal("NFC", text.lower())
        units = text.split() if self.unit == "word" else text.strip()
        return [ids.setdefault(unit, len(ids)) for unit in units]


def _distance(reference: list[int], answer: list[int]) -> int:
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.distance(reference, answer)


def wer(options: Mapping[str, Json]) -> ErrorRate:
    """Make the word error rate; words are what whitespace separates."""
    return _error_rate("wer", "word", options)


def cer(options: Mapping[str, Json]) -> ErrorRate:
    """Make the character error rate; spaces inside the text are characters."""
    return _error_rate("cer", "char", options)


def _error_rate(name: str, unit: str, options: Mapping[str, Json]) -> ErrorRate:
    lowercase = Options(name, options, ("lowercase",)).flag("lowercase")
    return ErrorRate(Metric(name, "ratio", Better.LOWER), unit, lowercase)
