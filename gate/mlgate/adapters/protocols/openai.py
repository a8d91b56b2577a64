"""The two OpenAI routes that vLLM, KServe, Ollama and many others serve too.

platform.openai.com: "Create chat completion", "Create completion".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from mlgate.adapters.protocols.answer_text import text_or_failure
from mlgate.adapters.protocols.openai_stream import streamed
from mlgate.adapters.protocols.protocol import PLACE, Answers, counted, identity_of, lacking, prompt
from mlgate.core.check import Json
from mlgate.core.ports import Answer, Failure

_NOT_WHOLE = {"length": ": give it more tokens, e.g. params: {max_tokens: 4096}", "content_filter": ""}
"""A `finish_reason` of an answer that is not whole, and what to do."""
_REASONING = ("thinking", "reasoning")
"""Types of parts that are no answer."""


@dataclass(frozen=True)
class OpenAIChat:
    """Chat completions: one conversation a request."""

    name: ClassVar[str] = "openai-chat"
    batches: ClassVar[bool] = False
    model: str
    template: str = PLACE
    """The user's message; `{input}` stands for the example's text. A list of messages is sent as it is."""
    params: Mapping[str, Json] = field(default_factory=dict)
    """Further fields of the request: `temperature`, `max_tokens`, `seed` …"""
    stream: bool = field(default=False, repr=False)
    """Whether the answer is to come in pieces, as events. It is the same model: no part of what stands for it."""

    @property
    def identity(self) -> Mapping[str, Json]:
        """Return the model's name, the template, and what is sent beside the input."""
        return identity_of(self.name, self.model, self.template, self.params)

    def encode(self, inputs: Sequence[Json]) -> tuple[str, Json]:
        """Send text as the user's message; a list of messages goes as it is."""
        (asked,) = inputs
        if isinstance(asked, Sequence) and not isinstance(asked, str):
            if not asked or not all(isinstance(one, Mapping) and "role" in one for one in asked):
                raise ValueError(f"{self.name} takes text or a list of messages with a role each")
            messages: Json = list(asked)
        else:
            messages = [{"role": "user", "content": prompt(self.template, asked, self.name)}]
        return "/v1/chat/completions", {**self.params, "model": self.model, "messages": messages, **_how(self.stream)}

    def decode(self, body: object, n: int) -> Answers:
        """Read the only choice's content. A refusal or a tool call without content is no answer."""
        match body:
            case {"choices": [{"message": {"content": None, "refusal": str(why)}}, *_]}:
                return [Failure(f"refused to answer: {why[:200]}")] * n
            case {"choices": [{"message": {"content": content}} as choice]}:
                return counted([_answer(_joined(content), choice)], n, "choices")
            case {"choices": list(choices)} if len(choices) != 1:
                return counted([""] * len(choices), n, "choices")
        return lacking("`choices.0.message.content`", n)

    def decode_stream(self, events: Sequence[bytes]) -> tuple[str | Failure, dict[int, int]]:
        """Join the pieces of a streamed answer; also return how much text which event carried. Never raises."""
        return streamed(events, _chat_piece)


@dataclass(frozen=True)
class OpenAICompletions:
    """The older text completions, which take many prompts at once."""

    name: ClassVar[str] = "openai-completions"
    batches: ClassVar[bool] = True
    model: str
    template: str = PLACE
    """The prompt; `{input}` stands for the example's text."""
    params: Mapping[str, Json] = field(default_factory=dict)
    """Further fields of the request: `temperature`, `max_tokens`, `seed` …"""
    stream: bool = field(default=False, repr=False)
    """Whether the answer is to come in pieces, as events. It is the same model: no part of what stands for it."""

    @property
    def identity(self) -> Mapping[str, Json]:
        """Return the model's name, the template, and what is sent beside the input."""
        return identity_of(self.name, self.model, self.template, self.params)

    def encode(self, inputs: Sequence[Json]) -> tuple[str, Json]:
        """Send one prompt as text and several as a list, as every server takes them."""
        prompts: list[Json] = [prompt(self.template, one, self.name) for one in inputs]
        asked: Json = prompts[0] if len(prompts) == 1 else prompts
        return "/v1/completions", {**self.params, "model": self.model, "prompt": asked, **_how(self.stream)}

    def decode(self, body: object, n: int) -> Answers:
        """Read the choices by their `index`: their order in the reply is not promised."""
        match body:
            case {"choices": list(choices)} if all(isinstance(one, dict) and "text" in one for one in choices):
                if len(choices) != n:
                    return counted([""] * len(choices), n, "choices")
                places = [one.get("index", 0 if n == 1 else None) for one in choices]
                if not all(type(place) is int for place in places) or sorted(places) != list(range(n)):
                    return [Failure("answered choices whose `index` does not say which prompt each is for")] * n
                found = dict(zip(places, choices, strict=True))
                return [_answer(found[place]["text"], found[place]) for place in range(n)]
        return lacking("`choices` with `text`", n)

    def decode_stream(self, events: Sequence[bytes]) -> tuple[str | Failure, dict[int, int]]:
        """Join the pieces of a streamed answer; also return how much text which event carried. Never raises."""
        return streamed(events, _text_piece)


def _joined(content: object) -> object:
    """Return content that comes as a list of parts as one text: of its text parts, without those of reasoning."""
    if not isinstance(content, list) or not content:
        return content
    kinds = [one.get("type") if isinstance(one, dict) else None for one in content]
    texts = [one.get("text") for one, kind in zip(content, kinds, strict=True) if kind == "text"]
    known = all(kind in ("text", *_REASONING) for kind in kinds)
    return "".join(texts) if known and texts and all(isinstance(text, str) for text in texts) else content


def _answer(content: object, choice: Mapping[str, object]) -> str | Answer | Failure:
    """Return the answer, with why it ended where it is not whole; without a text, that is why there is none."""
    finish = choice.get("finish_reason")
    if not isinstance(finish, str) or finish not in _NOT_WHOLE:
        return text_or_failure(content)
    if content is None or content == "":
        return Failure(f"answered nothing before it was ended (finish_reason: {finish}){_NOT_WHOLE[finish]}")
    found = text_or_failure(content)
    return Answer(found, finish) if isinstance(found, str) else found


def _how(stream: bool) -> dict[str, Json]:
    return {"stream": True} if stream else {}


def _chat_piece(choice: Mapping[str, object]) -> object:
    match choice:
        case {"delta": {"refusal": str(why)}} if why:
            return Failure(f"refused to answer: {why[:200]}")
        case {"delta": {"content": content}}:
            return content
    return None


def _text_piece(choice: Mapping[str, object]) -> object:
    return choice.get("text")
