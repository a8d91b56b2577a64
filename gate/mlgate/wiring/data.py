"""The data of a check: from its section of the configuration to examples."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from mlgate.adapters.data import csv_file, huggingface, json_file, jsonl_file, open_file, parquet_file, text_files
from mlgate.adapters.data.dialect import COMMAS, TABS, Dialect
from mlgate.adapters.data.examples import Dataset
from mlgate.adapters.data.fields import Fields
from mlgate.adapters.data.local_path import local
from mlgate.adapters.data.section_line import SectionLine
from mlgate.config.config import Config
from mlgate.config.sections.check import RecordedCheck
from mlgate.config.sections.data import Data, DatasetData, FileData, LinesData
from mlgate.config.sections.section import Quoting
from mlgate.config.translate.checks import needed_fields, needs_references
from mlgate.core.check import Example
from mlgate.core.errors import ConfigError
from mlgate.core.formats.converters import converter, has_converter
from mlgate.core.formats.names import suffix


def dataset(config: Config, name: str) -> Dataset:
    """Read the examples of the check *name*; a recorded check without data has numbered ones."""
    section = config.checks[name]
    if isinstance(section, RecordedCheck) and section.data is None:
        return Dataset(tuple(Example(str(i), "") for i in range(1, (section.examples or 0) + 1)))
    assert section.data is not None
    line = SectionLine("data", section.data.model_dump(mode="json", exclude_unset=True))
    slices = tuple(needed_fields(config, name))
    where, needs = config.where("checks", name, "data"), needs_references(config, name)
    return read(section.data, config.root, line, slices, where=where, needs=needs)


def read(
    data: Data, root: Path, line: SectionLine, slices: tuple[str, ...] = (), *, where: str = "", needs: bool = True
) -> Dataset:
    """Read the examples of a section. *line* is what stands there, *where* its place; *needs*: references."""
    match data:
        case LinesData():
            return _lines(data, root, line, where)
        case DatasetData(dataset=path, split=split, config=config):
            folder = root / path if (root / path).is_dir() else _on_the_hub(path)
            return huggingface.read(folder, _fields(data, slices, line, needs=needs), split=split, config=config or "")
        case FileData(path=path):
            return _file(
                data, local(root, path, line.with_path, where), _fields(data, slices, line, needs=needs), where
            )


def _file(data: FileData, path: Path, fields: Fields, where: str) -> Dataset:
    match data.file_format:
        case "jsonl":
            return jsonl_file.read(path, fields)
        case "json":
            return json_file.read(path, fields)
        case "csv" | "tsv" as kind:
            return csv_file.read(path, fields, dialect=dialect(kind, data.delimiter, data.quoting))
        case "parquet":
            return parquet_file.read(path, fields)
        case None:
            raise _no_format(data, path, fields.line, where)


def _no_format(data: FileData, path: Path, line: SectionLine, where: str) -> ConfigError:
    """Return the error for a file whose ending tells no format: what it looks like, where it is there."""
    hint = converter(data.path)
    if re.fullmatch(r"[\w-]+(/[\w.-]+)?", data.path) and not path.exists():
        hint = f"no such file is there; if it is a data set of Hugging Face, write `data: {{dataset: {data.path}}}`"
    elif suffix(data.path) != ".txt" and not has_converter(data.path) and (seen := open_file.format_seen(path)):
        hint = f"write `{line.where(format=seen)}`"
    return ConfigError(f"`{data.path[:200]}` does not end in a known format", hint=hint, where=where)


def dialect(kind: str, delimiter: str | None, quoting: Quoting | None) -> Dialect:
    """Return what cuts the lines of a CSV or TSV file."""
    usual = TABS if kind == "tsv" else COMMAS
    cut = "\t" if delimiter == "tab" else delimiter
    return Dialect(cut or usual.delimiter, quoting, delimiter_is_written=delimiter is not None)


def _lines(data: LinesData, root: Path, line: SectionLine, where: str) -> Dataset:
    source = local(root, data.source, lambda path: line.where(source=path), where)
    references = [
        local(root, one, partial(_with_reference, line, data.references, one), where) for one in data.references
    ]
    group = local(root, data.group, lambda path: line.where(group=path), where) if data.group else None
    return text_files.read(source, references, group)


def _with_reference(line: SectionLine, all_of_them: tuple[str, ...], old: str, new: str) -> str:
    return line.where(references=[new if one == old else one for one in all_of_them])


def _fields(data: DatasetData | FileData, slices: tuple[str, ...], line: SectionLine, *, needs: bool) -> Fields:
    return Fields(
        data.input,
        tuple(data.references),
        data.id or "",
        slices,
        data.group or "",
        split_lists=data.split_lists,
        needs_references=needs,
        line=line,
    )


def _on_the_hub(name: str) -> Path:
    """Return the name as the reader wants it; it would take a folder that happens to lie in the working directory."""
    if Path(name).exists():
        hint = "paths are relative to the configuration's folder"
        raise ConfigError("the dataset's folder is not beside the configuration", where=name, hint=hint)
    return Path(name)
