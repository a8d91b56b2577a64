"""Any server that takes JSON and returns JSON, described by a template and a path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from mlgate.adapters.protocols.answer_text import text_or_failure
from mlgate.adapters.protocols.protocol import PLACE, Answers, counted, prompt
from mlgate.core.check import Json
from mlgate.core.formats.field_path import Absent, pick
from mlgate.core.ports import Failure


@dataclass(frozen=True)
class PlainJson:
    """Any other server that takes JSON and returns JSON, one input a request."""

    name: ClassVar[str] = "json"
    batches: ClassVar[bool] = False
    request: Json
    """The body; `{input}` in any string of it stands for the input, and a string that is just that keeps its type."""
    answer_path: str
    """Where the answer stands in the reply, e.g. `choices.0.text`."""
    path: str = ""
    """Behind the endpoint's URL; empty when that names the route already."""

    @property
    def identity(self) -> Mapping[str, Json]:
        """Return the template and the paths."""
        return {"protocol": self.name, "request": self.request, "answer": self.answer_path, "path": self.path}

    def encode(self, inputs: Sequence[Json]) -> tuple[str, Json]:
        """Fill the template."""
        (asked,) = inputs
        return self.path, _filled_template(self.request, asked)

    def decode(self, body: object, n: int) -> Answers:
        """Follow the path."""
        found = pick({"reply": body}, f"reply.{self.answer_path}" if self.answer_path else "reply")
        if found is Absent.ABSENT:
            return [Failure(f"answered JSON without {self.answer_path}")] * n
        return counted([text_or_failure(found)], n, "answers")


def _filled_template(template: Json, value: Json) -> Json:
    match template:
        case str() if template == PLACE:
            return value
        case str() if PLACE in template:
            return prompt(template, value, "a text around {input}")
        case Mapping():
            return {key: _filled_template(one, value) for key, one in template.items()}
        case Sequence() if not isinstance(template, str):
            return [_filled_template(one, value) for one in template]
        case _:
            return template
