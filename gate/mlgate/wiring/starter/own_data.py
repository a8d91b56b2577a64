"""What a person's own data is, as far as its first row and all of it tell: the keys of `data:` that read it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from mlgate.adapters.data import columns, csv_file, json_file, jsonl_file, open_file, parquet_file
from mlgate.adapters.data.delimited import TwoReadingsError
from mlgate.adapters.data.examples import Dataset
from mlgate.adapters.data.fields import Fields
from mlgate.adapters.data.local_path import local
from mlgate.adapters.data.section_line import SectionLine
from mlgate.config.sections.data import FileData, LinesData
from mlgate.config.validate import pydantic_messages
from mlgate.config.yaml import parse as strict_yaml
from mlgate.core.errors import ConfigError, EvidenceError
from mlgate.core.formats.converters import converter
from mlgate.core.formats.names import Format
from mlgate.wiring import data

_NAMED: Mapping[Format, str] = {
    "jsonl": "one JSON object a line",
    "json": "JSON objects",
    "csv": "one row an example",
    "tsv": "one row an example, cut at tabs",
    "parquet": "one row an example",
}
_REFERENCES = ("reference", "references")

S = TypeVar("S", FileData, LinesData)


@dataclass(frozen=True)
class OwnData:
    """A data file that was read."""

    line: SectionLine
    """What stands under `data:` for it."""
    dataset: Dataset
    input: str
    references: str
    """The fields that are asked and compared with."""

    @property
    def written(self) -> str:
        """Return the line of the configuration that reads it."""
        path = self.line.written.get("path")
        return self.line.with_path(str(path)) if path else self.line.where()

    @property
    def format(self) -> str:
        """Return the file's format, for people."""
        if "source" in self.line.written:
            return "one example a line"
        return _NAMED[_section(self.line.written).file_format or "jsonl"]


def find_out(folder: Path, written: str) -> OwnData:
    """Read a person's file, by its path or by the keys of `data:` that read it, as a project in *folder* would.

    A path that is not below the folder may be one from here. Raises as `read` does.
    """
    keys = _keys(written)
    if "source" in keys:
        found = data.read(_validated(LinesData, keys), folder, SectionLine("data", keys))
        return OwnData(SectionLine("data", keys), found, "source", "references")
    path = str(keys.get("path", ""))
    if (folder / path).exists() or not Path(path).exists():
        return read(folder, keys)
    own = read(Path(), keys)
    there = os.path.relpath(path, folder)
    return replace(own, line=SectionLine("data", {**own.line.written, "path": there}))


def _keys(written: str) -> dict[str, object]:
    if not written.startswith("{"):
        return {"path": written}
    value = strict_yaml.parse(f"data: {written}\n", "--data").value
    keys = value.get("data") if isinstance(value, dict) else None
    return dict(keys) if isinstance(keys, dict) else {"path": written}


def read(root: Path, written: Mapping[str, object]) -> OwnData:
    """Find out how a file is to be read, from the keys that are *written* on, and read it.

    Raises ConfigError where that cannot be told, with the keys to write; EvidenceError for what cannot be read.
    """
    keys = _with_format(root, dict(written))
    keys, row = _first_row(root, keys)
    keys = _with_fields(keys, row)
    try:
        found = _dataset(root, keys)
    except ConfigError:
        if "id" not in keys or "id" in written:
            raise
        del keys["id"]  # a column by that name that is no id
        found = _dataset(root, keys)
    names = _section(keys).references or [name for name in _REFERENCES if name in row]
    return OwnData(SectionLine("data", keys), found, str(keys.get("input", "input")), names[0])


def _section(keys: Mapping[str, object]) -> FileData:
    return _validated(FileData, keys)


