"""The outside world, as the gate needs it. One method each where one will do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from mlgate.core.check import Check, Example, Suite
from mlgate.core.evidence import Blame, Evidence, Row
from mlgate.core.statistics import Statistics, Unscored


@dataclass(frozen=True, slots=True)
class Failure:
    """What a model gave instead of an answer, and whose fault that is."""

    why: str
    blame: Blame = "model"


class Model(Protocol):
    """The model under test, wherever it runs."""

    def answer(self, examples: Sequence[Example]) -> Iterator[str | Failure]:
        """Yield one answer or failure an example, in order, as soon as it is known. Never raises for one example."""

    def close(self) -> None:
        """End what was started: processes, connections. May be called twice."""


class Kind(Protocol):
    """A map and a reduce: how one kind of check looks, and what makes its rows complete and counted."""

    name: str
    together: bool
    """Its rows come together or not at all: what is missing cannot be asked for alone."""

    def observe(self, check: Check, examples: Sequence[Example], model: Model) -> Iterator[Row]:
        """Ask the model about *examples*, which are some of the check's. Runs anywhere; yields a row as it comes."""

    def holes(self, check: Check, rows: Mapping[str, Row]) -> Mapping[str, str]:
        """Return the examples that keep the check from being scored, each with the reason. Empty: complete."""

    def score(self, check: Check, rows: Mapping[str, Row]) -> Sequence[Statistics | Unscored]:
        """Turn the rows of a complete check into statistics, one a metric, rows in the check's order. Pure."""

    def show(self, row: Row) -> str:
        """Return what a person should read of a row, for reports and `explain`."""


class Executor(Protocol):
    """Runs observations: in this process, in pytest's workers, or not at all."""

    def observe(self, suite: Suite) -> Iterator[Row]:
        """Yield the rows of *suite* as they come, in any order. What is never yielded is missing."""


class Journal(Protocol):
    """Keeps rows from the moment they are seen, so that a killed run can go on."""

    def append(self, row: Row) -> None:
        """Add one row, durable against the death of this process."""


class BaselineStore(Protocol):
    """Where the evidence of the last accepted model is kept."""

    @property
    def source(self) -> str:
        """Return where it is, for people: `file baseline.jsonl.gz`."""

    def load(self) -> Evidence | None:
        """Return the evidence, or None when nothing was ever accepted. Damaged evidence raises EvidenceError."""

    def save(self, evidence: Evidence) -> None:
        """Replace the baseline, atomically."""


class Progress(Protocol):
    """Tells a person how far a run is."""

    def __enter__(self) -> Self:
        """Begin to show."""

    def __exit__(self, *_: object) -> None:
        """Clear the line."""

    def advance(self, row: Row) -> None:
        """One more row is there."""


Kinds = Mapping[str, Kind]
