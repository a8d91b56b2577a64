"""Git: which commit this is, and files as they stand at another ref."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from mlgate.core.errors import AdapterError, EvidenceError

LARGEST = 1 << 30


def commit(root: Path) -> str:
    """Return the commit that is checked out, `+dirty` behind it when tracked files differ; empty outside git."""
    head = _git(root, "rev-parse", "--verify", "--end-of-options", "HEAD")
    if head is None:
        return ""
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    return head.decode().strip() + ("+dirty" if changed else "")


def show(root: Path, ref: str, path: str) -> bytes | None:
    """Return a file's bytes at *ref*; None when the file is not there. An unknown ref is an AdapterError."""
    if ref.startswith("-") or "\0" in ref + path or ":" in ref:
        raise AdapterError(f"{ref!r} is not a git ref")
    name = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if name is None:
        raise AdapterError(
            f"git knows no ref {ref!r} here", hint=f"fetch it: git fetch origin {ref.removeprefix('origin/')}"
        )
    found = f"{name.decode().strip()}:./{path}"
    size = _git(root, "cat-file", "-s", found)
    if size is None:
        return None
    if int(size) > LARGEST:
        raise EvidenceError("the file is larger than evidence may be", where=f"{ref}:{path}")
    return _git(root, "cat-file", "blob", found)


def _git(root: Path, *arguments: str) -> bytes | None:
    """Run git without the caller's GIT_* settings. None when git says no or is absent."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(  # noqa: S603 - an argument list; refs are checked above and --end-of-options guards them
            ["git", "-C", str(root), *arguments],  # noqa: S607 - the user's git, from PATH
            capture_output=True,
            env=environment,
            timeout=60,
            check=False,
        )
    except FileNotFoundError:
        return None
    except subprocess.TimeoutExpired as error:
        raise AdapterError("git did not answer within 60 s", where=str(root)) from error
    return done.stdout if done.returncode == 0 else None
