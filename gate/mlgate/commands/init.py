"""A project that begins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mlgate.adapters.data import row_count
from mlgate.adapters.files import new_files
from mlgate.reports import starter_files


def run_init(folder: Path, *, name: str, kind: starter_files.Kind, target: str, data: str) -> Iterator[Path]:
    """Write a working configuration into *folder*, with what it names and is not there; yield each file."""
    examples = row_count.count(folder / data) if data else None
    return new_files.write(folder, starter_files.files(name, kind, target, data, examples))
