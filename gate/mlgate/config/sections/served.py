"""How a model is asked over HTTP, wherever it runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, Field, JsonValue, model_validator

from mlgate.config.sections.duration import Duration, lasting
from mlgate.config.sections.section import FieldName, Given, Line, Section, complaint

PLACE = "{input}"
"""What stands for the example's input in a prompt or a request."""

_OTHER_PLACE = re.compile(r"(?<![\w\\}])\{(?!input\})([A-Za-z_][A-Za-z0-9_.]{0,63})\}")
"""What people write to have another field filled in. `\\frac{a}{b}` and `{ a }` are text."""

_OF_PROMPTS = {
    "messages": "write it as `prompt:` beside params, with {input} in it",
    "prompt": "write `prompt:` beside params, with {input} in it",
    "model": "write `model:` beside params",
    "stream": "delete it: a latency check asks for pieces by load: {stream: true}",
}
_OF_TENSORS = dict.fromkeys(("instances", "inputs"), "delete it: an example's input goes there")
_OWN_FIELDS: dict[str, dict[str, str]] = {
    "openai-chat": _OF_PROMPTS,
    "openai-completions": _OF_PROMPTS,
    "kserve-v1": _OF_TENSORS,
    "kserve-v2": _OF_TENSORS,
}
"""Fields of a request that mlgate itself writes, by protocol, and what to write in place of a parameter."""

STREAMING = ("openai-chat", "openai-completions")
"""The protocols whose replies can come in pieces."""
GRPC = "kserve-v2-grpc"
"""The one protocol that is not HTTP/1.1: its load is a closed loop, and only an endpoint is asked by it."""

AT_ONCE = ("kserve-v1", "kserve-v2", "kserve-v2-grpc", "json")
"""The protocols whose replies come whole."""


def checked_address(url: str) -> str:
    """Check a server's address. Messages never repeat it: it may hold a password."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise complaint("is no address", "write it like http://127.0.0.1:8080") from error
    if parts.scheme not in {"http", "https"}:
        raise complaint("must begin with http:// or https://", "write it like http://127.0.0.1:8080")
    if not host or not url.isascii() or not url.isprintable() or set(url) & set(' \\"<>'):
        raise complaint("is no address", "write it like http://127.0.0.1:8080")
    if "@" in parts.netloc:
        raise complaint("must not hold a user or a password", "send them as a header: {Authorization: {env: TOKEN}}")
    if "#" in url:
        raise complaint("must not have a part behind #", "delete it: a server never sees it")
    return url


def _has_place(prompt: str) -> str:
    if PLACE not in prompt:
        unfilled = _OTHER_PLACE.search(prompt)
        hint = (
            f"write {PLACE} in place of {unfilled[0]}"
            if unfilled
            else 'write where the input goes: "Summarise: {input}"'
        )
        raise complaint(f"must contain {PLACE}", hint)
    return _fillable(prompt)


def _fillable(text: str) -> str:
    """Refuse places that nothing fills: they would reach the model as they are written, without a word."""
    if "{{input}}" in text:
        raise complaint("has {{input}}: a pair of braces would be sent with the input", f"write {PLACE}")
    unfilled = _OTHER_PLACE.search(text)
    if unfilled:
        name = unfilled[1]
        says = f"has {{{name}}}, which nothing fills: an example's input alone is sent"
        raise complaint(says, f"write {PLACE}; where the braces are meant, put blanks in: {{ {name} }}")
    return text


def _request_has_place(request: JsonValue) -> JsonValue:
    if not any(PLACE in text for text in _texts(request)):
        raise complaint(f'must contain "{PLACE}"', 'write where the input goes: {text: "{input}"}')
    for text in _texts(request):
        _fillable(text)
    return request


def _texts(value: JsonValue) -> Iterator[str]:
    """Yield every text of a JSON value; keys are not filled in."""
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from _texts(item)
        case dict():
            for item in value.values():
                yield from _texts(item)


class Address(Section):
    """Where a server answers."""

    url: Annotated[str, AfterValidator(checked_address)] = Field(examples=["http://127.0.0.1:8080"])
    """The server's address, `http` or `https`, without user and password."""


class Served(Section):
    """How a server wants to be asked."""

    protocol: Literal["kserve-v1", "kserve-v2", "kserve-v2-grpc", "openai-chat", "openai-completions", "json"]
    """How the server wants to be asked."""
    model: Given[Line] = None
    """The model's name at the server. Left out: the `name` of the model section. Not for protocol `json`."""
    prompt: Annotated[str, AfterValidator(_has_place)] = PLACE
    """What is sent for an example; `{input}` stands for its input, and nothing else is filled in. Not for protocol
    `json`."""
    request: Annotated[JsonValue, AfterValidator(_request_has_place)] = None
    """Protocol `json` only: the body to send, any JSON with `"{input}"` in it."""
    answer: Given[FieldName] = None
    """Protocol `json` only: where the answer stands in the response, as a path: `choices.0.text`."""
    params: Mapping[str, JsonValue] = Field(default_factory=dict)
    """Parameters to send with each request: `{temperature: 0}`. Not what mlgate itself sends (`model`, `messages`,
    `prompt`, `stream`, `instances`, `inputs`). Not for protocol `json`."""
    concurrency: int = Field(8, ge=1, le=256)
    """Requests in flight at a time. A latency check's load says it by itself."""
    timeout: Duration = lasting("30s")
    """How long to wait for one answer: `30s`, `500ms`, `2m`."""
    batch: int = Field(1, ge=1, le=1_000)
    """Examples in one request. More than 1 needs `kserve-v1`, `kserve-v2` or `openai-completions`."""

    @model_validator(mode="after")
    def _fits_protocol(self) -> Self:
        given = self.model_fields_set
        if self.protocol == "json":
            for key, example in (("request", '{text: "{input}"}'), ("answer", "choices.0.text")):
                if key not in given:
                    raise complaint(f"needs `{key}` with protocol json", f"write {key}: {example}")
            for key in ("model", "prompt", "params"):
                if key in given:
                    raise complaint("is not for protocol json", "write it into `request`", at=(key,))
        else:
            for key in ("request", "answer"):
                if key in given:
                    raise complaint(f"is not for protocol {self.protocol}", "delete it, or use json", at=(key,))
        if self.batch > 1 and self.protocol in {"json", "openai-chat", GRPC}:
            raise complaint(f"must be 1 with protocol {self.protocol}", "use `concurrency` instead", at=("batch",))
        return self

    @model_validator(mode="after")
    def _params_have_an_effect(self) -> Self:
        for key, hint in _OWN_FIELDS.get(self.protocol, {}).items():
            if key in self.params:
                says = f"has no effect: mlgate itself sends `{key}`"
                raise complaint(says, hint, at=("params", key))
        return self

    def usual_ready_path(self, name: str) -> str:
        """Return the path that the protocol answers with 200 once the model *name* is loaded; empty: it has none."""
        match self.protocol:
            case "kserve-v1":
                return f"/v1/models/{quote(name, safe='')}"
            case "kserve-v2" | "kserve-v2-grpc":
                return f"/v2/models/{quote(name, safe='')}/ready"
            case "openai-chat" | "openai-completions":
                return "/v1/models"
            case "json":
                return ""
