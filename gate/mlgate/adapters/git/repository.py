"""Git: which commit this is, and files as they stand at another ref."""

from __future__ import annotations

import io
import os
import posixpath
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from mlgate.adapters.git import refs, remotes
from mlgate.adapters.git.command import LEADS, is_sound, run, told, trust
from mlgate.adapters.git.refs import PRIVATE, fetch_hint
from mlgate.core.errors import AdapterError, EvidenceError

LARGEST_FILE = 1 << 30
_WHY_LONGEST = 300
_NO_REPOSITORY = (b"not a git repository", b"cannot use bare repository")
"""What git says where there is none, and where a folder of the tree only looks like one."""
_FILES = {"100644", "100755", "100664"}
_FETCHED = f"{PRIVATE}fetched"
_ODD = {"040000": "a folder", "120000": "a symbolic link", "160000": "a submodule"}


def commit(root: Path) -> str:
    """Return the commit that is checked out, `+dirty` behind it when tracked files differ.

    Empty outside of git, without git, and before the first commit. Raises AdapterError where git cannot say: that is
    no commit of ours, and none of a run.
    """
    head = run(root, "rev-parse", "--verify", "--end-of-options", "HEAD")
    if head is None or not root.is_dir() or (head.returncode != 0 and _has_none(root)):
        return ""
    if head.returncode != 0:
        raise _cannot_say(root, head.stderr)
    changed = run(root, "status", "--porcelain", "--untracked-files=no")
    clean = changed is not None and changed.returncode == 0 and not changed.stdout
    return head.stdout.decode().strip() + ("" if clean else "+dirty")


def is_commit_of(root: Path, sha: str) -> bool:
    """Return whether a run's own commit is checked out; True where the run does not say which one that is."""
    return not sha or commit(root).removesuffix("+dirty") == sha


def _has_none(root: Path) -> bool:
    """Return whether there is no commit: no repository at all, or a branch that begins with the next one."""
    where = run(root, "rev-parse", "--git-dir")
    if where is None or where.returncode != 0:
        return where is None or any(words in where.stderr for words in _NO_REPOSITORY)
    name = run(root, "symbolic-ref", "--quiet", "HEAD")
    if name is None or name.returncode != 0:
        return False
    return not told(root, str(root), "", "for-each-ref", "--", name.stdout.decode("utf-8", "surrogateescape").strip())


def _cannot_say(root: Path, said: bytes) -> AdapterError:
    if b"dubious ownership" in said:
        hint = f"if this repository is yours: {trust(root)}"
        return AdapterError("git does not trust this repository: another user owns it", where=str(root), hint=hint)
    why = " ".join(said.decode("utf-8", "replace").split())[:_WHY_LONGEST]
    return AdapterError(
        f"git cannot say which commit is checked out: {why}", where=str(root), hint="look at it: git status"
    )


def branch(root: Path) -> str:
    """Return the branch that is checked out; empty on a bare commit and outside git."""
    head = run(root, "symbolic-ref", "--quiet", "--short", "HEAD")
    return head.stdout.decode(errors="replace").strip() if head is not None and head.returncode == 0 else ""


def show(root: Path, ref: str, path: str) -> bytes | None:
    """Return a file's bytes at *ref*; None when the ref's tree has no such entry. *path* is relative to *root*.

    Whatever else keeps the file from being read is an AdapterError: "was never accepted" must not be git's bad day.
    """
    place = f"{ref}:{path}"
    found = _blob(root, ref, path)
    if found is None:
        return None
    size = told(root, place, fetch_hint(ref), "cat-file", "-s", found)
    if int(size) > LARGEST_FILE:
        raise EvidenceError("the file is larger than evidence may be", where=place)
    return told(root, place, fetch_hint(ref), "cat-file", "blob", found)


def lineage(root: Path) -> tuple[str, tuple[str, ...]]:
    """Return the commit that is checked out and its parents' names, which a shallow clone knows too."""
    said = told(root, "HEAD", "run in a repository", "cat-file", "commit", "HEAD").decode("utf-8", "replace")
    head = said.partition("\n\n")[0]
    parents = [line.partition(" ")[2] for line in head.splitlines() if line.startswith("parent ")]
    return resolved(root, "HEAD"), tuple(parents)


def has(root: Path, commit: str) -> bool:
    """Return whether a commit's tree is here."""
    done = run(root, "cat-file", "-e", f"{commit}^{{tree}}")
    return done is not None and done.returncode == 0


def fetched(root: Path, ref: str) -> str:
    """Return the commit that *ref* names at `origin`, fetched; empty when it cannot be had.

    Raises Refused where `origin` is a stranger's repository: what is called so there is not ours.
    """
    if remotes.is_known(root):
        remotes.refuse_stranger(root)
    if not fetch(root, f"+{ref}:{_FETCHED}"):  # never FETCH_HEAD: whatever was fetched before is in there, too
        return ""
    return refs.exact(root, _FETCHED)


