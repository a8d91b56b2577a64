"""A regression as pull requests make them: it looks harmless, and every answer looks like one."""

from __future__ import annotations

from summarizer import best, cut, headline, sentences


def summarize(text: str) -> str:
    """Return the headline and the body's most telling sentence, or so its author meant."""
    definition, _, body = text.partition("\n\n")
    found = sentences(body)
    return cut(f"{headline(definition)}. {found[best(found, definition) - 1]}")  # "positions count from 1": they do not
