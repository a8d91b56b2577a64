"""A mistake that people make, and a reader who does what the hint says and knows nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Trap:
    """One mistake. `follow` gets what mlgate printed, and the project's folder."""

    name: str
    files: Mapping[str, str | bytes]
    follow: Callable[[str, Path], None]
    """Does what the printed hint says: what it writes, it takes out of that text by `taken`."""
    command: tuple[str, ...] = ("check",)
    then: tuple[str, ...] = ()
    """The command of the second run; empty: the same."""
    environment: Mapping[str, str] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    """A command that went well, before the trap was sprung."""
    spring: Callable[[Path], None] | None = None
    """What changed since."""
    server: Callable[[], AbstractContextManager[str]] | None = None
    """What serves meanwhile; its address stands in the files for `URL`."""


def taken(pattern: str, printed: str) -> str:
    """Return what *pattern*'s group finds in the printed text, whose lines are joined as a reader joins them."""
    text = " ".join(printed.split())
    found = re.search(pattern, text)
    assert found, f"the hint does not say {pattern}: {text}"
    return found.group(1)


def replaced(path: Path, old: str, new: str) -> None:
    """Change one place of a file."""
    text = path.read_text()
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path.name}"
    path.write_text(text.replace(old, new))
