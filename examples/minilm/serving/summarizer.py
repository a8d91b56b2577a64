"""A docstring's most telling sentence: the one whose meaning is nearest to the rest of it."""

from __future__ import annotations

import re

from .encoder import Encoder
from .nearest import nearest

MOST_SENTENCES = 4
"""Of a docstring; what comes later is detail."""
LONGEST = 18
"""Words of a summary."""


def summarize(encoder: Encoder, text: str) -> str:
    """Return a sentence of *text*: a line with the definition, a blank line, the docstring's body.

    The definition is no candidate, but it has a voice: what a thing is called says what it is about.
    """
    definition, _, body = text.partition("\n\n")
    candidates = sentences(body)[:MOST_SENTENCES]
    if len(candidates) > 1:
        best = nearest(encoder.encode([definition, *candidates]), first=1)
        candidates = [candidates[best - 1]]
    return " ".join(" ".join(candidates).split()[:LONGEST])


def sentences(body: str) -> list[str]:
    """Return the sentences of the body's prose; paragraphs with interpreter sessions are left out."""
    found = []
    for paragraph in re.split(r"\n\s*\n", body):
        if not re.search(r"^\s*(>>>|\.\.\.)", paragraph, re.MULTILINE):
            found += re.split(r"(?<=[.!?:])\s+(?=[A-Z\"'(`*])", " ".join(paragraph.split()))
    return [sentence for sentence in found if sentence]
