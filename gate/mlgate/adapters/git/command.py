"""Git as a process: without the caller's settings, and without what a tree could bring."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

from mlgate.core.errors import AdapterError

IN_A_FILE = "keep the baseline in a file: `baseline: {from: file, path: baseline.jsonl.gz}`"

Done = subprocess.CompletedProcess[bytes]

LEADS = frozenset({b"120000", b"160000"})
"""The modes of what leads elsewhere: a symbolic link and a submodule."""

_WHY_LONGEST = 300

_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",  # refs/replace/… would say another thing under a commit's name
}
_LITERALLY = {"GIT_LITERAL_PATHSPECS": "1"}
_IN_ANY_CASE = {"GIT_NOGLOB_PATHSPECS": "1", "GIT_ICASE_PATHSPECS": "1"}
_SETTINGS = (
    *("-c", "safe.bareRepository=explicit"),  # a tree may hold a folder that looks like a repository, with a config
    *("-c", "core.fsmonitor=false"),
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "maintenance.auto=false"),
    *("-c", "gc.auto=0"),
)


def told(root: Path, place: str, hint: str, *arguments: str, given: bytes = b"") -> bytes:
    """Return what git says; AdapterError with its reason when it fails."""
    done = run(root, *arguments, given=given)
    if done is None:
        raise AdapterError("git could not be started", where=place, hint=f"install git, or {IN_A_FILE}")
    if done.returncode != 0:
        if b"dubious ownership" in done.stderr:
            hint = f"if this repository is yours: {trust(root)}"
        why = " ".join(done.stderr.decode("utf-8", "replace").split())[:_WHY_LONGEST]
        raise AdapterError(f"git could not read it: {why or f'exit code {done.returncode}'}", where=place, hint=hint)
    return done.stdout


def trust(root: Path) -> str:
    """Return the command by which a person says that a repository which another user owns is theirs."""
    return f"git config --global --add safe.directory {shlex.quote(str(root.absolute()))}"


def is_sound(text: str) -> bool:
    """Say whether *text* can be an argument of a process."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def run(root: Path, *arguments: str, literally: bool = True, given: bytes = b"") -> Done | None:
    """Run git without the caller's GIT_* settings, and without what a tree could bring. None when it cannot start.

    Paths are taken *literally*, or else in any letter case; *given* is its input.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= _ENVIRONMENT | (_LITERALLY if literally else _IN_ANY_CASE)
    try:
        return subprocess.run(  # noqa: S603 - an argument list; refs are checked above and --end-of-options guards them
            ["git", *_SETTINGS, "-C", str(root), *arguments],  # noqa: S607 - the user's git, from PATH
            capture_output=True,
            input=given,
            env=environment,
            timeout=60,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise AdapterError("git did not answer within 60 s", where=str(root)) from error
    except OSError:
        return None
