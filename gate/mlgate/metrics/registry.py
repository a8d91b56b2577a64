"""The metrics that there are, by name. Built-in ones are listed here; others come by entry point."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from mlgate.core.check import Json
from mlgate.metrics.scorer import Scorer

Factory = Callable[[Mapping[str, Json]], Scorer]
"""Makes a scorer from options. Raises ValueError, with the options there are, for one it does not know."""

GROUP = "mlgate.metrics"

BUILT_IN = {
    "bleu": "bleu:bleu",
    "chrf": "chrf:chrf",
    "chrf++": "chrf:chrf_plus_plus",
    "ter": "ter:ter",
    "rouge1": "rouge:rouge1",
    "rouge2": "rouge:rouge2",
    "rougeL": "rouge:rouge_l",
    "rougeLsum": "rouge:rouge_lsum",
    "exact_match": "exact_match:exact_match",
    "token_f1": "token_f1:token_f1",
    "accuracy": "labels:accuracy",
    "macro_f1": "labels:macro_f1",
    "label_precision": "one_label:label_precision",
    "label_recall": "one_label:label_recall",
    "label_f1": "one_label:label_f1",
    "wer": "edits:wer",
    "cer": "edits:cer",
    "contains": "answer_tests:contains",
    "is_one_of": "answer_tests:is_one_of",
    "matches": "answer_tests:matches",
    "max_length": "answer_tests:max_length",
    "json_valid": "answer_tests:json_valid",
    "json_schema": "answer_tests:json_schema",
}
"""Module and factory of each metric that is mlgate's own."""


def names() -> tuple[str, ...]:
    """Return every metric's name: built-in ones first, then third parties' in order."""
    return (*BUILT_IN, *sorted(third_party().keys() - BUILT_IN.keys()))


@cache
def third_party() -> Mapping[str, EntryPoint]:
    """Return third parties' metrics by name. Every installed package is read for it, so that happens once a process."""
    return {point.name: point for point in reversed(entry_points(group=GROUP))}  # the first of a name counts


def build(name: str, options: Mapping[str, Json] | None = None) -> Scorer:
    """Return metric *name* with *options*. Raises KeyError for an unknown name, ValueError for an unknown option."""
    if name in BUILT_IN:
        module, attribute = BUILT_IN[name].split(":")
        factory = getattr(import_module(f"mlgate.metrics.{module}"), attribute)
    else:
        factory = third_party()[name].load()
    return cast(Factory, factory)(options or {})
