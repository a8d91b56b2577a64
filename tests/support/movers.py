"""Movers of an alias that meet in one registry, in an order that the test chooses, and may die before any call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import ParamSpec, TypeVar

from hypothesis import strategies as st
from tests.support.fake_registry import FakeRegistry

from mlgate.core.errors import GateError
from mlgate.core.ports import Registry
from mlgate.core.tracking.ledger import NO_VERSION, Ledger, Move
from mlgate.core.tracking.model_version import Candidate, Version
from mlgate.flow.promotion import CHAMPION, Approval, promote, rollback, settled

Told = TypeVar("Told")
Given = ParamSpec("Given")

Act = Callable[[Registry], object]
"""What one mover does, from its first call to its end. Pure but for its calls."""


@dataclass(frozen=True)
class Ended:
    """What became of one mover."""

    said: object = None
    error: GateError | None = None
    crashed: bool = False


@dataclass
class Mover:
    """A process that is stopped before each of its calls, and may die there.

    It is played from its start at each step, and told again what it was told before, until it makes one call that is
    new. So it needs no thread, and the same order of steps is the same story.
    """

    act: Act
    registry: Registry
    dies_before: int | None = None
    """The number of its call, from 0."""
    ended: Ended | None = None
    _told: list[object] = field(default_factory=list)
    _at: int = 0
    _may_call: bool = False

    def step(self) -> None:
        """Make one more call."""
        self._at, self._may_call = 0, True
        try:
            self.ended = Ended(self.act(_Stepped(self)))
        except GateError as error:
            self.ended = Ended(error=error)
        except _DeadError:
            self.ended = Ended(crashed=True)
        except _PausedError:
            return

    def call(self, method: Callable[Given, Told], *given: Given.args, **named: Given.kwargs) -> Told:
        """Answer what was answered before, or make the one new call of this step."""
        if self._at == len(self._told):
            if self._at == self.dies_before:
                raise _DeadError
            if not self._may_call:
                raise _PausedError
            self._may_call = False
            try:
                self._told.append(method(*given, **named))
            except GateError as error:
                self._told.append(error)
        told = self._told[self._at]
        self._at += 1
        if isinstance(told, GateError):
            raise told
        return told  # type: ignore[return-value]  # the n-th call is the same one each time


def meeting(movers: Sequence[Mover], turns: Iterable[int] = ()) -> Sequence[Ended]:
    """Let each turn be one call of one mover, counted among those that have not ended; then the others go to their end.

    Return what became of each, in order.
    """
    for turn in turns:
        alive = [mover for mover in movers if mover.ended is None]
        if not alive:
            break
        alive[turn % len(alive)].step()
    for mover in movers:
        while mover.ended is None:
            mover.step()
    return [mover.ended for mover in movers if mover.ended is not None]


class _PausedError(BaseException):
    """It made its call: the others may be next."""


class _DeadError(BaseException):
    """No code of its own runs any more."""


@dataclass(frozen=True)
class _Stepped:
    """The registry as one mover sees it."""

    mover: Mover

    @property
    def source(self) -> str:
        return self.mover.registry.source

    def versions(self) -> Sequence[Version]:
        return self.mover.call(self.mover.registry.versions)

    def register(self, candidate: Candidate) -> Version:
        return self.mover.call(self.mover.registry.register, candidate)

    def live(self, alias: str) -> int:
        return self.mover.call(self.mover.registry.live, alias)

    def point(self, alias: str, version: int) -> None:
        self.mover.call(self.mover.registry.point, alias, version)

    def ledger(self) -> Ledger:
        return self.mover.call(self.mover.registry.ledger)

    def append(self, move: Move) -> bool:
        return self.mover.call(self.mover.registry.append, move)

    def confirm(self, move: Move) -> None:
        self.mover.call(self.mover.registry.confirm, move)


def candidate(number: int) -> Candidate:
    return Candidate(f"run-{number}", f"verdict-{number}", f"evidence-{number}", f"model-{number}", "s3://models/m")


def at(second: int) -> str:
    return f"2026-11-23T05:00:{second:02}Z"


def promoting(number: int, *, second: int = 0, approval: Approval | None = None, against: str | None = None) -> Act:
    return partial(
        promote, candidate=candidate(number), alias=CHAMPION, now=at(second), approval=approval, against=against
    )


def rolling_back(*, to: int = NO_VERSION, second: int = 0) -> Act:
    return partial(rollback, alias=CHAMPION, now=at(second), to=to)


def lived(*numbers: int) -> FakeRegistry:
    """Return a registry in which these candidates were promoted one after another."""
    registry = FakeRegistry()
    for number in numbers:
        promoting(number)(registry)
    return registry


def settle(registry: FakeRegistry) -> Ledger:
    return settled(registry, CHAMPION, at(59))[0]


PROMOTED = 2
"""Versions that were champion before the movers meet: version n is candidate n's."""

turns = st.lists(st.integers(0, 2), max_size=60)
deaths = st.none() | st.integers(0, 14)
acts = st.one_of(
    st.tuples(st.just("promote"), st.integers(1, 5)),
    st.tuples(st.just("rollback"), st.just(NO_VERSION)),
    st.tuples(st.just("rollback"), st.integers(1, PROMOTED)),
)
stories = st.lists(st.tuples(acts, deaths), min_size=2, max_size=3)
Story = list[tuple[tuple[str, int], int | None]]


def told(registry: FakeRegistry, story: Story, order: Sequence[int], *, same_second: bool = False) -> Sequence[Ended]:
    movers = []
    for number, ((what, which), death) in enumerate(story):
        second = 0 if same_second else number
        act = promoting(which, second=second) if what == "promote" else rolling_back(to=which, second=second)
        movers.append(Mover(act, registry, death))
    return meeting(movers, order)
