"""One HTTP/1.1 reply, read as it comes, in any pieces. Whatever a server sends, the end is a reply or a sentence.

Standard library only: this file also runs inside the driver container. RFC 9112; redirects are a status like any other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

HEAD_LIMIT = 64 << 10
"""The longest head, and the longest trailer, in bytes."""
BODY_LIMIT = 4 << 20
"""The longest body, in bytes. Many replies are under way at once, and a round's row could not carry more."""
MARK = 128
"""What one entry of `Reader.marks` takes, in bytes of memory."""

_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n\0]*)?")
_HEADER_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,16})[ \t]*(?:;[^\r\n]*)?")
_KIND_LIMIT = 100
_DIGITS_LIMIT = 18

CUT = "the connection broke before the answer was whole"
SILENT = "the server closed the connection without an answer"


class Malformed(Exception):  # noqa: N818 - what happened, caught by its one caller
    """These bytes are no HTTP reply; the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a reply's head says about the rest."""

    status: int
    length: int
    """Of the body in bytes; -1: chunked; -2: until the server closes."""
    keep: bool
    """Whether the connection can carry another request."""
    kind: str
    """The content type, without parameters."""


CHUNKED = -1
UNTIL_CLOSE = -2


def head_of(data: bytes) -> Head:
    """Read a head, from the status line to the empty line. Raises Malformed."""
    lines = data[:-4].split(b"\r\n")
    found = _STATUS.fullmatch(lines[0])
    if not found:
        raise Malformed("no HTTP/1 status line")
    status, modern = int(found[2]), found[1] == b"1"
    lengths: set[bytes] = set()
    coding = connection = kind = b""
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if not colon or not _HEADER_NAME.fullmatch(name) or b"\n" in value or b"\r" in value or b"\0" in value:
            raise Malformed("a malformed header")
        match name.lower():
            case b"content-length":
                lengths |= {one.strip(b" \t") for one in value.split(b",")}
            case b"transfer-encoding":
                coding += b"," + value.strip(b" \t").lower()
            case b"connection":
                connection += b"," + value.lower()
            case b"content-type":
                kind = value
    options = {one.strip(b" \t") for one in connection.split(b",")}
    keep = b"close" not in options and (modern or b"keep-alive" in options)
    length = _length(status, lengths, coding)
    if length == UNTIL_CLOSE or (coding and lengths):  # two framings: this reply is taken, the line is not trusted
        keep = False
    text = kind.partition(b";")[0].strip().lower().decode("latin-1")[:_KIND_LIMIT]
    return Head(status, length, keep, text)


def _length(status: int, lengths: set[bytes], coding: bytes) -> int:
    if status < 200 or status in (204, 304):  # noqa: PLR2004 - the statuses that never have a body
        return 0
    if coding:
        if coding != b",chunked":
            raise Malformed("a transfer coding that nobody asked for")
        return CHUNKED
    if not lengths:
        return UNTIL_CLOSE
    if len(lengths) > 1:
        raise Malformed("two content lengths")
    (text,) = lengths
    if not text.isdigit() or len(text) > _DIGITS_LIMIT:
        raise Malformed("a content length that is no number")
    return int(text)


