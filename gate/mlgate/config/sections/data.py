"""Where a check's examples come from: a file, parallel text files, or a Hugging Face data set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from mlgate.config.sections.section import FieldName, Given, Line, Many, Section, complaint

Format = Literal["jsonl", "csv", "tsv", "parquet"]

_SUFFIXES: Mapping[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
}
_WAYS = ("path", "source", "dataset")


class FileData(Section):
    """Examples in a file, one a row."""

    short: ClassVar[str] = "path"
    written_as: ClassVar[str] = "a path or a mapping"

    path: Line = Field(examples=["data/test.jsonl"])
    """The file, relative to the configuration's folder. Text formats may be packed: `test.jsonl.gz`."""
    format: Given[Format] = None
    """Left out: by the file's ending, `.jsonl`, `.ndjson`, `.csv`, `.tsv`, `.tab` or `.parquet`."""
    input: FieldName = "input"
    """The field with what the model is asked; a dotted path reaches inside: `question.text`."""
    references: Many[FieldName] = ()
    """The fields with good answers; each holds a text or a list of texts. Left out: `reference` or `references`."""
    id: Given[FieldName] = None
    """The field with a unique id. Left out: `id` when the rows have one, else ids are made from the content."""
    group: Given[FieldName] = None
    """The field whose rows of one value depend on each other: the document, the conversation, the speaker. Each group
    counts once in every interval. Left out: only rows with the same input are a group."""

    @model_validator(mode="after")
    def _format_is_known(self) -> Self:
        if self.format is None and self._by_suffix is None:
            raise complaint(
                "does not end in a known format",
                f"write format: jsonl, csv, tsv or parquet, or rename it to end in {', '.join(_SUFFIXES)}",
                at=("path",),
            )
        return self

    @property
    def _by_suffix(self) -> Format | None:
        return _SUFFIXES.get(PurePath(self.path.removesuffix(".gz")).suffix.lower())

    @property
    def file_format(self) -> Format:
        """Return the format that is written, or else the one that the file's ending tells."""
        found = self.format or self._by_suffix
        assert found is not None  # _format_is_known refused the others
        return found


class LinesData(Section):
    """Parallel text files, as machine translation keeps them: line n of each belongs together."""

    source: Line = Field(examples=["wmt.src"])
    """The file of inputs, one a line."""
    references: Many[Line] = Field(min_length=1, examples=[["ref.A", "ref.B"]])
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
    references: Many[FieldName] = ()
    """The fields with good answers. Left out: `reference` or `references`."""
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
