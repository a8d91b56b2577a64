"""Whether a commit could have brought what lies at a path: what a run or CI should have made, a change can commit."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from mlgate.adapters.git.command import LEADS, run

_BESIDE = ("", "-journal", "-wal", "-shm")
"""What a database keeps beside it: its journal would be replayed."""
_MOST_LINKS = 40


def is_brought(root: Path, path: Path) -> bool:
    """Return whether the checked-out commit, or the index, has what reading *path* would read.

    So it is with the file or folder itself, whatever a database keeps beside it, and every symbolic link or submodule
    on the way there. Names that differ in letter case only are the same: on some disks they are. True when git cannot
    say, False outside of a repository.
    """
    found = run(root, "rev-parse", "--show-toplevel")
    if found is None or (found.returncode != 0 and b"not a git repository" in found.stderr):
        return False
    if found.returncode != 0:
        return True
    top = Path(os.path.realpath(os.fsdecode(found.stdout.removesuffix(b"\n"))))
    places = list(_trail(path.absolute()))
    if len(places) > _MOST_LINKS:
        return True
    return any(_has(top, place.relative_to(top)) for place in places if place.is_relative_to(top))


def _trail(path: Path) -> Iterator[Path]:
    """Yield each symbolic link that leads from *path* to the file, as the disk has it, and where the way ends."""
    at, left, links = Path(path.anchor), list(path.parts[1:]), 0
    while left:
        part = left.pop(0)
        if part == "..":
            at = at.parent
        elif (at / part).is_symlink():
            links += 1
            yield at / part
            if links > _MOST_LINKS:
                return
            target = (at / part).readlink()
            at = Path(target.anchor) if target.is_absolute() else at
            left = [*(target.parts[1:] if target.is_absolute() else target.parts), *left]
        else:
            at /= part
    yield at


def _has(top: Path, inside: Path) -> bool:
    above = [str(one) for one in inside.parents if str(one) != "."]
    names = [f"{inside}{beside}" for beside in _BESIDE]
    listed = [run(top, "ls-files", "--stage", "-z", "--", *names, *above, literally=False)]
    head = run(top, "rev-parse", "--verify", "--quiet", "HEAD")
    if head is not None and head.returncode == 0:
        listed.append(run(top, "ls-tree", "-z", "HEAD", "--", *names, *above))
    return any(one is None or one.returncode != 0 or _names(one.stdout, names, above) for one in listed)


def _names(listed: bytes, names: list[str], above: list[str]) -> bool:
    whole, leading = {name.casefold() for name in names}, {name.casefold() for name in above}
    for entry in listed.split(b"\0"):
        place = os.fsdecode(entry.partition(b"\t")[2]).casefold()
        if (place in leading and entry[:6] in LEADS) or any(
            place == one or place.startswith(f"{one}/") for one in whole
        ):
            return True
    return False
