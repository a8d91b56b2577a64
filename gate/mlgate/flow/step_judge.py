"""What a rollout's steps are judged by, one after the other: the online checks before it gets traffic, then facts."""

from __future__ import annotations

from collections.abc import Callable

from mlgate.core.deploy.ports import Judgement
from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.deploy.rollout import Phase
from mlgate.core.outcome import Outcome


class FactsJudge:
    """Judges by what the cluster shows of the candidate: loaded, ready and not restarted, which the rollout asks for.

    *check* asks the candidate before it gets traffic; None where the file has no online checks.
    """

    def __init__(self, check: Callable[[ServiceRecord], Judgement] | None = None) -> None:
        self._check = check
        self._checked: Judgement | None = None

    def judge(self, record: ServiceRecord) -> Judgement:
        """Return how the present step came out so far."""
        assert record.rollout is not None
        if record.rollout.state.phase is not Phase.CHECKING or self._check is None:
            return Judgement(Outcome.PASSED)
        if self._checked is None:
            self._checked = self._check(record)
        return self._checked
