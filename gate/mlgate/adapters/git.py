"""Git: which commit this is, and files as they stand at another ref."""

from __future__ import annotations

import os
import posixpath
import subprocess
from pathlib import Path, PurePosixPath

from mlgate.core.errors import AdapterError, EvidenceError

LARGEST = 1 << 30
_FILES = {"100644", "100755", "100664"}
_FETCHED = "refs/mlgate/fetched"
_ODD = {"040000": "a folder", "120000": "a symbolic link", "160000": "a submodule"}
_LINKS = {b"120000", b"160000"}
_FROM_FILE = "keep the baseline in a file: `baseline: {from: file, path: baseline.jsonl.gz}`"
_WHY_LONGEST = 300

_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",  # refs/replace/… would say another thing under a commit's name
}
_SETTINGS = (
    *("-c", "safe.bareRepository=explicit"),  # a tree may hold a folder that looks like a repository, with a config
    *("-c", "core.fsmonitor=false"),
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "maintenance.auto=false"),
    *("-c", "gc.auto=0"),
)


def commit(root: Path) -> str:
    """Return the commit that is checked out, `+dirty` behind it when tracked files differ; empty outside git."""
    head = _run(root, "rev-parse", "--verify", "--end-of-options", "HEAD")
    if head is None or head.returncode != 0:
        return ""
    changed = _run(root, "status", "--porcelain", "--untracked-files=no")
    clean = changed is not None and changed.returncode == 0 and not changed.stdout
    return head.stdout.decode().strip() + ("" if clean else "+dirty")


def branch(root: Path) -> str:
    """Return the branch that is checked out; empty on a bare commit and outside git."""
    head = _run(root, "symbolic-ref", "--quiet", "--short", "HEAD")
    return head.stdout.decode(errors="replace").strip() if head is not None and head.returncode == 0 else ""


def is_brought(root: Path, path: Path) -> bool:
    """Return whether a commit could have brought what lies at *path*, where only a run should have made it.

    So it is when the repository has the file, what a database keeps beside it (its journal would be replayed), or a
    link or a submodule above it; and when git cannot say.
    """
    found = _run(root, "rev-parse", "--show-toplevel")
    if found is None or (found.returncode != 0 and b"not a git repository" in found.stderr):
        return False
    if found.returncode != 0:
        return True
    top = Path(os.path.realpath(os.fsdecode(found.stdout.removesuffix(b"\n"))))
    place = Path(os.path.normpath(Path(os.path.realpath(root), os.path.relpath(path.absolute(), root.absolute()))))
    return place.is_relative_to(top) and _has(top, place.relative_to(top))


def _has(top: Path, inside: Path) -> bool:
    above = {str(one) for one in inside.parents} - {"."}
    names = [f"{inside}{beside}" for beside in ("", "-journal", "-wal", "-shm")]
    listed = _run(top, "ls-files", "--stage", "-z", "--", *names, *above)
    if listed is None or listed.returncode != 0:
        return True
    for entry in listed.stdout.split(b"\0"):
        place = os.fsdecode(entry.partition(b"\t")[2])
        leads = place in above and entry[:6] in (*_LINKS, b"160000")
        if leads or any(place == one or place.startswith(f"{one}/") for one in names):
            return True
    return False


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


def lineage(root: Path) -> tuple[str, tuple[str, ...]]:
    """Return the commit that is checked out and its parents' names, which a shallow clone knows too."""
    told = _told(root, "HEAD", "run in a repository", "cat-file", "commit", "HEAD").decode("utf-8", "replace")
    head = told.partition("\n\n")[0]
    parents = [line.partition(" ")[2] for line in head.splitlines() if line.startswith("parent ")]
    return resolved(root, "HEAD"), tuple(parents)


def has(root: Path, commit: str) -> bool:
    """Return whether a commit's tree is here."""
    done = _run(root, "cat-file", "-e", f"{commit}^{{tree}}")
    return done is not None and done.returncode == 0


def fetched(root: Path, ref: str) -> str:
    """Return the commit that *ref* names at `origin`, fetched; empty when it cannot be had."""
    if not fetch(root, f"+{ref}:{_FETCHED}"):  # never FETCH_HEAD: whatever was fetched before is in there, too
        return ""
    return resolved(root, _FETCHED)


def fetch(root: Path, what: str) -> bool:
    """Try to fetch one commit, or a refspec, from `origin`; say whether it came. A shallow clone stays shallow."""
    shallow = _run(root, "rev-parse", "--is-shallow-repository")
    depth = ["--depth=1"] if shallow is not None and shallow.stdout.strip() == b"true" else []  # would cut a full clone
    words = ("--quiet", *depth, "--no-tags", "--no-recurse-submodules", "--end-of-options", "origin", what)
    done = _run(root, "fetch", *words)
    return done is not None and done.returncode == 0


def top(root: Path) -> Path:
    """Return the folder of the repository's work tree that *root* is in."""
    said = _told(root, str(root), "run in a repository", "rev-parse", "--show-toplevel").removesuffix(b"\n")
    return Path(os.fsdecode(said))


def files(root: Path, ref: str, path: str) -> tuple[str, ...]:
    """Return the files at or under *path* at *ref*, relative to *root*; none when there is nothing."""
    listed = _listed(root, ref, path, "--name-only")
    return tuple(os.fsdecode(entry) for entry in listed.split(b"\0") if entry)


def tree(root: Path, ref: str, path: str) -> bytes:
    """Return what names the content of all files at or under *path* at *ref*."""
    return _listed(root, ref, path)


def link(root: Path, ref: str, path: str) -> str:
    """Return the first part of *path* that is a symbolic link or a submodule at *ref*; empty when none is."""
    parts = PurePosixPath(posixpath.normpath(path)).parts
    for i in range(1, len(parts) + 1):
        part = "/".join(parts[:i])
        if parts[i - 1] != ".." and _listed(root, ref, part, recursively=False)[:6] in _LINKS:
            return part
    return ""


def _listed(root: Path, ref: str, path: str, *options: str, recursively: bool = True) -> bytes:
    place = f"{ref}:{path}"
    if not _is_sound(path):
        raise AdapterError("this is no path of a file", where=place)
    options = (*options, "-r") if recursively else options
    name = f"./{posixpath.normpath(path)}"
    return _told(root, place, _fetch(ref), "ls-tree", "-z", *options, resolved(root, ref), name)


def resolved(root: Path, ref: str) -> str:
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
    listed = _told(root, place, _fetch(ref), "ls-tree", "-z", resolved(root, ref), f"./{name}")
    if not listed:
        return None
    mode, _, rest = listed.decode("ascii", "replace").partition(" ")
    if mode not in _FILES:
        raise AdapterError(
            f"{_ODD.get(mode, 'no file')} is where a file belongs",
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
    """Run git without the caller's GIT_* settings, and without what a tree could bring. None when it cannot start."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= _ENVIRONMENT
    try:
        return subprocess.run(  # noqa: S603 - an argument list; refs are checked above and --end-of-options guards them
            ["git", *_SETTINGS, "-C", str(root), *arguments],  # noqa: S607 - the user's git, from PATH
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
