"""KServe's two protocols.

V1: kserve.github.io, "V1 Protocol". V2: github.com/kserve/open-inference-protocol, inference_rest.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import quote
from uuid import UUID

from mlgate.adapters.protocols.answer_text import text_or_failure
from mlgate.adapters.protocols.protocol import PLACE, Answers, counted, identity_of, lacking, prompt
from mlgate.core.check import Json, digest_of
from mlgate.core.ports import Failure

_ANSWER_FIELDS = ("text", "output", "answer", "generated_text")


@dataclass(frozen=True)
class KServeV1:
    """`{"instances": […]}` to `{"predictions": […]}`."""

    name: ClassVar[str] = "kserve-v1"
    batches: ClassVar[bool] = True
    model: str
    template: str = PLACE
    """What is sent for an input; when it is more than `{input}`, inputs are texts."""
    params: Mapping[str, Json] = field(default_factory=dict)
    """Further fields of the request, beside `instances`."""

    @property
    def identity(self) -> Mapping[str, Json]:
        """Return the model's name, the template, and what is sent beside the input."""
        return identity_of(self.name, self.model, self.template, self.params)

    def encode(self, inputs: Sequence[Json]) -> tuple[str, Json]:
        """Send every input as it is, without a template: V1 takes any JSON."""
        plain = self.template == PLACE
        instances = [one if plain else prompt(self.template, one, self.name) for one in inputs]
        return f"/v1/models/{quote(self.model, safe='')}:predict", {**self.params, "instances": instances}

    def decode(self, body: object, n: int) -> Answers:
        """Read `predictions`: texts, numbers, or objects with one text in them."""
        match body:
            case {"predictions": list(predictions)}:
                return counted([_prediction(one) for one in predictions], n, "predictions")
        return lacking("a list `predictions`", n)


@dataclass(frozen=True)
class KServeV2:
    """The Open Inference Protocol: one BYTES tensor of shape [n] in, one out."""

    name: ClassVar[str] = "kserve-v2"
    batches: ClassVar[bool] = True
    model: str
    template: str = PLACE
    """What is sent for an input; `{input}` stands for its text."""
    params: Mapping[str, Json] = field(default_factory=dict)
    """The request's `parameters`."""
    input_name: str = "input"
    """Of the input tensor; servers with a declared signature insist on theirs."""

    @property
    def identity(self) -> Mapping[str, Json]:
        """Return the model's name, the template, and what is sent beside the input."""
        return {**identity_of(self.name, self.model, self.template, self.params), "input_name": self.input_name}

    def encode(self, inputs: Sequence[Json]) -> tuple[str, Json]:
        """Send texts; a BYTES tensor can carry nothing else in JSON.

        The optional `id` is sent, made from the texts: KServe's own server fails (0.21) when a model echoes none.
        """
        texts = [prompt(self.template, one, self.name) for one in inputs]
        tensor: Json = {
            "name": self.input_name,
            "shape": [len(inputs)],
            "datatype": "BYTES",
            "data": texts,
        }
        more: Mapping[str, Json] = {"parameters": self.params} if self.params else {}
        return f"/v2/models/{quote(self.model, safe='')}/infer", {
            "id": str(UUID(digest_of(texts)[:32])),
            **more,
            "inputs": [tensor],
        }

    def decode(self, body: object, n: int) -> Answers:
        """Read the first output's texts or numbers: [n], or [n, 1] as servers with a batch dimension return it."""
        match body:
            case {"outputs": [{"data": list(data), **output}, *_]}:
                column = output.get("shape") == [len(data), 1]
                flat = [one[0] if column and isinstance(one, list) and len(one) == 1 else one for one in data]
                return counted([text_or_failure(one) for one in flat], n, "values")
        return lacking("`outputs` with `data`", n)


def _prediction(value: object) -> str | Failure:
    if not isinstance(value, dict):
        return text_or_failure(value)
    named = [name for name in _ANSWER_FIELDS if name in value]
    names = named or [name for name, one in value.items() if isinstance(one, str)]
    if len(names) == 1:
        return text_or_failure(value[names[0]])
    shown = ", ".join(str(name)[:40] for name in list(value)[:5]) or "none"
    return Failure(f"answered an object in which no one field is the answer (fields: {shown})")
