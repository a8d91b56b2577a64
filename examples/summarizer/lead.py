"""The champion: the version before `summarizer.py`, which baseline.jsonl.gz was made with.

It takes the first sentence, wherever the body begins.
"""

from __future__ import annotations

from summarizer import cut, headline, sentences


def summarize(text: str) -> str:
    """Return the headline and the body's first sentence."""
    definition, _, body = text.partition("\n\n")
    return cut(f"{headline(definition)}. {sentences(body)[0]}")
