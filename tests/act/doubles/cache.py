"""actions/cache, /restore and /save: what one ref wrote is seen by that ref; what the default branch wrote, by all.

An entry is a folder: `paths/<n>` are the copies, entry.json says what they are and in which order they came.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.act.doubles import step


@dataclass(frozen=True)
class Entry:
    folder: Path
    key: str
    version: str
    order: int


def restore() -> None:
    given = step.inputs()
    paths, key = step.lines(given["path"]), given["key"]
    step.output(cache_primary_key=key)
    found = _lookup(paths, key, step.lines(given.get("restore-keys", "")))
    if found is None:
        if step.is_true(given.get("fail-on-cache-miss", "")):
            step.fail(f"Failed to restore cache entry. Exiting as fail-on-cache-miss is set. Input key: {key}")
        step.say(f"Cache not found for input keys: {key}")
        return
    step.output(cache_hit=str(found.key == key).lower(), cache_matched_key=found.key)
    _remember("HIT", str(found.key == key).lower())
    if step.is_true(given.get("lookup-only", "")):
        return
    for number, path in enumerate(paths):
        kept, target = found.folder / "paths" / str(number), step.place(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        if kept.is_dir():
            shutil.copytree(kept, target, dirs_exist_ok=True, symlinks=True)
        elif kept.exists():
            shutil.copy2(kept, target)
    step.say(f"Cache restored from key: {found.key}")


def save() -> None:
    given = step.inputs()
    paths, key = step.lines(given["path"]), given["key"]
    if os.environ.get("STATE_HIT") == "true":
        step.say(f"Cache hit occurred on the primary key {key}, not saving cache.")
        return
    present = [(i, step.place(p)) for i, p in enumerate(paths) if step.place(p).exists()]
    if not present:
        step.warn(f"Path Validation Error: none of {', '.join(paths)} exists, hence no cache is being saved.")
        return
    scope = _scope(os.environ["GITHUB_REF"])
    name = hashlib.sha256(f"{key}\0{_version(paths)}".encode()).hexdigest()[:16]
    try:
        (folder := scope / name).mkdir(parents=True)
    except FileExistsError:
        step.warn(f"Failed to save: Unable to reserve cache with key {key}, another job may be creating this cache.")
        return
    for number, path in present:
        target = folder / "paths" / str(number)
        target.parent.mkdir(exist_ok=True)
        shutil.copytree(path, target, symlinks=True) if path.is_dir() else shutil.copy2(path, target)
    order = len(list(step.state("caches").glob("*/*")))
    ready = {"key": key, "version": _version(paths), "order": order, "ref": os.environ["GITHUB_REF"]}
    (folder / "entry.json").write_text(json.dumps(ready))  # last: an entry without it does not exist yet
    step.say(f"Cache saved with key: {key}")


def _lookup(paths: list[str], key: str, prefixes: list[str]) -> Entry | None:
    """The exact key, else each prefix in turn, newest first: among this ref's, then the base's, then the default's."""
    branches = [b for b in (os.environ.get("GITHUB_BASE_REF"), os.environ["ACT_DEFAULT_BRANCH"]) if b]
    for ref in [os.environ["GITHUB_REF"], *(f"refs/heads/{b}" for b in branches)]:
        entries = sorted(_entries(_scope(ref), _version(paths)), key=lambda e: -e.order)
        for wanted in (key, *prefixes):
            exact = [e for e in entries if e.key == wanted]
            if found := exact or [e for e in entries if e.key.startswith(wanted)]:
                return found[0]
    return None


def _entries(scope: Path, version: str) -> Iterator[Entry]:
    for file in scope.glob("*/entry.json"):
        about = json.loads(file.read_text())
        if about["version"] == version:
            yield Entry(file.parent, about["key"], version, about["order"])


def _scope(ref: str) -> Path:
    return step.state("caches", ref.replace("/", "+"))


def _version(paths: list[str]) -> str:
    """A cache is found only by a step that lists the same paths."""
    return hashlib.sha256("|".join(paths).encode()).hexdigest()


def _remember(name: str, value: str) -> None:
    """Tell the action's own post step."""
    if file := os.environ.get("GITHUB_STATE"):
        with Path(file).open("a") as state:
            state.write(f"{name}={value}\n")


if __name__ == "__main__":
    {"restore": restore, "save": save}[sys.argv[1]]()
