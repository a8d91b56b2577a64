"""One line to a person, written over while things go on; in a log, where nothing can be, lines below each other."""

from __future__ import annotations

from typing import TextIO


class StatusLine:
    """Writes the line. A stream that is gone is nobody's failure."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.lives = stream.isatty()
        """Whether it can be written over: a terminal."""

    def show(self, text: str) -> None:
        """Put *text* in place of what stood there."""
        self._write(f"\r{text}\x1b[K" if self.lives else f"{text}\n")

    def clear(self) -> None:
        """Take the line away."""
        if self.lives:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self.lives = False
