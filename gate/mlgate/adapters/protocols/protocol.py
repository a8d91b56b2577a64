"""What an HTTP protocol is to the gate: inputs to a request body, a reply to answers. Pure. Dialects have own files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

from mlgate.core.check import Json
from mlgate.core.ports import Answer, Failure

PLACE = "{input}"
"""What stands for the example's input in a template."""

Answers = list[str | Answer | Failure]
"""One an input, in order."""


class HttpProtocol(Protocol):
    """One way to ask over HTTP. Frozen values: equal settings, equal protocol."""

    name: ClassVar[str]
    batches: ClassVar[bool]
    """Whether several inputs fit into one request."""

    @property
    def identity(self) -> Mapping[str, Json]:
        """Return all that makes it ask as it asks, by name and written out: hashed, it stands for a model for years."""

    def encode(self, inputs: Sequence[Json]) -> tuple[str, Json]:
        """Return path and body that ask about *inputs*. Raises ValueError for an input the protocol cannot carry."""

    def decode(self, body: object, n: int) -> Answers:
        """Return the *n* answers in the JSON value *body*; what cannot be read is *n* failures. Never raises."""


def identity_of(protocol: str, model: str, template: str, params: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return the identity of a protocol that sends an input in a template, and the same fields beside it each time."""
    return {"protocol": protocol, "model": model, "template": template, "params": dict(params)}


def prompt(template: str, value: Json, taker: str) -> str:
    """Return *template* with the text *value* in it. Raises ValueError, naming *taker*, when it is not text."""
    if not isinstance(value, str):
        raise ValueError(f"{taker} takes a text input, not {type(value).__name__}")  # noqa: TRY004 - the port's one error
    return template.replace(PLACE, value)


def counted(found: Answers, n: int, noun: str) -> Answers:
    """Return *found* if it holds *n* answers; else nobody knows which answer is whose, and all *n* are failures."""
    return found if len(found) == n else [Failure(f"answered {len(found)} {noun} for {n} inputs")] * n


def lacking(what: str, n: int) -> Answers:
    """Return *n* failures because the reply has no *what*."""
    return [Failure(f"answered JSON without {what}")] * n
