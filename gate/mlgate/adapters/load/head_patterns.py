"""Heads that mean what a head read before means: the same lines, but for values that say nothing about the reply.

Most servers never send a head twice (dates, request ids, timings), and to read one with care costs more than all the
rest of a request. So `head_of` reads the first of each shape, and one match tells the others. A shape is only ever
narrower than `head_of`: what does not match is read with care. Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlgate.adapters.load.http1_parser import Head

LONGEST_HEAD = 4096
"""A longer head gets no shape: to compile one takes time, and a hostile server must not have it."""

_VALUE = rb"[ -\xff]*+"
"""No control character at all: one range is the fastest class to scan."""
_LENGTH = re.compile(rb"( *)[0-9]{1,18}( *)")
_TELLING = {b"content-length", b"content-type", b"connection", b"transfer-encoding"}
"""Every name that `head_of` looks at; a test holds the two together."""


def shape_of(raw: bytes, head: Head) -> re.Pattern[bytes] | None:
    """Return what matches a whole reply whose head says the same as *raw*, which `head_of` read as *head*.

    Its groups are the digits of the body's length, and all that came behind the head: whoever matches compares them.
    None: this head has no such shape: it is too long, holds a control character, or has not one plain Content-Length.
    """
    if len(raw) > LONGEST_HEAD or not head.keep or head.length < 0 or head.status in (204, 304):
        return None
    lines = raw[:-4].split(b"\r\n")
    if sum(_name(line) == b"content-length" for line in lines[1:]) != 1:
        return None
    parts = list(_parts(lines))
    if b"" in parts:
        return None
    shape = re.compile(b"\r\n".join(parts) + rb"\r\n\r\n(.*)", re.DOTALL)
    return shape if shape.match(raw) else None


def _name(line: bytes) -> bytes:
    return line.partition(b":")[0].lower()


def _parts(lines: list[bytes]) -> Iterator[bytes]:
    """Yield the pattern of each line; an empty one for a length that is not plain."""
    yield re.escape(lines[0])
    for line in lines[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            plain = _LENGTH.fullmatch(value)
            yield re.escape(name) + b":%b([0-9]{1,18})%b" % (plain[1], plain[2]) if plain else b""
        elif name.lower() in _TELLING:
            yield re.escape(line)
        else:
            yield re.escape(name) + b":" + _VALUE
