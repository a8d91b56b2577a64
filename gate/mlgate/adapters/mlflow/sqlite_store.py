"""The file of a local store, with MLflow's tables in it: there whole, or not there."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path


def made(file: Path, fill: Callable[[Path], None]) -> None:
    """Let *fill* make the file, unless it is there; of several processes at once one makes it.

    MLflow makes its tables in forty steps in the place itself. Two at once, or one that is killed in between, leave a
    file that nobody can open any more. So they are made beside it, and the whole file then gets its name.
    """
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with _alone(file.parent):
        if file.exists():
            return
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".mlgate-") as folder:
            fresh = Path(folder, file.name)
            fill(fresh)
            try:
                file.hardlink_to(fresh)  # unlike a rename, it never replaces what another program made meanwhile
            except FileExistsError:
                return
            except OSError:  # a file system without links
                fresh.replace(file)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process at a time go on; all of them where the file system knows no locks."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
