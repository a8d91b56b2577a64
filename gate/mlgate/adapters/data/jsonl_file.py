"""Examples from JSON Lines: one object a line, plain or `.gz`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from mlgate.adapters.data import open_file
from mlgate.adapters.data.examples import Dataset, gather
from mlgate.adapters.data.fields import DEEPEST_NESTING, USUAL, Fields
from mlgate.core import strict_json
from mlgate.core.errors import ConfigError


def read(path: Path, fields: Fields = USUAL) -> Dataset:
    """Read every example.

    Raises ConfigError with `file:line` for a line that cannot be used, EvidenceError for a file that cannot be read.
    """
    return gather(_rows(path), fields, source=str(path))


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    for number, line in open_file.lines(path):
        if line.strip():
            yield number, _row(line, f"{path}:{number}")


def _row(line: str, where: str) -> Mapping[str, object]:
    try:
        row = strict_json.loads(line)
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"the line is not JSON: {error.msg[:1].lower()}{error.msg[1:]} at column {error.colno}",
            hint="a .jsonl file holds one JSON object a line",
            where=where,
        ) from error
    except ValueError as error:
        raise ConfigError(f"the line is not JSON: {error}", where=where) from error
    except RecursionError as error:
        raise _too_deep(where) from error
    if not isinstance(row, dict):
        raise ConfigError(
            "the line is not a JSON object", hint="a .jsonl file holds one JSON object a line", where=where
        )
    if line.count("{") + line.count("[") > DEEPEST_NESTING and _depth(row) > DEEPEST_NESTING:
        raise _too_deep(where)
    return row


def _depth(value: object) -> int:
    """Return the levels of nesting, without recursion: json.loads goes deeper than a Python function can."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [item for box in level for item in (box.values() if isinstance(box, dict) else box)]
    return depth


def _too_deep(where: str) -> ConfigError:
    return ConfigError(f"the line is nested deeper than {DEEPEST_NESTING} levels", where=where)
