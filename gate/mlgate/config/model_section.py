"""The model under test: where it is and how to ask it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, JsonValue, model_validator

from mlgate.config.duration import Duration, lasting
from mlgate.config.section import EnvName, FieldName, Given, Line, Many, Section, Written, complaint

PLACE = "{input}"
"""What stands for the example's input in a prompt or a request."""

_WAYS = ("endpoint", "python", "answers")
_OWN_HEADERS = frozenset({"connection", "content-length", "te", "transfer-encoding", "upgrade"})


def _address(url: str) -> str:
    """Check an endpoint's address. Messages never repeat it: it may hold a password."""
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
        raise complaint(f"must contain {PLACE}", 'write where the input goes: "Summarise: {input}"')
    return prompt


def _request_has_place(request: JsonValue) -> JsonValue:
    if not any(PLACE in text for text in _texts(request)):
        raise complaint(f'must contain "{PLACE}"', 'write where the input goes: {text: "{input}"}')
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


def _from_environment(value: object) -> object:
    """Refuse a header's value in the file. The message does not repeat it: it may be a secret."""
    if not isinstance(value, dict):
        raise complaint("must come from an environment variable", 'write {env: NAME} or {env: NAME, prefix: "Bearer "}')
    return value


class Header(Section):
    """A header's value, read from the environment when the run starts."""

    env: EnvName
    """The environment variable that holds the value."""
    prefix: Annotated[str, Written(r"[\x20-\x7e]{0,100}", "must be printable ASCII")] = ""
    """Text in front of the value: `"Bearer "`."""


HeaderName = Annotated[
    str, Written(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", "is no header's name: letters, digits and -, without spaces")
]


class Endpoint(Section):
    """A model that a server answers for, over HTTP."""

    url: Annotated[str, AfterValidator(_address)] = Field(examples=["http://127.0.0.1:8080"])
    """The server's address, `http` or `https`, without user and password."""
    protocol: Literal["kserve-v1", "kserve-v2", "openai-chat", "openai-completions", "json"]
    """How the server wants to be asked."""
    model: Given[Line] = None
    """The model's name at the server. Left out: the `name` of the model section. Not for protocol `json`."""
    prompt: Annotated[str, AfterValidator(_has_place)] = PLACE
    """What is sent for an example; `{input}` stands for its input. Not for protocol `json`."""
    request: Annotated[JsonValue, AfterValidator(_request_has_place)] = None
    """Protocol `json` only: the body to send, any JSON with `"{input}"` in it."""
    answer: Given[FieldName] = None
    """Protocol `json` only: where the answer stands in the response, as a path: `choices.0.text`."""
    params: Mapping[str, JsonValue] = Field(default_factory=dict)
    """Parameters to send with each request: `{temperature: 0}`. Not for protocol `json`."""
    headers: Mapping[HeaderName, Annotated[Header, BeforeValidator(_from_environment)]] = Field(default_factory=dict)
    """Headers by name; values come from environment variables only."""
    concurrency: int = Field(8, ge=1, le=256)
    """Requests in flight at a time."""
    timeout: Duration = lasting("30s")
    """How long to wait for one answer: `30s`, `500ms`, `2m`."""
    retries: int = Field(2, ge=0, le=10)
    """How often to try again when no connection could be made. What was sent is never sent twice."""
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
        if self.batch > 1 and self.protocol in {"json", "openai-chat"}:
            raise complaint(f"must be 1 with protocol {self.protocol}", "use `concurrency` instead", at=("batch",))
        return self

    @model_validator(mode="after")
    def _headers_are_free(self) -> Self:
        seen: set[str] = set()
        for name in self.headers:
            if name.lower() in _OWN_HEADERS:
                raise complaint("is written by the gate itself", "delete it", at=("headers", name))
            if name.lower() in seen:
                raise complaint("is given twice", "upper and lower case are the same header", at=("headers", name))
            seen.add(name.lower())
        return self


class PythonModel(Section):
    """A model that is a Python function, run in a process of its own."""

    short: ClassVar[str] = "target"
    written_as: ClassVar[str] = "a function like pkg.mod:fn, or a mapping"

    target: Annotated[
        str, Written(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*(?:\.[^\W\d]\w*)*", "must be a function like pkg.mod:fn")
    ]
    """Module and function: `pkg.mod:fn`. It takes an input and returns the answer."""
    path: Line = "."
    """The folder to import from, relative to the configuration's."""
    batch: int = Field(1, ge=1, le=1_000)
    """Inputs in one call. More than 1: the function takes a list and returns one."""
    timeout: Duration = lasting("60s")
    """How long one call may take."""
    env: Many[EnvName] = ()
    """Environment variables that the function may see, besides the few that every program needs."""


class Answers(Section):
    """Answers that were made before, in a file."""

    short: ClassVar[str] = "path"
    written_as: ClassVar[str] = "a path or a mapping"

    path: Line
    """The file, relative to the configuration's folder: `.jsonl`, `.csv` or `.tsv` with ids, or one answer a line."""
    id: FieldName = "id"
    """The field with the example's id."""
    answer: FieldName = "answer"
    """The field with the answer."""


class ModelSection(Section):
    """The model under test: exactly one of `endpoint`, `python` and `answers`."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [way]} for way in _WAYS]})

    name: Annotated[str, Written(r"[^\x00-\x1f\x7f]{1,100}", "must be one line of at most 100 characters")] = "model"
    """What reports call the model."""
    endpoint: Given[Endpoint] = None
    """A server to ask over HTTP."""
    python: Given[PythonModel] = None
    """A Python function to call."""
    answers: Given[Answers] = None
    """A file of answers that were made before."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [name for name in _WAYS if getattr(self, name) is not None]
        if not ways:
            raise complaint("needs one of endpoint, python and answers", "e.g. python: pkg.mod:fn")
        if len(ways) > 1:
            raise complaint(f"has {' and '.join(ways)}: a run asks one model", "keep one of them")
        return self

    @property
    def served_name(self) -> str:
        """Return the model's name at its server."""
        return (self.endpoint.model if self.endpoint else None) or self.name