def fetch(root: Path, what: str) -> bool:
    """Try to fetch one commit, or a refspec, from `origin`; say whether it came. A shallow clone stays shallow."""
    shallow = run(root, "rev-parse", "--is-shallow-repository")
    depth = ["--depth=1"] if shallow is not None and shallow.stdout.strip() == b"true" else []  # would cut a full clone
    words = ("--quiet", *depth, "--no-tags", "--no-recurse-submodules", "--end-of-options", "origin", what)
    done = run(root, "fetch", *words)
    return done is not None and done.returncode == 0


def is_ancestor(root: Path, commit: str, later: str) -> bool:
    """Return whether *commit* is in the history of *later*, as far as it is here, or is the same."""
    done = run(root, "merge-base", "--is-ancestor", commit, later)
    if done is None or done.returncode not in (0, 1):
        raise AdapterError(f"git cannot say where {commit[:10]} belongs", where=str(root), hint=fetch_hint(commit))
    return done.returncode == 0


def is_shallow(root: Path) -> bool:
    """Return whether history may be cut off here: what is not in it may be in the whole one."""
    done = run(root, "rev-parse", "--is-shallow-repository")
    return done is None or done.stdout.strip() != b"false"


def top(root: Path) -> Path:
    """Return the folder of the repository's work tree that *root* is in."""
    said = told(root, str(root), "run in a repository", "rev-parse", "--show-toplevel").removesuffix(b"\n")
    return Path(os.fsdecode(said))


def folder(root: Path) -> Path:
    """Return git's own folder, which all work trees of a repository share."""
    said = told(root, str(root), "run in a repository", "rev-parse", "--git-common-dir").removesuffix(b"\n")
    return Path(os.path.normpath(root / os.fsdecode(said)))


def files(root: Path, ref: str, path: str) -> tuple[str, ...]:
    """Return the files at or under *path* at *ref*, relative to *root*; none when there is nothing."""
    listed = _tree_listing(root, ref, path, "--name-only")
    return tuple(os.fsdecode(entry) for entry in listed.split(b"\0") if entry)


def contents(root: Path, commit: str, wanted: Callable[[str], bool], most: int) -> dict[str, bytes]:
    """Return the *wanted* files of a commit, by path from the repository's top.

    Raises AdapterError where one is a symbolic link, and where they have more than *most* bytes together.
    """
    ids: dict[str, str] = {}
    hint = fetch_hint(commit)
    for entry in told(top(root), commit, hint, "ls-tree", "-r", "-z", commit).split(b"\0"):
        words, _, name = entry.partition(b"\t")
        path = os.fsdecode(name)
        mode, _, oid = words.decode("ascii", "replace").replace(" blob ", " ").partition(" ")
        if mode in {*_FILES, "120000"} and wanted(path):
            if mode == "120000":
                where = f"{commit[:10]}:{path}"
                raise AdapterError(
                    "a symbolic link is where a file belongs", where=where, hint="commit the file itself"
                )
            ids[path] = oid
    if not ids:
        return {}
    asked = "".join(f"{oid}\n" for oid in ids.values()).encode()
    sizes = told(root, commit, hint, "cat-file", "--batch-check=%(objectsize)", given=asked).split()
    total = sum(int(size) for size in sizes if size.isdigit())
    if total > most:
        raise AdapterError(f"{len(ids):,} files have {total >> 20:,} MB: {most >> 20} are read", where=commit[:10])
    said = io.BytesIO(told(root, commit, hint, "cat-file", "--batch", given=asked))
    found: dict[str, bytes] = {}
    for path in ids:
        size = said.readline().split()[-1]
        if not size.isdigit():
            raise AdapterError("git could not read it: the object is missing", where=path, hint=hint)
        found[path] = said.read(int(size))
        said.read(1)
    return found


def tree(root: Path, ref: str, path: str) -> bytes:
    """Return what names the content of all files at or under *path* at *ref*."""
    return _tree_listing(root, ref, path)


def link(root: Path, ref: str, path: str) -> str:
    """Return the first part of *path* that is a symbolic link or a submodule at *ref*; empty when none is."""
    parts = PurePosixPath(posixpath.normpath(path)).parts
    for i in range(1, len(parts) + 1):
        part = "/".join(parts[:i])
        if parts[i - 1] != ".." and _tree_listing(root, ref, part, recursively=False)[:6] in LEADS:
            return part
    return ""


def _tree_listing(root: Path, ref: str, path: str, *options: str, recursively: bool = True) -> bytes:
    place = f"{ref}:{path}"
    if not is_sound(path):
        raise AdapterError("this is no path of a file", where=place)
    options = (*options, "-r") if recursively else options
    name = f"./{posixpath.normpath(path)}"
    return told(root, place, fetch_hint(ref), "ls-tree", "-z", *options, resolved(root, ref), name)


def resolved(root: Path, ref: str) -> str:
    """Return the one commit that *ref* means, see `git_ref`."""
    return refs.commit_of(root, ref)


def _blob(root: Path, ref: str, path: str) -> str | None:
    """Return the id of the file at *path*, None when the commit's tree has nothing there."""
    place, name = f"{ref}:{path}", posixpath.normpath(path)
    if not is_sound(path) or PurePosixPath(name).name in {"", ".."}:
        raise AdapterError("this is no path of a file", where=place)
    listed = told(root, place, fetch_hint(ref), "ls-tree", "-z", resolved(root, ref), f"./{name}")
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
