"""A real PostgreSQL for one test: a cluster of its own, reached by a Unix socket, without the patience of a disk."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.child_environment import child_environment
from tests.support.own_process import as_user, begin, end, is_there, ready

NEWEST = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name), default=None)
"""Debian keeps the server's programs off the PATH, a folder for each release."""
USER = "postgres"
GET = ".ci/engine; as root also setpriv and the user postgres: initdb refuses root"

_HASTE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses=")


@dataclass(frozen=True)
class Postgres:
    """A running cluster."""

    socket: Path
    """The folder in which its socket lies."""
    process: subprocess.Popen[bytes]

    @property
    def uri(self) -> str:
        """Return its database as SQLAlchemy takes it."""
        return f"postgresql+psycopg2://{USER}@/{USER}?host={self.socket}"

    def query(self, sql: str) -> str:
        """Ask it, as psql does: fields parted by `|`, rows by line breaks."""
        words: list[str | Path] = [_program("psql"), "-h", self.socket, "-U", USER, "-XAtc", sql]
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=child_environment())
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def met() -> bool:
    """Whether this machine can run it: initdb refuses root, which therefore needs another user to be."""
    able = os.geteuid() != 0 or (is_there(USER) and shutil.which("setpriv") is not None)
    return bool(_program("initdb")) and able


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Yield a cluster that is new, empty and open to all who reach its folder; it is gone afterwards."""
    user = USER if os.geteuid() == 0 else ""
    with tempfile.TemporaryDirectory(prefix="mlgate-pg-") as name:  # pytest's own folders are closed to another user
        folder = Path(name)
        if user:
            shutil.chown(folder, user, user)
        data, log = folder / "data", folder / "log"
        words = [
            *as_user(user),
            _program("initdb"),
            "-D",
            str(data),
            "-U",
            USER,
            "--auth=trust",
            "--encoding=UTF8",
            "-N",
        ]
        subprocess.run([*words, "--locale=C"], check=True, capture_output=True, cwd=folder, env=child_environment())
        haste = [word for setting in _HASTE for word in ("-c", setting)]
        program = [_program("postgres"), "-D", str(data), "-k", name, *haste]
        process = begin(program, log, env={"PATH": os.environ["PATH"]}, user=user, dying=signal.SIGINT)
        try:
            ready(process, lambda: _answers(folder), log)
            yield Postgres(folder, process)
        finally:
            end(process, signal.SIGINT)  # fast: whoever is connected is cut off


def _answers(folder: Path) -> bool:
    return (
        subprocess.run([_program("pg_isready"), "-h", folder, "-q"], check=False, env=child_environment()).returncode
        == 0
    )


def _program(name: str) -> str:
    return shutil.which(name) or (shutil.which(name, path=str(NEWEST)) if NEWEST else None) or ""
