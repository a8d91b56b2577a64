"""What packed files hold, a bounded piece at a time: gzip, bzip2, xz and Zstandard."""

from __future__ import annotations

import bz2
import importlib
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from mlgate.adapters.data.lines import PIECE, fetched
from mlgate.core.errors import ConfigError, EvidenceError
from mlgate.core.formats.names import PACKED

_GZIP = 31
_LARGEST_WINDOW = 128 << 20
"""Bytes of memory that unpacking may take."""
_ZSTD_BITE = 512
"""Packed bytes to give `zstandard` at a time: it returns all that they hold, at most 16 MB of these."""


class _Member(Protocol):
    """One packed stream; a file may have several, one after the other."""

    @property
    def eof(self) -> bool: ...
    def fed(self, data: bytes) -> Iterator[bytes]: ...
    @property
    def behind(self) -> bytes: ...


def unpacked(pieces: Iterable[bytes], source: str, ending: str = ".gz") -> Iterator[bytes]:
    """Yield what was packed, a bounded piece at a time, over all members. *ending* says how, see `PACKED`.

    Raises EvidenceError when it is cut off, damaged, or a file of Git LFS that was not fetched; ConfigError where
    the library for it is missing.
    """
    name = PACKED[ending]
    begin, damage = _way(ending, source)
    member, begun = begin(), False
    try:
        for piece in fetched(pieces, source):
            left = piece
            while left:
                if member.eof:
                    left = left.lstrip(b"\0")  # tapes and some tools pad with zeros (gzip and xz do the same)
                    if not left:
                        break
                    member = begin()
                begun = True
                yield from member.fed(left)
                left = member.behind
    except damage as error:
        raise EvidenceError(f"it is not {name}, or damaged", hint="pack it again", where=source) from error
    if not begun or not member.eof:
        raise EvidenceError(f"the {name} file is cut off", hint="copy or download it again", where=source)


def _way(ending: str, source: str) -> tuple[Callable[[], _Member], type[Exception]]:
    match ending:
        case ".gz":
            return _Gzip, zlib.error
        case ".bz2":
            return lambda: _Buffered(bz2.BZ2Decompressor()), OSError
        case ".xz":
            return lambda: _Buffered(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_LARGEST_WINDOW)), lzma.LZMAError
    try:
        zstd = importlib.import_module("compression.zstd")  # Python 3.14
    except ImportError:
        try:
            zstd = importlib.import_module("zstandard")
        except ImportError as error:
            hint = "pip install 'mlgate[zstd]'"
            raise ConfigError("reading .zst needs zstandard", hint=hint, where=source) from error
        return lambda: _Zstandard(zstd.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)), zstd.ZstdError
    return lambda: _Buffered(zstd.ZstdDecompressor()), zstd.ZstdError


class _Gzip:
    def __init__(self) -> None:
        self._unzip = zlib.decompressobj(_GZIP)

    @property
    def eof(self) -> bool:
        return self._unzip.eof

    @property
    def behind(self) -> bytes:
        return self._unzip.unused_data if self.eof else b""

    def fed(self, data: bytes) -> Iterator[bytes]:
        while data and not self.eof:
            yield self._unzip.decompress(data, PIECE)
            data = self._unzip.unconsumed_tail


class _Decompressor(Protocol):
    """What bz2, lzma and compression.zstd have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


class _Buffered:
    def __init__(self, inner: _Decompressor) -> None:
        self._inner = inner

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def behind(self) -> bytes:
        return self._inner.unused_data if self.eof else b""

    def fed(self, data: bytes) -> Iterator[bytes]:
        yield self._inner.decompress(data, PIECE)
        while not self._inner.eof and not self._inner.needs_input:
            yield self._inner.decompress(b"", PIECE)


class _ZstdObject(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


class _ZstdLibrary(Protocol):
    def decompressobj(self) -> _ZstdObject: ...


class _Zstandard:
    def __init__(self, library: _ZstdLibrary) -> None:
        self._inner = library.decompressobj()
        self.behind = b""

    @property
    def eof(self) -> bool:
        return self._inner.eof

    def fed(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), _ZSTD_BITE):
            yield self._inner.decompress(data[start : start + _ZSTD_BITE])
            if self._inner.eof:
                self.behind = self._inner.unused_data + data[start + _ZSTD_BITE :]
                return
