"""What is wrong with a manifest before it is applied: a sentence, a place, and the values that would mend it."""

from __future__ import annotations

from dataclasses import dataclass

from mlgate.core.check import Json

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
    """What the gate measured of the image, as far as it did; 0 for what it did not."""

    peak_memory_mb: float = 0.0
    load_s: float = 0.0
    """From the start of the container until it was ready."""
    ready_path: str = ""
    """The path that answered 200 when the model was loaded."""
    port: int = 8080
