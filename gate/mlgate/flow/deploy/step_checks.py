"""The online checks, asked again and again while a step lasts: a model may answer well at 5 % and badly at 25 %."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mlgate.core.deploy.ports import CheckRounds, Judgement
from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.outcome import Outcome

_GROWTH = 0.25
"""Of the time that the step has lasted: a step that lasts for hours is asked less often."""
_ENOUGH = 2
"""So many rounds that fail are no chance."""
_AT_REST = 2.0
"""So many times as long as a round took, nothing is asked: then the requests that are counted are users' own."""


@dataclass(frozen=True, slots=True)
class CheckRound:
    """One round: when it was asked."""

    begin: float
    """Unix time, seconds."""
    end: float = math.inf


class StepChecks:
    """What the rounds make of the present step.

    It passes by a round that was begun in this step and passed. A round that does not pass is asked again at once; the
    second that fails with none that passes in between takes the candidate back. One that fails once may be chance:
    there are many rounds.
    """

    def __init__(
        self,
        rounds: CheckRounds,
        every: float,
        patience: float,
        now: Callable[[], float],
        before: Sequence[tuple[float, float]] | None = None,
    ) -> None:
        """*every*: seconds between the beginnings of two rounds, at least. *patience*: seconds that one may take.

        *before*: when checks asked before this process; None: nobody knows.
        """
        self._rounds, self._every, self._patience, self._now = rounds, every, patience, now
        self._since = -math.inf
        self._next = -math.inf
        self._passed: Judgement | None = None
        self._doubt: Judgement | None = None
        self._doubtful = 0
        """Rounds since the last one that passed."""
        self._failures = 0
        """Those of them that failed."""
        self._under_way: CheckRound | None = None
        self._ended: list[CheckRound] = []
        self._before = [(-math.inf, now())] if before is None else list(before)

    @property
    def asked(self) -> list[tuple[float, float]]:
        """Return when others than users may have asked: in each round, and before this process looked."""
        under_way = [self._under_way] if self._under_way else []
        spans = [(one.begin, one.end) for one in (*self._ended, *under_way)]
        return [*self._before, *spans]

    def judge(self, record: ServiceRecord) -> Judgement:
        """Return how the present step came out so far, by the rounds alone."""
        assert record.rollout is not None
        since = record.rollout.state.since
        if since != self._since:
            self._since, self._next, self._passed = since, -math.inf, None
        self._look()
        if self._failures < _ENOUGH and self._under_way is None and self._now() >= self._next:
            self._rounds.begin(record)
            self._under_way = CheckRound(self._now())
        return self._so_far()

    def _look(self) -> None:
        if self._under_way is None:
            return
        found, took = self._rounds.ended(), self._now() - self._under_way.begin
        if found is None and took >= self._patience:
            self._rounds.cancel()
            found = Judgement(Outcome.ERRORED, f"online checks: a round did not end within {took:.0f} s")
        if found is None:
            return
        done = CheckRound(self._under_way.begin, self._now())
        self._under_way = None
        self._ended.append(done)
        self._take(found, done)

    def _take(self, found: Judgement, of: CheckRound) -> None:
        outcome = found.outcome if found.outcome is not None else Outcome.ERRORED
        if not outcome.blocks:
            self._doubt, self._doubtful, self._failures = None, 0, 0
            if of.begin >= self._since:
                self._passed, self._next = found, of.end + self._rest(of)
            return
        self._doubtful += 1
        self._failures += outcome is Outcome.FAILED
        self._passed, self._doubt = None, Judgement(outcome, found.why)
        self._next = of.end + (_AT_REST * (of.end - of.begin) if self._doubtful > 1 else 0.0)

    def _rest(self, of: CheckRound) -> float:
        """Return for how many seconds nothing is asked after a round that passed."""
        took = of.end - of.begin
        return max(self._every - took, _AT_REST * took, _GROWTH * (of.end - self._since))

    def _so_far(self) -> Judgement:
        if self._doubt is not None and self._failures >= _ENOUGH and self._doubt.outcome is Outcome.FAILED:
            return self._doubt
        if self._doubt is not None:
            is_measured = self._doubt.outcome is not Outcome.ERRORED
            return Judgement(None, f"asked once more: {self._doubt.why}", is_measured=is_measured)
        if self._passed is not None:
            return self._passed
        return Judgement(None, "online checks are asked in this step for the first time", is_measured=True)
