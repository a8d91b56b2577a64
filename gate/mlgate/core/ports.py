"""The outside world, as the gate needs it. One method each where one will do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, Self, runtime_checkable

from mlgate.core.check import Check, Example, Suite
from mlgate.core.evidence import Blame, Evidence, Row
from mlgate.core.latency.block import Arrival, LoadBlock
from mlgate.core.latency.rounds import LatencyRounds
from mlgate.core.stats.jackknife import Statistics, Unscored
from mlgate.core.stats.series import Fact, Series
from mlgate.core.tracking.ledger import Ledger, Move
from mlgate.core.tracking.model_version import Candidate, Version
from mlgate.core.tracking.record import LoggedRun, TrackingRecord


@dataclass(frozen=True, slots=True)
class Failure:
    """What a model gave instead of an answer, and whose fault that is."""

    why: str
    blame: Blame = "model"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered, where more is known of it than the text."""

    text: str
    finish: str = ""
    """Why the answer ended, where the server says that it is not whole: `length`, `content_filter`."""


def text_of(answer: str | Answer) -> str:
    """Return an answer's text."""
    return answer if isinstance(answer, str) else answer.text


class Model(Protocol):
    """The model under test, wherever it runs."""

    def answer(self, examples: Sequence[Example]) -> Iterator[str | Answer | Failure]:
        """Yield one answer or failure an example, in order, as soon as it is known. Never raises for one example."""

    def close(self) -> None:
        """End what was started: processes, connections. May be called twice."""


class Load(Protocol):
    """One running model that can be put under timed load, in the loops whose ports it has."""

    @property
    def facts(self) -> Mapping[str, str | float]:
        """Return how it was started: sandbox and what its probe found, image digest and size, seconds to readiness."""

    def gone(self) -> str:
        """Return why the model does not run any more: its exit code, out of memory; empty while nobody knows better."""

    def close(self) -> None:
        """End what was started. May be called twice."""


@runtime_checkable
class OpenLoop(Load, Protocol):
    """A load that keeps a schedule."""

    def fire(self, examples: Sequence[Example], arrivals: Sequence[Arrival]) -> LoadBlock:
        """Send each request when it is due, whatever has become of the others; wait for all replies.

        Raises GateError when the model is gone or the generator fails; a failed request is a reply with a failure.
        """


@runtime_checkable
class ClosedLoop(Load, Protocol):
    """A load that keeps so many requests under way."""

    def press(self, examples: Sequence[Example], order: Sequence[int], concurrency: int, seconds: float) -> LoadBlock:
        """Keep *concurrency* requests under way, the next in *order* (around again) when one is done.

        Raises GateError when the model is gone or the generator fails; a failed request is a reply with a failure.
        """


Score = Statistics | Series | Fact | Unscored
"""What one metric's rows come to, before it is compared."""


class Standing(Enum):
    """How a timed check stands after some of its rounds."""

    SETTLED = "settled"
    """No rule is open any more, or one is broken: no further round is needed."""
    OPEN = "open"
    DISTURBED = "disturbed"
    """Open, and the machine is why: the generator was late, or the baseline differed from itself by as much."""


Decided = Callable[[Check, Sequence[Row]], Standing]
"""How a check stands, by these rows of it and of its baseline."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The rows of one side of a check as its kind reads them, once: all that it is judged by."""

    rows: Mapping[str, Row]
    """By example id, or by round."""
    rounds: LatencyRounds | None = None
    """What the rows of a timed check hold; None for every other kind, and where they cannot be read."""
    unreadable: str = ""
    """Why they cannot be read."""


class Kind(Protocol):
    """A map and a reduce: how one kind of check looks, and what makes its rows complete and counted."""

    name: str
    together: bool
    """Its rows come together or not at all: what is missing cannot be asked for alone."""

    def read(self, check: Check, rows: Mapping[str, Row]) -> Reading:
        """Read the rows of one side. What cannot be read is a hole, never an exception."""

    def holes(self, check: Check, reading: Reading) -> Mapping[str, str]:
        """Return the examples that keep the check from being scored, each with the reason. Empty: complete."""

    def score(self, check: Check, reading: Reading) -> Sequence[Score]:
        """Turn the rows of a complete check into statistics, one a metric, rows in the check's order. Pure."""

    def answers(self, check: Check, reading: Reading) -> Mapping[str, Row]:
        """Return what the model did with each example, by example id: the rows themselves where each is asked once."""

    def show(self, row: Row) -> str:
        """Return what a person should read of such a row, for reports and `explain`."""


class AskingKind(Kind, Protocol):
    """A kind of check that asks a model about each example once."""

    def observe(self, check: Check, examples: Sequence[Example], model: Model) -> Iterator[Row]:
        """Ask the model about *examples*, which are some of the check's. Runs anywhere; yields a row as it comes."""


class TimedKind(Kind, Protocol):
    """A kind of check that puts timed load on a model, and on the baseline's beside it."""

    def observe(self, check: Check, loads: Mapping[str, Load], decided: Decided) -> Iterator[Row]:
        """Yield the rows of each check in *loads*: the check itself and, in a duet, the one that is its baseline."""


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

    @property
    def accept(self) -> str:
        """Return how a first baseline comes to be, as an advice to a person."""

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

Asked = Mapping[str, AskingKind]
Timed = Mapping[str, TimedKind]


class Tracker(Protocol):
    """Where verdicts are remembered."""

    @property
    def source(self) -> str:
        """Return where it is, for people, without secrets."""

    def log(self, record: TrackingRecord) -> LoggedRun:
        """Write one verdict. Again, or by several processes at once: one run, never two, and whole.

        Raises AdapterError when it could not be written whole; writing it again completes it.
        """


class Registry(Protocol):
    """One registered model: its versions, the aliases that point to them, and the ledger of how they moved."""

    @property
    def source(self) -> str:
        """Return what it is, for people: `summarizer in http://…`."""

    def versions(self) -> Sequence[Version]:
        """Return all versions, ascending; none when the model was never registered."""

    def register(self, candidate: Candidate) -> Version:
        """Make the candidate a version, or return the one that it is already: one verdict, one version."""

    def live(self, alias: str) -> int:
        """Return the version that the alias points to, NONE for nowhere."""

    def point(self, alias: str, version: int) -> None:
        """Move the alias; to NONE removes it. Unconditional: whoever moves it has won a place in the ledger."""

    def ledger(self) -> Ledger:
        """Return every move so far."""

    def append(self, move: Move) -> bool:
        """Write *move* at its place in the ledger; False when another move has that place: it was first."""

    def confirm(self, move: Move) -> None:
        """Note beside *move* that the alias points there."""
