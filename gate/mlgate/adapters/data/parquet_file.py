"""Examples from a Parquet file, by pyarrow: only the columns that are asked for are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mlgate.adapters.data import git_lfs, open_file
from mlgate.adapters.data.examples import Dataset, gather
from mlgate.adapters.data.fields import USUAL, Fields
from mlgate.adapters.data.lines import LARGEST_FILE, admit, refuse_pointer, too_large, unreadable
from mlgate.core.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH = 64
"""Rows to decode at a time: a dictionary can make few bytes on disk into many in memory."""


def read(path: Path, fields: Fields = USUAL) -> Dataset:
    """Read every example; errors name the row, from 1 on. Needs the extra `parquet`.

    Raises ConfigError for a row that cannot be used or when pyarrow is missing, EvidenceError for a file that cannot
    be read.
    """
    return gather(rows(path, fields), fields, source=str(path), unit="row")


def rows(path: Path, fields: Fields) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Yield each row by its number, with the columns that *fields* name. Raises as `read` does."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ConfigError(
            "reading Parquet needs pyarrow", hint="pip install 'mlgate[parquet]'", where=str(path)
        ) from error
    number = size = 0
    try:
        _admit(path)
        with pq.ParquetFile(path) as file:
            columns = _columns(file.schema_arrow.names, fields, str(path))
            for batch in file.iter_batches(batch_size=_BATCH, columns=columns):
                size += batch.nbytes
                if size > LARGEST_FILE:
                    raise too_large(str(path))
                for row in _decoded_rows(batch, number, str(path)):
                    number += 1
                    yield number, row
    except (OSError, pa.ArrowException) as error:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise open_file.unreadable(path, reason) from error


def _admit(path: Path) -> None:
    try:
        status = path.stat()
    except ValueError as error:  # a NUL in the path
        raise unreadable(str(path), str(error)) from error
    admit(str(path), status.st_mode)
    if status.st_size > LARGEST_FILE:
        raise too_large(str(path))
    with path.open("rb") as file:
        refuse_pointer(file.read(git_lfs.LARGEST_POINTER), str(path))


def _columns(names: list[str], fields: Fields, where: str) -> list[str]:
    if len(set(names)) != len(names):
        twin = next(name for name in names if names.count(name) > 1)
        raise ConfigError(f"the file has the column `{twin[:60]}` twice", where=where)
    return fields.columns(names)


def _decoded_rows(batch: pa.RecordBatch, before: int, where: str) -> Iterator[Mapping[str, object]]:
    """Yield the batch's rows as Python values; *before* is how many rows came before it."""
    for index in range(batch.num_rows):
        try:
            yield batch.slice(index, 1).to_pylist()[0]
        except (ValueError, OverflowError) as error:  # text that is not UTF-8, a struct with twins, year 10000
            raise ConfigError(
                f"the row cannot be read: {str(error).partition(chr(10))[0]}", where=f"{where}:{before + index + 1}"
            ) from error
