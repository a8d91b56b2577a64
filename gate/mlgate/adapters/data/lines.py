"""Lines of text out of pieces of bytes: bounded, strict, and cut only where a line feed stands."""

from __future__ import annotations

import shlex
import stat
from collections.abc import Iterable, Iterator
from pathlib import PurePath

from mlgate.adapters.data import git_lfs
from mlgate.adapters.data.section_line import SectionLine
from mlgate.core.errors import ConfigError, EvidenceError

PIECE = 1 << 20
"""Bytes to read at a time."""

LARGEST_FILE = 1 << 30
"""Bytes that a data file may have, unpacked."""

LONGEST_LINE = 8 << 20
"""Bytes that one line may have."""

_MAGIC = {
    b"\x1f\x8b": ".gz",
    b"BZh9": ".bz2",
    b"\xfd7zXZ\0": ".xz",
    b"\x28\xb5\x2f\xfd": ".zst",
    b"PAR1": ".parquet",
    b"PK\x03\x04": ".zip",
}
"""How files begin that are no text, and the endings that say so."""
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""How it begins."""

LARGEST_DOCUMENT = 256 << 20
"""Bytes that a document may have which is understood as a whole."""


def numbered(pieces: Iterable[bytes], source: str) -> Iterator[tuple[int, str]]:
    r"""Yield (line number, text) without the line feed; a `\r` stays, and so do U+2028 and U+0085, which are text.

    A byte order mark is dropped. Raises ConfigError, with `file:line`, for a NUL, bytes that are not UTF-8, a line of
    more than 8 MB and a file of more than 1 GB; EvidenceError for a file of Git LFS that was not fetched.
    """
    number, size, rest = 0, 0, b""
    for piece in _text_only(fetched(pieces, source), source):
        size += len(piece)
        if size > LARGEST_FILE:
            raise too_large(source)
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            number += 1
            yield number, _text(line, number, source)
        if len(rest) > LONGEST_LINE:
            raise _too_long(number + 1, source)
    if rest:
        yield number + 1, _text(rest, number + 1, source)


def document(pieces: Iterable[bytes], source: str, largest: int = LARGEST_DOCUMENT) -> str:
    """Return a text that is understood as a whole, without a byte order mark.

    Raises ConfigError for a NUL, bytes that are not UTF-8 and more than *largest* of them; EvidenceError as `numbered`
    does.
    """
    found = bytearray()
    for piece in _text_only(fetched(pieces, source), source):
        found += piece
        if len(found) > largest:
            raise ConfigError(
                f"it has more than {largest >> 20} MB: JSON is read as a whole",
                hint="write one object a line, which has no such limit: jq -c '.[]'",
                where=source,
            )
    return "\n".join(_text(line, number, source) for number, line in enumerate(bytes(found).split(b"\n"), 1))


def fetched(pieces: Iterable[bytes], source: str) -> Iterator[bytes]:
    """Yield the same bytes, unless all of them are a Git LFS pointer: EvidenceError."""
    left = iter(pieces)
    head = b""
    while len(head) < git_lfs.LARGEST_POINTER and (piece := next(left, None)) is not None:
        head += piece
    refuse_pointer(head, source)
    yield head
    yield from left


def _text_only(pieces: Iterable[bytes], source: str) -> Iterator[bytes]:
    """Yield the same bytes, unless they begin as those of a packed file do."""
    left = iter(pieces)
    head = next(left, b"")
    for begin, ending in _MAGIC.items():
        if head.startswith(begin):
            command = f"mv -- {shlex.quote(source)} {shlex.quote(source + ending)}"
            raise ConfigError(
                f"it is no text: it begins as a {ending} file does",
                hint=f"give it its ending: `{command}`, and name {PurePath(source).name}{ending}",
                where=source,
            )
    yield head
    yield from left


def refuse_pointer(head: bytes, source: str) -> None:
    """Refuse a file, by its first `LARGEST_POINTER` bytes, when it is what Git LFS left in its place."""
    if git_lfs.is_pointer(head):
        raise EvidenceError(
            "it is a Git LFS pointer, not the data",
            hint="fetch it: git lfs pull (in Actions: `lfs: true`)",
            where=source,
        )


def admit(source: str, mode: int) -> None:
    """Refuse what is not a plain file, before it is opened: reading a FIFO would wait for ever."""
    if stat.S_ISDIR(mode):
        raise unreadable(source, "it is a directory")
    if not stat.S_ISREG(mode):
        raise unreadable(source, "it is not a plain file")


def unreadable(source: str, why: str, *, hint: str = "check the path in `data:`") -> EvidenceError:
    """Return the error for data that cannot be read at all."""
    return EvidenceError(f"cannot read the data: {why[:1].lower()}{why[1:]}", hint=hint, where=source)


def too_large(source: str) -> ConfigError:
    """Return the error for data of more than 1 GB."""
    return ConfigError("it has more than 1 GB of data", hint="gate on a sample of it", where=source)


def _text(line: bytes, number: int, source: str) -> str:
    where = f"{source}:{number}"
    if len(line) > LONGEST_LINE:
        raise _too_long(number, source)
    if number == 1:
        if line.startswith(_UTF_16):
            raise ConfigError("it is UTF-16, not UTF-8", hint=_convert(source, "UTF-16"), where=where)
        line = line.removeprefix(b"\xef\xbb\xbf")
    if b"\0" in line:
        raise ConfigError("there is a NUL character in the line", hint=_without_nul(line, source), where=where)
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"byte {error.start + 1} of the line is not UTF-8",
            hint=f"if it is Windows' Western European, as Excel saves it: {_convert(source, 'WINDOWS-1252')}",
            where=where,
        ) from error


def _without_nul(line: bytes, source: str) -> str:
    """Return what to do: where every other byte is NUL, it is UTF-16 without a byte order mark."""
    for encoding, there in (("UTF-16LE", line[1::2]), ("UTF-16BE", line[::2])):
        if len(there) > 1 and there.count(b"\0") > len(there) // 2:
            return _convert(source, encoding)
    return SectionLine().converted(source, "tr -d '\\000'")


def _convert(source: str, encoding: str) -> str:
    return SectionLine().converted(source, f"iconv -f {encoding} -t UTF-8")


def _too_long(number: int, source: str) -> ConfigError:
    return ConfigError("the line has more than 8 MB", hint="split the example, or drop it", where=f"{source}:{number}")
