"""Exact match: the share of answers that are a reference, character for character."""

from __future__ import annotations

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

_WHITESPACE = ("trim", "collapse", "keep")


@dataclass(frozen=True, slots=True)
class ExactMatch:
    """Share of answers equal to any of their references. Columns: right, 1."""

    metric: ClassVar[Metric] = Metric("exact_match", "ratio", Better.HIGHER)
    lowercase: bool
    whitespace: str

    def signature(self, references: References) -> str:
        """Return the settings. Unicode promises that NFC never changes, so that its version is not one of them."""
        case = "lc" if self.lowercase else "mixed"
        return f"EM|nrefs:{how_many(references)}|case:{case}|norm:nfc|space:{self.whitespace}|version:mlgate1"

    def unsuitable(self, references: References) -> str:  # noqa: ARG002 - any text can be compared
        """Return nothing: any text can be compared, the empty one too."""
        return ""

    def statistics(self, answers: Sequence[str], references: References) -> Array:
        """Return right (1 or 0) and 1 for each example, shape (n, 2)."""
        refuse_unpaired(answers, references)
        right = [
            self._normal(answer) in {self._normal(reference) for reference in several}
            for answer, several in zip(answers, references, strict=True)
        ]
        return np.column_stack([np.array(right, dtype=float), np.ones(len(right))])

    def value(self, totals: Array) -> Array:
        """Return the share."""
        return ratio(totals)

    def _normal(self, text: str) -> str:
        text = normal("NFC", text)
        if self.lowercase:
            text = normal("NFC", text.casefold())
        match self.whitespace:
            case "trim":
                return text.strip()
            case "collapse":
                return " ".join(text.split())
            case _:
                return text


def exact_match(options: Mapping[str, Json]) -> ExactMatch:
    """Make exact match after NFC, outer whitespace trimmed unless `whitespace` says otherwise."""
    chosen = Options("exact_match", options, ("lowercase", "whitespace"))
    return ExactMatch(chosen.flag("lowercase"), chosen.choice("whitespace", _WHITESPACE))
