"""Git: which commit this is, and files as they stand at another ref."""

from __future__ import annotations

import os
import posixpath
import subprocess
from pathlib import Path, PurePosixPath

from mlgate.core.errors import AdapterError, EvidenceError

LARGEST = 1 << 30
_FILES = {"100644", "100755", "100664"}
_ODD = {"040000": "a folder", "120000": "a symbolic link", "160000": "a submodule"}
_FROM_FILE = "keep the baseline in a file: `baseline: {from: file, path: baseline.jsonl.gz}`"
_WHY_LONGEST = 300


def commit(root: Path) -> str:
    """Return the commit that is checked out, `+dirty` behind it when tracked files differ; empty outside git."""
    head = _run(root, "rev-parse", "--verify", "--end-of-options", "HEAD")
    if head is None or head.returncode != 0:
        return ""
    changed = _run(root, "status", "--porcelain", "--untracked-files=no")
    clean = changed is not None and changed.returncode == 0 and not changed.stdout
    return head.stdout.decode().strip() + ("" if clean else "+dirty")


def show(root: Path, ref: str, path: str) -> bytes | None:
    """Return a file's bytes at *ref*; None when the ref's tree has no such entry. *path* is relative to *root*.

    Whatever else keeps the file from being read is an AdapterError: "was never accepted" must not be git's bad day.
    """
    place = f"{ref}:{path}"
    if ref.startswith("-") or ":" in ref or not _is_sound(ref):
        raise AdapterError(f"{ref!r} is not a git ref")
    found = _blob(root, ref, path)
    if found is None:
        return None
    size = _told(root, place, _fetch(ref), "cat-file", "-s", found)
    if int(size) > LARGEST:
        raise EvidenceError("the file is larger than evidence may be", where=place)
    return _told(root, place, _fetch(ref), "cat-file", "blob", found)


def _resolved(root: Path, ref: str) -> str:
    """Return the commit that *ref* names."""
    asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    done = _run(root, *asked)
    if done is not None and done.returncode == 0:
        return done.stdout.decode().strip()
    _told(root, str(root), f"run in a repository, or {_FROM_FILE}", "rev-parse", "--git-dir")
    raise AdapterError(f"git knows no ref {ref!r} here", hint=_fetch(ref))


def _blob(root: Path, ref: str, path: str) -> str | None:
    """Return the id of the file at *path*, None when the commit's tree has nothing there."""
    place, name = f"{ref}:{path}", posixpath.normpath(path)
    if not _is_sound(path) or PurePosixPath(name).name in {"", ".."}:
        raise AdapterError("this is no path of a file", where=place)
    listed = _told(root, place, _fetch(ref), "ls-tree", "-z", _resolved(root, ref), f"./{name}")
    if not listed:
        return None
    mode, _, rest = listed.decode("ascii", "replace").partition(" ")
    if mode not in _FILES:
        raise AdapterError(
            f"{_ODD.get(mode, 'no file')} is where the baseline belongs",
            where=place,
            hint="name a file that is committed there: `baseline: {from: git, path: …}`",
        )
    return rest.partition(" ")[2].partition("\t")[0]


def _told(root: Path, place: str, hint: str, *arguments: str) -> bytes:
    """Return what git says; AdapterError with its reason when it fails."""
    done = _run(root, *arguments)
    if done is None:
        raise AdapterError("git could not be started", where=place, hint=f"install git, or {_FROM_FILE}")
    if done.returncode != 0:
        why = " ".join(done.stderr.decode("utf-8", "replace").split())[:_WHY_LONGEST]
        raise AdapterError(f"git could not read it: {why or f'exit code {done.returncode}'}", where=place, hint=hint)
    return done.stdout


def _fetch(ref: str) -> str:
    return f"fetch what is missing: git fetch origin {ref.removeprefix('origin/')}"


def _is_sound(text: str) -> bool:
    """Say whether *text* can be an argument of a process."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def _run(root: Path, *arguments: str) -> subprocess.CompletedProcess[bytes] | None:
    """Run git without the caller's GIT_* settings. None when it cannot be started."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_LITERAL_PATHSPECS": "1"}
    try:
        return subprocess.run(  # noqa: S603 - an argument list; refs are checked above and --end-of-options guards them
            ["git", "-C", str(root), *arguments],  # noqa: S607 - the user's git, from PATH
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env=environment,
            timeout=60,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise AdapterError("git did not answer within 60 s", where=str(root)) from error
    except OSError:
        return None
