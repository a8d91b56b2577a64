"""The gate's own files: written whole or not at all, and never through a link or a pipe that lies in their place."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path

from mlgate.core.errors import AdapterError

_NO_SPACE = "free some space"
_NO_LEAVE = "name another folder: --output DIR"
_IN_THE_WAY = "something else is in the way: move it"
_STEPS = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), _NO_SPACE),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), _NO_LEAVE),
    **dict.fromkeys((errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ELOOP, errno.ENXIO), _IN_THE_WAY),
}


def write(path: Path, content: bytes) -> None:
    """Put *content* at *path* whole or not at all; nothing is left behind when the disk is full.

    A link at *path* is replaced, not followed. A folder there is an AdapterError.
    """
    write_pieces(path, (content,))


def write_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """Put all *pieces* at *path*, as `write` does."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".mlgate-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                for piece in pieces:
                    file.write(piece)
                file.flush()
                os.fchmod(file.fileno(), 0o644)
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise AdapterError(f"could not write: {error.strerror}", where=str(path), hint=next_step(error)) from error


def read(path: Path, most: int, *, follow: bool = False) -> bytes:
    """Return a regular file's bytes, at most one more than *most*, so that the caller sees that it is too large.

    Raises OSError, also for what is no regular file. *follow* links only where a person named the file.
    """
    status = path.stat() if follow else path.lstat()
    _demand_regular(status, path)  # before it is opened: opening a device may do something
    with os.fdopen(opened(path, os.O_RDONLY, follow=follow), "rb") as file:
        return file.read(min(os.fstat(file.fileno()).st_size, most) + 1) or b""  # None: it would have blocked


def opened(path: Path, flags: int, *, follow: bool = False) -> int:
    """Open a regular file and return its descriptor; never waits for a pipe's other end. Raises OSError."""
    careful = os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    descriptor = os.open(path, flags | careful, 0o644)
    try:
        _demand_regular(os.fstat(descriptor), path)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def clear(path: Path) -> None:
    """Remove a link, a pipe or a socket that lies where a file of the gate's own belongs; keep a regular file.

    A folder or a device is not ours to remove: AdapterError. Raises OSError when the removal fails.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISLNK(mode) or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        path.unlink(missing_ok=True)
    elif not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "a device"
        raise AdapterError(f"{what} lies where a file belongs", where=str(path), hint=_IN_THE_WAY)


def next_step(error: OSError) -> str:
    """Return the hint for a file that could not be written."""
    return _STEPS.get(error.errno or 0, _NO_LEAVE)


def _demand_regular(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EEXIST, "it is no regular file", str(path))
