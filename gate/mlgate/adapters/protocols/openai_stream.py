"""Answers of the OpenAI routes that come in pieces: one event a piece, `[DONE]` at the end. Pure.

platform.openai.com: "Streaming API responses"; vLLM, KServe and Ollama do the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from mlgate.adapters.protocols.answer_text import text_or_failure
from mlgate.core.ports import Failure

Piece = Callable[[Mapping[str, object]], object]
"""Takes the text out of a choice; None: it carries none; a Failure: it is the end."""

_DONE = b"[DONE]"


def streamed(events: Sequence[bytes], piece: Piece) -> tuple[str | Failure, dict[int, int]]:
    """Return the joined text, or why there is none, and how many characters which event carried, by its index.

    The server's own count of tokens (`usage`) is passed over: it is a claim, and text can be counted.

    A stream that ends before `[DONE]` or a `finish_reason` was cut off: half an answer is none.
    """
    texts: dict[int, str] = {}
    whole = False
    for index, event in enumerate(events):
        if event.strip() == _DONE:
            whole = True
            break
        choice = _choice(event)
        found = choice if isinstance(choice, Failure) else piece(choice)
        if isinstance(found, Failure):
            return found, _sizes(texts)
        if found is not None and not isinstance(found, str):
            return Failure("answered an event whose text is no text"), _sizes(texts)
        if found:
            texts[index] = found
        whole = whole or (isinstance(choice, Mapping) and choice.get("finish_reason") is not None)
    if not whole:
        return Failure(f"broke off its answer after {len(texts)} pieces of text"), _sizes(texts)
    return text_or_failure("".join(texts.values())), _sizes(texts)


def _sizes(texts: Mapping[int, str]) -> dict[int, int]:
    return {index: len(text) for index, text in texts.items()}


def _choice(event: bytes) -> Mapping[str, object] | Failure:
    """Return an event's only choice; an empty one for the usage, which comes last."""
    try:
        value = json.loads(event.decode("utf-8"))
    except (ValueError, RecursionError):
        return Failure("answered an event that is not JSON")
    match value:
        case {"error": error} if error:
            return Failure(f"broke off its answer: {_message(error)}")
        case {"choices": [dict(choice)]}:
            return choice
        case {"choices": []}:
            return {}
    return Failure("answered an event without one choice")


def _message(error: object) -> str:
    message = error.get("message", error) if isinstance(error, dict) else error
    return str(message)[:200]