class Reader:
    """Takes one reply in pieces, until `feed` returns True or `end` is called: it is whole then, or has a `failure`."""

    __slots__ = ("_left", "_rest", "_step", "body", "extra", "failure", "first", "head", "marks", "raw_head")

    def __init__(self, *, stream: bool = False) -> None:
        self.body = bytearray()
        self.head: Head | None = None
        self.raw_head = b""
        """The final head's bytes: what follows from them, follows from equal ones again."""
        self.failure = ""
        self.first = -1.0
        """When the first byte of the body came; negative: none came."""
        self.marks: list[tuple[int, float]] | None = [] if stream else None
        """How long the body was at which time, each time it grew."""
        self.extra = False
        """Whether bytes came that belong to no reply: the connection cannot be used again."""
        self._rest = bytearray()
        self._left = 0
        self._step = self._in_head

    def feed(self, data: bytes, now: float) -> bool:
        """Take what came at *now*; return whether the reply is over."""
        grown = len(self.body)
        self._rest += data
        try:
            over = False
            while not over and (moved := self._step()):
                over = moved == _OVER
        except Malformed as error:
            over, self.failure = True, self.failure or f"{CUT}: {error}"
        if len(self.body) > grown:
            if self.first < 0:
                self.first = now
            if self.marks is not None:
                self.marks.append((len(self.body), now))
        if over and self._rest:
            self.extra = True
        return over

    def end(self, why: str = "") -> None:
        """The connection ended, with *why* when it broke: the reply is whole or has a failure now."""
        if self.head and self.head.length == UNTIL_CLOSE and not why:
            return
        self.failure = self.failure or (f"{CUT}: {why or 'the server closed the connection'}")

    def refuse(self, why: str) -> None:
        """Take no more of it: the reply is over, and *why* is its failure."""
        self.failure = self.failure or why

    @property
    def held(self) -> int:
        """How many bytes of memory the reply takes by now."""
        return len(self.body) + len(self._rest) + MARK * len(self.marks or ())

    @property
    def reusable(self) -> bool:
        """Whether the connection can carry another request."""
        return bool(self.head and self.head.keep and not self.extra and not self.failure)

    def _in_head(self) -> int:
        end = self._rest.find(b"\r\n\r\n")
        if end < 0 or end > HEAD_LIMIT:
            if end >= 0 or len(self._rest) >= HEAD_LIMIT + 4:
                raise Malformed(f"a head of more than {HEAD_LIMIT} bytes")
            self._refuse_early()
            return _MORE
        raw = bytes(self._rest[: end + 4])
        del self._rest[: end + 4]
        head = head_of(raw)
        if head.status == 101:  # noqa: PLR2004 - the one interim status that ends HTTP
            raise Malformed("it switched protocols")
        if head.status < 200:  # noqa: PLR2004 - interim replies end below 200
            return _ON
        self.head, self.raw_head = head, raw
        if head.length > BODY_LIMIT:
            self.failure = f"the server announces {head.length} bytes: more than {BODY_LIMIT} are not taken"
            raise Malformed
        self._left = head.length
        self._step = {CHUNKED: self._in_size, UNTIL_CLOSE: self._in_tail}.get(head.length, self._in_body)
        return _ON

    def _refuse_early(self) -> None:
        if not b"HTTP/1.".startswith(bytes(self._rest[:7])):
            raise Malformed("no HTTP/1 status line")

    def _take(self, n: int) -> None:
        if len(self.body) + n > BODY_LIMIT:
            self.failure = f"the server sends more than {BODY_LIMIT} bytes"
            raise Malformed
        self.body += self._rest[:n]
        del self._rest[:n]

    def _in_body(self) -> int:
        n = min(self._left, len(self._rest))
        self._take(n)
        self._left -= n
        return _MORE if self._left else _OVER

    def _in_tail(self) -> int:
        self._take(len(self._rest))
        return _MORE

    def _in_size(self) -> int:
        end = self._rest.find(b"\r\n", 0, _LINE_LIMIT)
        if end < 0:
            if len(self._rest) >= _LINE_LIMIT:
                raise Malformed("a malformed chunk")
            return _MORE
        found = _CHUNK_SIZE.fullmatch(bytes(self._rest[:end]))
        if not found:
            raise Malformed("a malformed chunk")
        del self._rest[: end + 2]
        self._left = int(found[1], 16)
        self._step = self._in_chunk if self._left else self._in_trailer
        return _ON

    def _in_chunk(self) -> int:
        n = min(self._left, len(self._rest))
        self._take(n)
        self._left -= n
        if self._left or len(self._rest) < 2:  # noqa: PLR2004 - the line break behind a chunk
            return _MORE
        if self._rest[:2] != b"\r\n":
            raise Malformed("a malformed chunk")
        del self._rest[:2]
        self._step = self._in_size
        return _ON

    def _in_trailer(self) -> int:
        end = self._rest.find(b"\r\n")
        if end == 0:
            del self._rest[:2]
            return _OVER
        self._left += max(end, 0)
        if self._left + max(0, len(self._rest) - 1) * (end < 0) > HEAD_LIMIT:
            raise Malformed(f"a trailer of more than {HEAD_LIMIT} bytes")
        if end < 0:
            return _MORE
        del self._rest[: end + 2]
        return _ON


_MORE, _ON, _OVER = 0, 1, 2
"""What a step came to: more bytes are needed; another step can follow; the reply is whole."""
_LINE_LIMIT = 4096
