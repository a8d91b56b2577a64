"""Which commit a ref means, as a person writes it: one, whatever branches and tags a change brings.

Git takes the first place in which it finds a name, so a tag called `origin/main` would stand for the branch. Here a
name that several places have, with different commits, is refused.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from mlgate.adapters.git import remotes
from mlgate.adapters.git.command import IN_A_FILE, is_sound, run, told
from mlgate.adapters.process.environment_flags import in_ci, in_github_actions
from mlgate.core.errors import AdapterError, Refused

PRIVATE = "refs/mlgate/"
"""Where mlgate keeps what it fetches itself."""

_WRITTEN = re.compile(r"(?P<name>[^\x00-\x20\x7f~^:?*\[\\{}]+)(?P<back>(?:~[0-9]{0,6}|\^)*)")
_ID = re.compile(r"[0-9a-fA-F]{40}(?:[0-9a-fA-F]{24})?")
_SHORT_ID = re.compile(r"[0-9a-fA-F]{7,63}")
_PSEUDO = re.compile(r"@|[A-Z_]+_HEAD|AUTO_MERGE|BISECT_[A-Z_]+")
"""What git keeps beside its refs: whatever was fetched, merged or left last."""
_MOST_ALIKE = 50
_PLACES = ("refs/{}", "refs/tags/{}", "refs/heads/{}", "refs/remotes/{}", "refs/remotes/{}/HEAD")
"""Where git looks a name up (gitrevisions)."""


def commit_of(root: Path, written: str) -> str:
    """Return the commit that a ref means, as a person writes it.

    A whole object id is itself, `refs/…` is that ref, `origin/x` (or another remote's) is a branch of the remote and
    nothing else. Any other name is looked up where git looks, abbreviated ids included; `~n` and `^` behind it go
    back from there. Raises Refused where it could mean several commits, AdapterError where it means none.
    """
    found = _WRITTEN.fullmatch(written) if is_sound(written) else None
    if found is None or written.startswith("-") or ".." in written or _PSEUDO.fullmatch(found["name"]):
        raise AdapterError(
            f"{written[:100]!r} is not a git ref that means one commit for good",
            where=str(root),
            hint="write a ref in full, e.g. refs/remotes/origin/main, or a whole commit id",
        )
    told(root, str(root), f"run in a repository, or {IN_A_FILE}", "rev-parse", "--git-dir")
    name = found["name"]
    start = _object_named(root, name)
    if not start:
        raise AdapterError(f"git knows no ref {written!r} here", hint=_next_step(root, name))
    commit = _commit_of_tag(root, f"{start}{found['back']}")
    if not commit:
        raise AdapterError(f"{written!r} names no commit that is here", where=str(root), hint=fetch_hint(name))
    return commit


def exact(root: Path, ref: str) -> str:
    """Return the commit of one ref by its full name; empty when there is none."""
    found = _refs(root, [ref]).get(ref, "")
    return found and _commit_of_tag(root, found)


def follows_head(written: str) -> bool:
    """Return whether a ref is said relative to what is checked out: a change chooses where that leads."""
    found = _WRITTEN.fullmatch(written)
    return found is not None and found["name"] == "HEAD"


def branch_of(written: str) -> str:
    """Return the branch whose tip a ref names, here or at `origin`; another name as it is."""
    for place in ("refs/remotes/origin/", "refs/heads/", "origin/"):
        if written.startswith(place):
            return written.removeprefix(place)
    return written


def fetch_hint(ref: str) -> str:
    """Return the next step where what *ref* names is not here."""
    return f"fetch what is missing: git fetch origin {shlex.quote(branch_of(ref))}"


def _object_named(root: Path, name: str) -> str:
    """Return the id of the object that a name means; empty when there is none."""
    if _ID.fullmatch(name):
        done = run(root, "rev-parse", "--verify", "--quiet", "--end-of-options", name)
        said = done.stdout.decode().strip() if done is not None and done.returncode == 0 else ""
        if said == name.lower():  # else this repository's ids are longer or shorter, and it is a ref's name
            return said
    if name == "HEAD":
        return _commit_of_tag(root, name)
    if name.startswith("refs/"):
        found = {} if name.startswith(PRIVATE) else _refs(root, [name])
    else:
        found = _candidates(root, name)
    for ref in found:
        if ref.startswith("refs/"):
            remotes.refuse_strangers(root, ref)
    return found.get(name, "") if name.startswith("refs/") else _one_of(root, name, found)


def _candidates(root: Path, name: str) -> Mapping[str, str]:
    """Return what a short name could mean: the objects' ids by what to write for each."""
    if name.startswith(tuple(f"{remote}/" for remote in remotes.named(root))):
        return _refs(root, [f"refs/remotes/{name}"])
    found = dict(_refs(root, [place.format(name) for place in _PLACES]))
    found = {ref: oid for ref, oid in found.items() if not ref.startswith(PRIVATE)}
    if found and in_ci():  # what is checked out there may be a stranger's branch of this name
        found |= _refs(root, [f"refs/remotes/origin/{name}"])
    if _SHORT_ID.fullmatch(name):
        found |= {oid: oid for oid in _commits_abbreviated(root, name)}
    return found


def _one_of(root: Path, name: str, found: Mapping[str, str]) -> str:
    commits = {ref: _commit_of_tag(root, oid) or oid for ref, oid in found.items()}
    if len(set(commits.values())) > 1:
        meant = ", ".join(f"{ref} ({commit[:10]})" if ref != commit else commit for ref, commit in commits.items())
        raise Refused(
            f"the ref {name!r} is ambiguous{_for_ci()}: it could mean {meant}",
            where=str(root),
            hint=f"write the one you mean in full: {_likeliest(root, name, found)}",
        )
    if found and name not in found and set(found) == set(found.values()) and in_ci():
        raise Refused(
            f"{name!r} is the beginning of a commit's id{_for_ci()}: a change can bring a commit that begins alike",
            where=str(root),
            hint=f"write all of it: {next(iter(found))}",
        )
    return next(iter(found.values()), "")


def _likeliest(root: Path, name: str, found: Mapping[str, str]) -> str:
    """Return what a person most likely means: the remote's branch, else a branch; a tag is the last guess."""
    branches = [f"refs/remotes/origin/{name}", f"refs/heads/{name}"]
    return next(iter(_refs(root, branches)), next(iter(found)))


def _next_step(root: Path, name: str) -> str:
    remote = f"refs/remotes/origin/{name}"
    return f"write the remote's branch in full: {remote}" if _refs(root, [remote]) else fetch_hint(name)


def _commits_abbreviated(root: Path, name: str) -> Iterator[str]:
    """Yield the commits, and tags of commits, whose id begins so."""
    done = run(root, "rev-parse", f"--disambiguate={name.lower()}")
    alike = done.stdout.decode().split() if done is not None and done.returncode == 0 else []
    if len(alike) > _MOST_ALIKE:
        raise Refused(f"{len(alike)} objects begin with {name!r}", where=str(root), hint="write the whole id")
    yield from dict.fromkeys(commit for oid in alike if (commit := _commit_of_tag(root, oid)))


def _refs(root: Path, names: list[str]) -> Mapping[str, str]:
    """Return the objects that refs of exactly these names point at, in the names' order."""
    listed = told(root, str(root), "", "for-each-ref", "--format=%(objectname) %(refname)", "--", *names)
    found: dict[str, str] = {}
    for line in listed.decode("utf-8", "surrogateescape").splitlines():
        oid, _, ref = line.partition(" ")
        found[ref] = oid
    return {name: found[name] for name in names if name in found}


def _commit_of_tag(root: Path, said: str) -> str:
    done = run(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{said}^{{commit}}")
    return done.stdout.decode().strip() if done is not None and done.returncode == 0 else ""


def _for_ci() -> str:
    """Return what a person at a desk has to know, who may not have set the variable."""
    return " (CI is set: at a desk, say CI=off)" if in_ci() and not in_github_actions() else ""
