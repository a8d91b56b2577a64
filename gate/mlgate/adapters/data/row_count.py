"""How many examples a data file has, where its rows can be counted without reading what is in them."""

from __future__ import annotations

from pathlib import Path

from mlgate.adapters.data import csv_file, open_file
from mlgate.core.errors import GateError


def count(path: Path) -> int | None:
    """Return how many rows a file has, its header aside; None for one that cannot be read, or is of another format."""
    try:
        match Path(path.name.lower().removesuffix(".gz")).suffix:
            case ".jsonl" | ".ndjson":
                return sum(1 for _, line in open_file.lines(path) if line.strip())
            case ".csv" | ".tsv" | ".tab":
                return csv_file.count(path)
    except GateError:
        return None
    return None
