"""Before a candidate gets traffic its gateway may not know it yet: that is asked again, and ends."""

from __future__ import annotations

import pytest

from mlgate.core.deploy.ports import Judgement
from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.outcome import Outcome
from mlgate.flow.deploy.first_check import FirstCheck

RECORD = ServiceRecord()
NOTHING = Judgement(Outcome.ERRORED, "status 500: empty")


class Story:
    """A check whose tries take some time, looked at every half second until it has an outcome."""

    def __init__(self, found: list[Judgement], takes: float = 0.0) -> None:
        self.found, self.takes, self.now, self.tries = found, takes, 1000.0, list[float]()
        self.first = FirstCheck(self.ask, lambda: self.now)

    def ask(self, _: ServiceRecord) -> Judgement:
        self.tries.append(self.now - 1000.0)
        self.now += self.takes
        return self.found.pop(0) if len(self.found) > 1 else self.found[0]

    def ends(self) -> Judgement:
        for _ in range(10_000):
            judged = self.first.judge(RECORD)
            if judged.outcome is not None:
                return judged
            assert judged.why.startswith("asked once more: ") or not judged.why
            self.now += 0.5
        raise AssertionError("it is asked for ever")


@pytest.mark.parametrize("outcome", [Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE])
def test_what_was_measured_is_asked_once(outcome: Outcome) -> None:
    story = Story([Judgement(outcome, "so"), NOTHING])
    assert story.ends() == Judgement(outcome, "so")
    assert story.tries == [0.0]


def test_a_gateway_has_half_a_minute_to_know_the_pods() -> None:
    fine = Judgement(Outcome.PASSED, "fine")
    assert Story([NOTHING] * 4 + [fine]).ends() == fine
    story = Story([NOTHING])
    assert story.ends() == NOTHING
    assert story.tries == [0.0, 2.0, 6.0, 14.0, 30.0]


def test_a_check_that_takes_minutes_is_asked_three_times() -> None:
    story = Story([NOTHING], takes=120.0)
    assert story.ends() == NOTHING
    assert len(story.tries) == 3


def test_what_is_not_known_yet_is_no_try_that_came_to_nothing() -> None:
    assert Story([Judgement(None), Judgement(Outcome.PASSED)]).ends().outcome is Outcome.PASSED
