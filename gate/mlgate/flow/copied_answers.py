"""Answers that are the references themselves: they show how good the references are, and nothing of a model."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

from mlgate.core.check import Check
from mlgate.core.evidence import Evidence, Observation
from mlgate.core.text.normal_form import normal

_LONG = 20
"""Letters and digits of a reference that no model hits by chance: of labels and numbers only all are conspicuous."""
_SHARE_OF_COPIES = 0.9
"""Share of long answers that are copies: a few that are not would hide the rest."""


def copied(check: Check, answers: Mapping[str, str]) -> int:
    """Return how many answers are one of their example's references, where that is no chance; else 0.

    Case, blanks and punctuation do not tell an answer from a reference.
    """
    asked = [example for example in check.examples if example.references]
    if not asked:
        return 0
    plain = [tuple(map(_plain, example.references)) for example in asked]
    same = sum(
        example.id in answers and _plain(answers[example.id]) in references
        for example, references in zip(asked, plain, strict=True)
    )
    is_long = median(len(references[0]) for references in plain) >= _LONG
    return same if same >= len(asked) * (_SHARE_OF_COPIES if is_long else 1) else 0


def answered(check: Check, evidence: Evidence) -> dict[str, str]:
    """Return the answers in *evidence* to a check's examples, by example."""
    seen = {
        key: row.seen.get("answer") for key, row in evidence.under(check.id).items() if isinstance(row, Observation)
    }
    return {name: text for name, text in seen.items() if isinstance(text, str)}


def _plain(text: str) -> str:
    folded = normal("NFKC", text).casefold()
    return "".join(filter(str.isalnum, folded)) or folded
