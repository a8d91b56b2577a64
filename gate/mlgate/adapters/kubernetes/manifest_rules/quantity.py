"""Quantities as Kubernetes writes them: `500m`, `2Gi`, `1e3`."""

from __future__ import annotations

import math
import re

_SUFFIXES = {
    "": 1.0,
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    **{name: 1000.0**power for power, name in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    **{name: 1024.0**power for power, name in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)},
}
_FORM = re.compile(r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)([A-Za-z]*)")


def quantity(value: object) -> float:
    """Return the number of a quantity; NaN for what is none: the server refuses that by itself."""
    found = _FORM.fullmatch(str(value))
    if not found or found[2] not in _SUFFIXES:
        return math.nan
    return float(found[1]) * _SUFFIXES[found[2]]
