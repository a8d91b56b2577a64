"""The JSON that a text is, bare or in a Markdown fence: models like to write it so."""

from __future__ import annotations

import json
import re
from typing import Any

NONE: Any = object()
"""What is no JSON at all; null is."""

_ALONE = re.compile(r"\A\s*```(?:json)?[ \t]*\n(.*?)```\s*\Z", re.DOTALL | re.IGNORECASE)
_ANYWHERE = re.compile(r"```(?:json)?[ \t]*\n(.*?)```", re.DOTALL | re.IGNORECASE)


def value_of(text: str, *, beside_text: bool = False) -> Any:
    """Return the value that *text* is, or `NONE`. *beside_text*: a fence counts where other text is around it, too."""
    fenced = (_ANYWHERE if beside_text else _ALONE).search(text)
    try:
        return json.loads(fenced[1] if fenced else text)
    except (ValueError, RecursionError):
        return NONE
