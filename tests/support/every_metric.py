"""Every metric, those too that cannot be without settings, with some."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlgate.metrics.registry import build, names
from mlgate.metrics.scorer import Scorer

SETTINGS: Mapping[str, Mapping[str, Any]] = {
    **{name: {"label": "x"} for name in ("label_precision", "label_recall", "label_f1")},
    "is_one_of": {"values": ["yes", "no"]},
    "matches": {"pattern": "[a-z]"},
    "max_length": {"words": 3},
    "json_schema": {"schema": {"type": "object"}},
}
"""What the metrics have here that are nothing without."""

REFERENCE_FREE = ("is_one_of", "matches", "max_length", "json_valid", "json_schema")
"""Those that look at no reference."""


def built(name: str) -> Scorer:
    return build(name, SETTINGS.get(name))


def scorers() -> list[Scorer]:
    return [built(name) for name in names()]
