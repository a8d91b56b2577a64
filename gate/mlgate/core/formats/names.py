"""What a file's name tells of its format and of how it is packed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

Format = Literal["jsonl", "json", "csv", "tsv", "parquet"]

FORMATS: Mapping[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
}
"""Each format by the endings that tell it."""

PACKED: Mapping[str, str] = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd"}
"""The endings of packed files, and the program that unpacks each with `-dc`."""

_ODD = re.compile(r"://|^~|\$|%\w+%|[*?\[\\]|/$")
"""What stands in a path that a program would first have to understand: a shell, a browser, another system."""


def is_odd(path: str) -> bool:
    """Return whether a path is probably none of this file system: an address, a pattern, one with variables."""
    return _ODD.search(path) is not None


def suffix(name: str) -> str:
    """Return the ending of a file's name, with its dot and in small letters; empty for a name without one."""
    last = name.rpartition("/")[2]
    before, dot, ending = last.rpartition(".")
    return f"{dot}{ending}".lower() if before else ""


def packing(name: str) -> str:
    """Return the ending that says how a file is packed, in small letters; empty for one that is not."""
    ending = suffix(name)
    return ending if ending in PACKED else ""


def unpacked_name(name: str) -> str:
    """Return a file's name without the ending that says how it is packed."""
    return name[: len(name) - len(packing(name))]


def format_of(name: str) -> Format | None:
    """Return the format that a file's ending tells, packed or not; None for no such ending."""
    return FORMATS.get(suffix(unpacked_name(name)))
