"""Which metrics a project begins with: those that suit its references, tried as a check would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mlgate.config.load import parse
from mlgate.config.translate.checks import to_check
from mlgate.core.check import Example
from mlgate.core.errors import ConfigError
from mlgate.reports.starter_files import USUAL_RULES
from mlgate.wiring.starter.own_data import OwnData

_LABELS = ("label", "labels", "class", "category", "intent", "sentiment", "topic")
_TRANSLATIONS = (
    "src",
    "source",
    "tgt",
    "translation",
    "target",
    "ref",
    "reference",
    "references",
    "de",
    "en",
    "fr",
    "zh",
    "ja",
)
_LONGEST_LABEL = 30
"""Characters of a text that may be a label."""
_ROWS_A_LABEL = 3


def candidates(own: OwnData) -> Iterator[Mapping[str, float]]:
    """Yield what each metric must be at least, the best choice first; the last suits any text."""
    names = {own.input.casefold(), own.references.casefold()}
    if not names.isdisjoint(_LABELS) or _are_labels(own.dataset.examples):
        yield {"accuracy": 0.5}
    if len(names.intersection(_TRANSLATIONS)) > 1:
        yield {"bleu": 20, "chrf": 40}
    if any(not any(text.strip() for text in example.references) for example in own.dataset.examples):
        yield {"token_f1": 0.5, "exact_match": 0.5}  # ROUGE calls an empty answer wrong, too
    yield USUAL_RULES
    yield {"exact_match": 0.5}


def fits(root: Path, examples: Sequence[Example], text: str) -> bool:
    """Return whether a configuration's only check can judge answers to these examples."""
    config = parse(text, "mlgate.yaml", root)
    try:
        to_check(config, next(iter(config.checks)), examples)
    except ConfigError:
        return False
    return True


def _are_labels(examples: Sequence[Example]) -> bool:
    """Return whether the references are few short texts that come again and again."""
    texts = [text for example in examples for text in example.references]
    if len(texts) != len(examples) or any(len(text) > _LONGEST_LABEL or text.count(" ") > 1 for text in texts):
        return False
    return len(set(texts)) * _ROWS_A_LABEL <= len(texts)
