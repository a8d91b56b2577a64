"""What is wrong with a manifest before it is applied: a sentence, a place, and the values that would mend it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mlgate.core.check import Json

_HEADROOM = 1.25
_MEGABYTE = 1e6

Steps = tuple[str | int, ...]
"""The way to an entry of a document: `("spec", "predictor", "containers", 0)`."""


@dataclass(frozen=True, slots=True)
class Fix:
    """An entry to write; None as its value: to delete."""

    steps: Steps
    value: Json


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing that is wrong."""

    topic: str
    """A stable name of what is wrong: `no-memory-limit`."""
    is_error: bool
    """Whether it stops the deploy; else it is said, and goes on."""
    says: str
    hint: str
    steps: Steps = ()
    """Where: the entry, or the nearest one that is there."""
    document: int = 0
    """Of the manifest's documents, from 0."""
    fixes: tuple[Fix, ...] = ()
    """What `--fix` writes; empty: only a person knows."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What the gate knows of the image: what it measured, 0 for what it did not, and where the file says it listens."""

    peak_memory_mb: float = 0.0
    load_s: float = 0.0
    """From the start of the container until it was ready."""
    ready_path: str = ""
    """The path that says ready: the file's, or the protocol's usual one; empty: none is known."""
    port: int = 8080

    @property
    def memory_limit_mi(self) -> int:
        """Return the memory limit to write, in Mi: the peak and a quarter more, for longer requests; 0: not known."""
        return math.ceil(self.peak_memory_mb * _MEGABYTE * _HEADROOM / 2**20 / 64) * 64
