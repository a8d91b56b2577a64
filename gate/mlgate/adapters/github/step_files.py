"""The files by which a step speaks to GitHub Actions: its outputs and its part of the job summary."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from mlgate.adapters.process.environment_flags import in_github_actions
from mlgate.core.errors import AdapterError

LARGEST_SUMMARY = 1_000_000
"""Bytes of a summary: one over 1 MiB is dropped whole, and several steps share none of it."""

_OUTPUT_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")
_OUTPUT_VALUE = re.compile(r"[^\x00-\x1f\x7f\x80-\x9f\u2028\u2029]{0,100000}")
"""One line: a newline in a value would begin another output."""


def write_summary(text: str) -> None:
    """Append Markdown to the job summary; does nothing outside of GitHub Actions. Raises AdapterError."""
    if len(text.encode("utf-8", "backslashreplace")) > LARGEST_SUMMARY:
        raise AdapterError(f"a job summary has at most {LARGEST_SUMMARY:,} bytes")
    _append("GITHUB_STEP_SUMMARY", text)


def write_outputs(values: Mapping[str, str]) -> None:
    """Set the step's outputs; does nothing outside of GitHub Actions. Raises AdapterError.

    A value is one line of visible text: whatever else would let its source set outputs of its own choice.
    """
    for name, value in values.items():
        if not (_OUTPUT_NAME.fullmatch(name) and _OUTPUT_VALUE.fullmatch(value)):
            raise AdapterError(f"the output {name!r} is not one line of text")
    _append("GITHUB_OUTPUT", "".join(f"{name}={value}\n" for name, value in values.items()))


def _append(variable: str, text: str) -> None:
    path = os.environ.get(variable)
    if not path or not in_github_actions():
        return
    try:
        with Path(path).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        raise AdapterError(f"${variable} could not be written: {error.strerror}") from error
