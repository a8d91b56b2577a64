"""The engine's attached stream: stdout and stderr in frames of eight bytes of header each, as its API describes."""

from __future__ import annotations

_HEADER = 8
_STDERR = 2


class Frames:
    """Takes bytes as they come, however they are cut, and gives back what was written to stdout, and to stderr."""

    def __init__(self) -> None:
        self._header = bytearray()
        self._left = 0
        self._stream = 0

    def feed(self, data: bytes) -> tuple[bytearray, bytearray]:
        """Return what *data* adds to stdout and to stderr."""
        out, err = bytearray(), bytearray()
        view = memoryview(data)
        while view:
            if not self._left:
                need = _HEADER - len(self._header)
                self._header += view[:need]
                view = view[need:]
                if len(self._header) == _HEADER:
                    self._stream = self._header[0]
                    self._left = int.from_bytes(self._header[4:], "big")
                    self._header.clear()
                continue
            part = view[: self._left]
            (err if self._stream == _STDERR else out).extend(part)
            self._left -= len(part)
            view = view[len(part) :]
        return out, err
