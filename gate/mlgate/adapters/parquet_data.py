"""Examples from a Parquet file, by pyarrow: only the columns that are asked for are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mlgate.core.dataset import Dataset, Fields, gather
from mlgate.core.errors import ConfigError, EvidenceError
from mlgate.core.lines import MOST, admit, too_large, unreadable

_BATCH = 256
"""Rows to decode at a time: a dictionary can make few bytes on disk into many in memory."""


def read(
    path: Path,
    *,
    input_field: str = "input",
    reference_fields: Sequence[str] = (),
    id_field: str = "",
    slice_fields: Sequence[str] = (),
) -> Dataset:
    """Read every example; errors name the row, from 1 on. Needs the extra `parquet`.

    Raises ConfigError for a row that cannot be used or when pyarrow is missing, EvidenceError for a file that cannot
    be read.
    """
    fields = Fields(input_field, tuple(reference_fields), id_field, tuple(slice_fields))
    try:
        admit(str(path), path.stat().st_mode)
        if path.stat().st_size > MOST:
            raise too_large(str(path))
        return gather(_rows(path, fields), fields, source=str(path), unit="row")
    except (OSError, ValueError) as error:  # pyarrow.ArrowInvalid is a ValueError
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise unreadable(str(path), reason) from error


def _rows(path: Path, fields: Fields) -> Iterator[tuple[int, Mapping[str, object]]]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ConfigError(
            "reading Parquet needs pyarrow", hint="pip install 'mlgate[parquet]'", where=str(path)
        ) from error
    number = size = 0
    try:
        with pq.ParquetFile(path) as file:
            columns = fields.columns(file.schema_arrow.names)
            for batch in file.iter_batches(batch_size=_BATCH, columns=columns):
                size += batch.nbytes
                if size > MOST:
                    raise too_large(str(path))
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except pa.ArrowException as error:
        raise EvidenceError(
            f"the file is damaged or of an unknown kind: {str(error).partition(chr(10))[0]}",
            hint="write it again",
            where=str(path),
        ) from error
