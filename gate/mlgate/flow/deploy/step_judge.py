"""What a rollout's steps are judged by."""

from __future__ import annotations

from collections.abc import Callable

from mlgate.core.deploy.ports import Judgement
from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.deploy.rollout import Phase
from mlgate.core.outcome import Outcome


class OnlineChecksJudge:
    """Judges the candidate by the online checks before it gets traffic.

    The steps after that have no judge of their own yet: `advance` asks that both models are ready at the end of each,
    and takes a candidate back that was restarted. *check* is None where the file has no online checks.
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
