"""Lines to a person, on a stream that may be gone."""

from __future__ import annotations

from typing import TextIO


def tell(stream: TextIO, text: str) -> None:
    """Print a line. A closed pipe or a full disk behind the stream is nobody's verdict."""
    try:
        stream.write(text + "\n")
        stream.flush()
    except (OSError, ValueError):
        pass
