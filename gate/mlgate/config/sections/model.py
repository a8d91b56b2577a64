"""The model under test: where it is and how to ask it."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from mlgate.config.sections.duration import Duration, lasting
from mlgate.config.sections.header import Headers
from mlgate.config.sections.image import Image
from mlgate.config.sections.section import (
    Delimiter,
    EnvName,
    FieldName,
    Given,
    Line,
    Many,
    Quoting,
    Section,
    Written,
    complaint,
)
from mlgate.config.sections.served import Address, Served
from mlgate.core.formats.names import format_of

AnswersFormat = Literal["jsonl", "json", "csv", "tsv", "lines"]

_FILE = re.compile(r"(?:\./)?((?:\w+/)*\w+)\.py(?::(\w+))?")


def _function(text: str) -> str:
    """Return the function that is meant by `pkg.mod.fn`, or by a file: `pkg/mod.py:fn`."""
    file = _FILE.fullmatch(text)
    if file:
        return f"{file[1].replace('/', '.')}:{file[2] or 'FUNCTION'}"
    module, _, name = text.rpartition(".")
    return f"{module}:{name}" if ":" not in text and module and name.isidentifier() else ""


_WAYS = ("endpoint", "image", "python", "answers")


class Endpoint(Served, Address):
    """A model that a server answers for, over HTTP."""

    headers: Headers = Field(default_factory=dict)
    """Headers by name; values come from environment variables only."""
    retries: int = Field(2, ge=0, le=10)
    """How often to try again when no connection could be made. What was sent is never sent twice, unless the server
    says that it is busy."""
    patience: Duration = lasting("60s")
    """How long a question may wait for a server that answers 429 or 503: as long as its `Retry-After` says, else longer
    each time. A busy server has carried nothing out, so asking again erases no failure. Not for timed load."""
    max_rate: Given[Annotated[float, Field(gt=0, le=100_000)]] = None
    """The most requests a second, over all that ask at once. Left out: as fast as `concurrency` goes."""


class PythonModel(Section):
    """A model that is a Python function, run in a process of its own."""

    short: ClassVar[str] = "target"
    written_as: ClassVar[str] = "a function like pkg.mod:fn, or a mapping"

    target: Annotated[
        str,
        Written(
            r"(?!.*\.py(?:$|:))[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*(?:\.[^\W\d]\w*)*",
            "must be a function like pkg.mod:fn",
            meant=_function,
        ),
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
    """The file, relative to the configuration's folder: `.jsonl`, `.json`, `.csv` or `.tsv`, or one answer a line. It
    may be packed: `.gz`, `.bz2`, `.xz`, `.zst`."""
    format: Given[AnswersFormat] = None
    """Left out: by the file's ending; `lines`, one answer a line, for any other."""
    delimiter: Given[Delimiter] = None
    """What cuts the values of a line: one character, or `tab`. Left out: a tab in TSV, a comma in CSV."""
    quoting: Given[Quoting] = None
    """`csv`: a value in quotes may hold delimiters and line breaks. `none`: quotes are text like any other. Left out:
    `none` where tabs cut, else `csv`."""
    id: FieldName = "id"
    """The field with the example's id."""
    answer: FieldName = "answer"
    """The field with the answer."""
    match: Given[Literal["id", "order"]] = None
    """`id`: an answer's id says whose it is. `order`: answer n is of row n of the data. Left out: by id; by order where
    neither the answers nor the data have ids, and in a file of one answer a line."""

    @model_validator(mode="after")
    def _keys_have_an_effect(self) -> Self:
        kind = self.format or format_of(self.path) or "lines"
        for key in ("delimiter", "quoting"):
            if getattr(self, key) is not None and kind not in ("csv", "tsv"):
                raise complaint("is for CSV and TSV", "delete the key, or write format: csv", at=(key,))
        if self.match == "id" and kind == "lines":
            raise complaint("has no effect: a file of one answer a line has no ids", "delete the key", at=("match",))
        if self.match == "order" and "id" in self.model_fields_set:
            raise complaint("is not used where answers go by order", "delete the key, or write match: id", at=("id",))
        return self


class ModelSection(Section):
    """The model under test: exactly one of `endpoint`, `image`, `python` and `answers`."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [way]} for way in _WAYS]})

    name: Annotated[str, Written(r"[^\x00-\x1f\x7f]{1,100}", "must be one line of at most 100 characters")] = "model"
    """What reports call the model."""
    endpoint: Given[Endpoint] = None
    """A server to ask over HTTP."""
    image: Given[Image] = None
    """A container image to start and to ask over HTTP."""
    python: Given[PythonModel] = None
    """A Python function to call."""
    answers: Given[Answers] = None
    """A file of answers that were made before."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [name for name in _WAYS if getattr(self, name) is not None]
        if not ways:
            raise complaint("needs one of endpoint, image, python and answers", "e.g. python: pkg.mod:fn")
        if len(ways) > 1:
            raise complaint(f"has {' and '.join(ways)}: a run asks one model", "keep one of them")
        return self

    @property
    def served(self) -> Served | None:
        """Return how the model is asked over HTTP; None when it is not."""
        return self.endpoint or self.image

    @property
    def served_name(self) -> str:
        """Return the model's name at its server."""
        return (self.served.model if self.served else None) or self.name

    @property
    def ready_path(self) -> str:
        """Return the path of an image's server that answers 200 once the model is loaded; empty: its open port says."""
        if self.image is None:
            return ""
        return self.image.ready or self.image.usual_ready_path(self.served_name)
