"""Where a check's examples come from: a file, parallel text files, or a Hugging Face data set."""

from __future__ import annotations

import shlex
from typing import Annotated, ClassVar, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from mlgate.config.sections.section import Delimiter, FieldName, Given, Line, Many, OrOne, Quoting, Section, complaint
from mlgate.core.formats.converters import converter, has_converter
from mlgate.core.formats.names import PACKED, Format, format_of, packing, suffix

_WAYS = ("path", "source", "dataset")


class FileData(Section):
    """Examples in a file, one a row."""

    short: ClassVar[str] = "path"
    written_as: ClassVar[str] = "a path or a mapping"

    path: Line = Field(examples=["data/test.jsonl"])
    """The file, relative to the configuration's folder. Text formats may be packed: `.gz`, `.bz2`, `.xz`, `.zst`."""
    format: Given[Format] = None
    """Left out: by the file's ending, `.jsonl`, `.ndjson`, `.json`, `.csv`, `.tsv`, `.tab` or `.parquet`."""
    delimiter: Given[Delimiter] = None
    """What cuts the values of a line: one character, or `tab`. Left out: a tab in TSV, a comma in CSV."""
    quoting: Given[Quoting] = None
    """`csv`: a value in quotes may hold delimiters and line breaks. `none`: quotes are text like any other. Left out:
    `none` where tabs cut, else `csv`."""
    split_lists: Given[bool] = None
    """A reference like `["a", "b"]`, written as text. `true`: each item is a reference. `false`: it is one text. Left
    out: refused in CSV and TSV, which have no lists; one text, and a notice, in other formats."""
    input: FieldName = "input"
    """The field with what the model is asked; a dotted path reaches inside: `question.text`."""
    references: Annotated[Many[FieldName], OrOne()] = ()
    """The fields with good answers; each holds a text or a list of texts. A path may go through a list:
    `answers.*.text`. Left out: `reference` or `references`."""
    id: Given[FieldName] = None
    """The field with a unique id. Left out: `id` when the rows have one, else ids are made from the content."""
    group: Given[FieldName] = None
    """The field whose rows of one value depend on each other: the document, the conversation, the speaker. Each group
    counts once in every interval. Left out: only rows with the same input are a group."""

    @model_validator(mode="after")
    def _format_is_known(self) -> Self:
        if self.file_format is None and (has_converter(self.path) or suffix(self.path) == ".txt"):
            raise complaint("does not end in a known format", converter(self.path), at=("path",))
        if self.file_format == "parquet" and packing(self.path):
            command = f"{PACKED[packing(self.path)]} -dk {shlex.quote(self.path)}"
            raise complaint("is packed Parquet", f"unpack it: {command}, and name that file", at=("path",))
        return self

    @model_validator(mode="after")
    def _keys_have_an_effect(self) -> Self:
        for key in ("delimiter", "quoting"):
            if getattr(self, key) is not None and self.file_format not in ("csv", "tsv", None):
                raise complaint("is for CSV and TSV", "delete the key, or write format: csv", at=(key,))
        return self

    @property
    def file_format(self) -> Format | None:
        """Return the format that is written, or else the one that the file's ending tells; None for none."""
        return self.format or format_of(self.path)


class LinesData(Section):
    """Parallel text files, as machine translation keeps them: line n of each belongs together."""

    source: Line = Field(examples=["wmt.src"])
    """The file of inputs, one a line."""
    references: Annotated[Many[Line], OrOne()] = Field(min_length=1, examples=[["ref.A", "ref.B"]])
    """The files of good answers, with as many lines as the source."""
    group: Given[Line] = None
    """A file with as many lines that says which document, conversation or speaker each line is of. Each counts once in
    every interval. Left out: only lines with the same input are a group."""


class DatasetData(Section):
    """Examples of a Hugging Face data set."""

    dataset: Line = Field(examples=["cnn_dailymail"])
    """The data set's name, or a folder that was saved with `save_to_disk`."""
    split: Line = "test"
    """The split to use."""
    config: Given[Line] = None
    """The data set's configuration, for one that has several."""
    input: FieldName = "input"
    """The field with what the model is asked."""
    references: Annotated[Many[FieldName], OrOne()] = ()
    """The fields with good answers. Left out: `reference` or `references`."""
    split_lists: Given[bool] = None
    """A reference like `["a", "b"]`, written as text. `true`: each item is a reference. `false`: it is one text. Left
    out: one text, and a notice."""
    id: Given[FieldName] = None
    """The field with a unique id. Left out: `id` when the rows have one, else ids are made from the content."""
    group: Given[FieldName] = None
    """The field whose rows of one value depend on each other: the document, the conversation, the speaker. Each group
    counts once in every interval. Left out: only rows with the same input are a group."""


def _one_way(value: object) -> object:
    if isinstance(value, dict):
        ways = [key for key in _WAYS if key in value]
        if len(ways) > 1:
            raise complaint(f"has {' and '.join(ways)}: examples come from one place", "keep one of them")
    return value


def _way(value: object) -> str:
    for variant, key in ((LinesData, "source"), (DatasetData, "dataset")):
        if isinstance(value, variant) or (isinstance(value, dict) and key in value):
            return variant.__name__
    return FileData.__name__


Data = Annotated[
    Annotated[FileData, Tag("FileData")]
    | Annotated[LinesData, Tag("LinesData")]
    | Annotated[DatasetData, Tag("DatasetData")],
    Discriminator(_way),
    BeforeValidator(_one_way),
]
