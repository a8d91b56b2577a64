"""The data of a check: from its section of the configuration to examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from mlgate.adapters.data import csv_file, huggingface, jsonl_file, parquet_file, text_files
from mlgate.adapters.data.examples import Dataset
from mlgate.adapters.data.fields import Fields
from mlgate.config.config import Config
from mlgate.config.sections.check import RecordedCheck
from mlgate.config.sections.data import Data, DatasetData, FileData, LinesData
from mlgate.config.translate.checks import needed_fields
from mlgate.core.check import Example
from mlgate.core.errors import ConfigError

_READERS: Mapping[str, Callable[[Path, Fields], Dataset]] = {
    "jsonl": jsonl_file.read,
    "csv": partial(csv_file.read, delimiter=","),
    "tsv": partial(csv_file.read, delimiter="\t"),
    "parquet": parquet_file.read,
}


def dataset(config: Config, name: str) -> Dataset:
    """Read the examples of the check *name*; a recorded check without data has numbered ones."""
    section = config.checks[name]
    if isinstance(section, RecordedCheck) and section.data is None:
        return Dataset(tuple(Example(str(i), "") for i in range(1, (section.examples or 0) + 1)))
    assert section.data is not None
    return _read(section.data, config.root, tuple(needed_fields(config, name)))


def _read(data: Data, root: Path, slices: tuple[str, ...]) -> Dataset:
    match data:
        case LinesData(source=source, references=references, group=group):
            documents = root / group if group else None
            return text_files.read(root / source, [root / reference for reference in references], documents)
        case DatasetData(dataset=path, split=split, config=config):
            where = root / path if (root / path).is_dir() else _on_the_hub(path)
            return huggingface.read(where, _fields(data, slices), split=split, config=config or "")
        case FileData(path=path):
            return _READERS[data.file_format](root / path, _fields(data, slices))


def _fields(data: DatasetData | FileData, slices: tuple[str, ...]) -> Fields:
    return Fields(data.input, tuple(data.references), data.id or "", slices, data.group or "")


def _on_the_hub(name: str) -> Path:
    """Return the name as the reader wants it; it would take a folder that happens to lie in the working directory."""
    if Path(name).exists():
        hint = "paths are relative to the configuration's folder"
        raise ConfigError("the dataset's folder is not beside the configuration", where=name, hint=hint)
    return Path(name)