def _validated(kind: type[S], keys: Mapping[str, object]) -> S:
    unknown = [key for key in keys if key not in kind.model_fields]
    if unknown:
        raise ConfigError(f"--data has no key `{unknown[0]}`", hint=f"write one of {', '.join(kind.model_fields)}")
    try:
        return kind.model_validate(keys)
    except ValidationError as error:
        first = pydantic_messages.complaints(error)[0]
        name = ".".join(map(str, first.steps)) or "--data"
        raise ConfigError(f"{name} {first.says}", hint=first.hint) from None


def _with_format(root: Path, keys: dict[str, object]) -> dict[str, object]:
    section = _section(keys)
    path = local(root, section.path, SectionLine("data", keys).with_path)
    if section.file_format is None:
        if not (seen := open_file.format_seen(path)):
            raise ConfigError("it does not end in a known format", hint=converter(section.path), where=str(path))
        keys["format"] = seen
    return keys


def _first_row(root: Path, keys: dict[str, object]) -> tuple[dict[str, object], Mapping[str, object]]:
    """Return the keys, with the delimiter that fits, and the first row."""
    section = _section(keys)
    path, fields = root / section.path, Fields(line=SectionLine("data", keys))
    rows: Iterator[tuple[int, Mapping[str, object]]]
    match section.file_format:
        case "csv" | "tsv" as kind:
            table = csv_file.table(path, fields, data.dialect(kind, section.delimiter, section.quoting))
            try:
                return keys, _first(iter(table.rows()), path)
            except TwoReadingsError:
                raise
            except ConfigError:
                fitting = table.fitting_keys()
                if not fitting or not fitting.keys().isdisjoint(keys):
                    raise
                return _first_row(root, {**keys, **fitting})
        case "json":
            rows = json_file.rows(path, fields)
        case "parquet":
            rows = parquet_file.rows(path, fields)
        case _:
            rows = jsonl_file.rows(path, fields)
    return keys, _first(rows, path)


def _first(rows: Iterator[tuple[int, Mapping[str, object]]], path: Path) -> Mapping[str, object]:
    first = next(rows, None)
    if first is None:
        raise EvidenceError("there is no row in it", hint="a check needs at least one example", where=str(path))
    return first[1]


def _with_fields(keys: dict[str, object], row: Mapping[str, object]) -> dict[str, object]:
    """Return the keys, with the columns that are probably meant; of two columns, the one that is left over."""
    there, found = tuple(row), dict(keys)
    if "input" not in keys and "input" not in row and (name := columns.meant("input", there)):
        found["input"] = name
    has_references = "references" in keys or any(name in row for name in _REFERENCES)
    if not has_references and (name := columns.meant("references", there, {str(found.get("input", "input"))})):
        found["references"] = name
        has_references = True
    own = columns.meant("id", there, map(str, found.values()))
    rest = [
        name
        for name in there
        if name not in (own, *map(str, found.values()), "input", *_REFERENCES) and columns.holds_texts(row[name])
    ]
    if "input" not in found and "input" not in row and has_references and len(rest) == 1:
        found["input"] = rest[0]
    elif not has_references and ("input" in found or "input" in row) and len(rest) == 1:
        found["references"], has_references = rest[0], True
    if not has_references or ("input" not in found and "input" not in row):
        raise _cannot_tell(found, row)
    asked = found.get("references")
    if isinstance(asked, str) and asked in row:
        found["references"] = columns.inside(row[asked], asked) or asked
    if own and own != "id" and "id" not in found:
        found["id"] = own
    return found


def _cannot_tell(found: dict[str, object], row: Mapping[str, object]) -> ConfigError:
    there = tuple(row)
    one, two = columns.turns(row) or (*there, "FIELD", "FIELD")[:2]
    line = SectionLine("data", found).where(**{"input": one, "references": two, **found})
    return ConfigError(
        "it cannot be told which columns are the input and the references",
        hint=f"write `{line}` with the right ones of: {', '.join(there)[:400]}",
        where=str(found["path"]),
    )


def _dataset(root: Path, keys: Mapping[str, object]) -> Dataset:
    return data.read(_section(keys), root, SectionLine("data", keys))
