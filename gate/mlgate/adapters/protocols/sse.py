"""Server-sent events: which bytes of a body are which event. Pure. HTML standard, 9.2."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BLANK = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?!\n))")
_LINE = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Event:
    """One event that carries data."""

    data: bytes
    """Its `data:` lines, joined by line breaks."""
    end: int
    """Its last byte's place in the body, plus one: when so many bytes were there, the event was."""


def events(body: bytes) -> list[Event]:
    """Take a body apart. Comments and other fields are skipped; a last event needs no empty line behind it."""
    found, start = [], 3 if body.startswith(b"\xef\xbb\xbf") else 0
    while start < len(body):
        blank = _BLANK.search(body, start)
        end, stop = (blank.start(), blank.end()) if blank else (len(body), len(body))
        lines = [_data(line) for line in _LINE.split(body[start:end])]
        data = [line for line in lines if line is not None]
        if data:
            found.append(Event(b"\n".join(data), stop))
        start = stop
    return found


def _data(line: bytes) -> bytes | None:
    name, _, value = line.partition(b":")
    return value.removeprefix(b" ") if name == b"data" else None
