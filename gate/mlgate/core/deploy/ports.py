"""The cluster and the people around a rollout, as the flow needs them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.deploy.rollout import Reading, Rollout
from mlgate.core.outcome import Outcome


class Serving(Protocol):
    """The two models of one rollout on a cluster, in one way of sharing traffic. Every method may be called again."""

    def observe(self, rollout: Rollout) -> Reading:
        """Return what the cluster shows now; `at`, `judged` and `stop` are the caller's.

        What is not known is a hole in the reading. Raises AdapterError when the cluster does not answer, Denied when
        what is there may not be touched.
        """

    def act(self, rollout: Rollout) -> None:
        """Take the cluster one step nearer to what the rollout's state asks for, by what was observed last.

        A write holds only for the object that was observed: who changed it since makes it fail. Raises AdapterError
        when the cluster does not take it now, Denied when it never will.
        """

    def tidy(self, confirm: Callable[[], None]) -> None:
        """Remove what mlgate made for this service and its record does not name any more.

        *confirm* comes after the look and before the first change: it raises Overtaken for a record that is not ours.
        """


class ServiceRecords(Protocol):
    """Where the cluster keeps one service's record."""

    def load(self) -> ServiceRecord:
        """Return the record; an empty one when there is none yet. Raises EvidenceError for one that is damaged."""

    def save(self, record: ServiceRecord) -> None:
        """Replace what was loaded or saved last. Raises Overtaken when somebody else wrote meanwhile."""

    def confirm(self) -> None:
        """Raise Overtaken when the record is not the one that was saved last, or the lock is not held any more."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a step of a rollout came out."""

    outcome: Outcome | None
    """None: not known yet; it will be asked again."""
    why: str = ""
    is_measured: bool = False
    """Of one that is not known yet: whether it was measured, and more of the same will settle it."""
    is_undecided: bool = False
    """Of one that is measured: the step's time is over, and so few requests came that no rule is kept for certain."""


class StepJudge(Protocol):
    """What a rollout's steps are judged by."""

    def judge(self, record: ServiceRecord) -> Judgement:
        """Return how the rollout's present step came out so far. An outcome is final."""


class CheckRounds(Protocol):
    """The online checks, asked of a rollout's two models once and again, beside what else is done."""

    def begin(self, record: ServiceRecord) -> None:
        """Begin a round, and come back at once. One round at a time."""

    def ended(self) -> Judgement | None:
        """Return how the round came out; None while it is under way."""

    def cancel(self) -> None:
        """End the round that is under way: nobody waits for it any more."""


class Stopped(BaseException):
    """Somebody wants the rollout to go back: raised inside `Stop.interrupts` alone, so that no handler eats it."""


class Stop(Protocol):
    """Whether somebody wants the rollout to go back."""

    @property
    def why(self) -> str:
        """Return the reason, e.g. the signal that came; empty while nobody does."""

    def wait(self, seconds: float) -> None:
        """Wait, until somebody does at the latest."""

    def interrupts(self) -> AbstractContextManager[None]:
        """Raise Stopped inside as soon as somebody does."""


class RolloutProgress(Protocol):
    """Tells a person how a rollout goes."""

    def show(self, record: ServiceRecord, reading: Reading) -> None:
        """Show what was read, and the state that it led to."""
