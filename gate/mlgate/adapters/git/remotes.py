"""Whose repository a remote is: a job may have checked a fork out, whose branches and tags are called like ours."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from mlgate.adapters.git.command import run
from mlgate.adapters.process.environment_flags import in_github_actions
from mlgate.core.errors import Refused

_SERVER = "https://github.com"
_OVER_443 = "ssh."
"""`ssh.github.com` is where GitHub takes SSH on the port of HTTPS."""


def named(root: Path) -> frozenset[str]:
    """Return the names of the remotes, `origin` always among them."""
    done = run(root, "remote")
    listed = done.stdout.decode("utf-8", "replace").split() if done is not None and done.returncode == 0 else []
    return frozenset({"origin", *listed})


def refuse_strangers(root: Path, ref: str) -> None:
    """Raise Refused where a *ref*, by its full name, may be a stranger's: in GitHub Actions only.

    Branches and tags come with the repository that was cloned. They count where the URL of that remote is this
    repository's: the one that the run is of.
    """
    if not in_github_actions():
        return
    above = ref.removeprefix("refs/remotes/")
    remote = next((name for name in sorted(named(root), key=len, reverse=True) if above.startswith(f"{name}/")), "")
    refuse_stranger(root, remote if remote and above != ref else "origin")


def refuse_stranger(root: Path, remote: str = "origin") -> None:
    """Raise Refused where a *remote* is not this repository, or is not there: in GitHub Actions only."""
    if not in_github_actions():
        return
    found = [*_urls(root, remote)]
    if any(is_ours(url) for url in found):
        return
    ours = os.environ.get("GITHUB_REPOSITORY", "") or "that of this run"
    place = "/".join(_place(found[-1])).partition("?")[0] if found else ""
    said = f"the remote {remote} is another repository than {ours}: its refs are a stranger's ({place[:100]})"
    raise Refused(
        said if found else f"there is no remote {remote}: whose refs are here is not known, and {ours} is what counts",
        where=str(root),
        hint="name a whole commit id; or let this repository be a remote of its own (git remote add ours …; "
        "git fetch ours), and write refs/remotes/ours/main",
    )


def is_known(root: Path, remote: str = "origin") -> bool:
    """Return whether there is a remote of that name."""
    return bool([*_urls(root, remote)])


def is_ours(url: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether a *url* is this repository at its server, whichever way git reaches it."""
    repository = environ.get("GITHUB_REPOSITORY", "").lower()
    server, above = _place(environ.get("GITHUB_SERVER_URL") or _SERVER)
    host, path = _place(url)
    ways = {server, f"{_OVER_443}{server}"} if server else {server}
    return bool(repository) and host in ways and path == f"{above}/{repository}".lstrip("/")


def _place(url: str) -> tuple[str, str]:
    """Return host and path of `https://…`, `ssh://…`, `git@host:path` or a path here; no user, no port, no `.git`."""
    before, colon, after = url.partition(":")
    if "://" in url:
        try:
            parts = urlsplit(url)
            host, path = parts.hostname or "", url.partition("://")[2].partition("/")[2]
        except ValueError:
            return "?", ""
    elif colon and "/" not in before:
        host, path = before.rpartition("@")[2], after
    else:
        host, path = "", url
    return host.lower(), path.strip("/").lower().removesuffix(".git")


def _urls(root: Path, remote: str) -> Iterator[str]:
    """Yield what is written, and what git makes of it: `url.….insteadOf` is the machine's own word."""
    for words in (("config", "--get", f"remote.{remote}.url"), ("remote", "get-url", remote)):
        done = run(root, *words)
        if done is not None and done.returncode == 0:
            yield done.stdout.decode("utf-8", "replace").strip()
