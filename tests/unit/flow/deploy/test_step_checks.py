"""Online checks all through a step: what fails twice takes the candidate back, and only this step's rounds pass it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from tests.unit.flow.deploy.test_step_judge import BEGAN, PLAN, RULES, candidate

from mlgate.core.check import Bound, Rule
from mlgate.core.deploy.ports import Judgement
from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.deploy.rollout import Health, Phase, Plan, Reading, Rollout
from mlgate.core.deploy.traffic import Traffic, TrafficCounts, TrafficWindow
from mlgate.core.outcome import Outcome
from mlgate.flow.deploy.step_checks import StepChecks
from mlgate.flow.deploy.step_judge import RolloutJudge, TrafficRules

FINE = Judgement(Outcome.PASSED, "online checks: fine")
BAD = Judgement(Outcome.FAILED, "online checks: rougeL fell")
BROKEN = Judgement(Outcome.ERRORED, "online checks: nobody answers")
UNSURE = Judgement(Outcome.INCONCLUSIVE, "online checks: too few")
TOOK = 40.0


@dataclass
class Step:
    """A rollout whose cluster is always well, with rounds that take 40 seconds each."""

    says: Callable[[int, int], Judgement | None] = lambda _number, _weight: FINE
    """What the round of a number makes of it, by the weight at which it was begun; None: it never ends."""
    requests: float | None = None
    """Of the candidate a second, at all of the traffic; None: the file has no rules for users' requests."""
    share: float = 0.001
    """Of them that fail."""
    decides: bool = False
    waits: bool = False
    now: float = BEGAN
    begun: list[tuple[float, int]] = field(default_factory=list)
    cancelled: int = 0

    def __post_init__(self) -> None:
        begin = Rollout(replace(PLAN, outlasts=self.waits), BEGAN)
        self.record = ServiceRecord(accepted=candidate("old")).begin(candidate("new"), begin, mode="route", owner="me")
        rules = TrafficRules(RULES, self.read, 15.0, lambda: self.now, checks_decide=self.decides)
        checks = StepChecks(self, 300.0, 300.0, lambda: self.now)
        self.judge = RolloutJudge(traffic=rules if self.requests is not None else None, checks=checks)

    @property
    def rollout(self) -> Rollout:
        assert self.record.rollout is not None
        return self.record.rollout

    @property
    def phase(self) -> str:
        return self.rollout.state.phase.value

    @property
    def whys(self) -> list[str]:
        return [state.why for state in self.rollout.states if state.why]

    def begin(self, _: ServiceRecord) -> None:
        self.begun.append((self.now, self.rollout.weight))

    def ended(self) -> Judgement | None:
        at, weight = self.begun[-1]
        return self.says(len(self.begun), weight) if self.now - at >= TOOK else None

    def cancel(self) -> None:
        self.cancelled += 1

    def read(self, _: ServiceRecord, since: float, until: float) -> Traffic:
        """Return what users and the rounds asked, as counters have them: together. No round's request ever fails."""
        assert self.requests is not None
        weight, long = self.rollout.weight / 100, 15.0 * math.ceil((until - since) / 15 / 120)
        windows = []
        for number in range(int((until - since) // long)):
            at = since + long * (number + 1)
            asked = 500.0 if any(at - long < begin + TOOK and begin < at for begin, _ in self.begun) else 0.0
            mine, its = (self.requests * part * long for part in (weight, 1 - weight))
            windows.append(
                TrafficWindow(
                    at, long, TrafficCounts(mine + asked, mine * self.share), TrafficCounts(its + asked, its * 0.001)
                )
            )
        return Traffic((), tuple(windows))

    def goes_on(self, seconds: float, step: float = 20.0) -> None:
        """Let time pass until then, or until it is over."""
        until = self.now + seconds
        while self.now < until and not self.rollout.state.phase.is_over:
            self.now += step
            judged = self.rollout.state.phase in (Phase.CHECKING, Phase.HOLDING)
            found = self.judge.judge(self.record) if judged else Judgement(None)
            self.record = self.record.after(
                Reading(
                    self.now,
                    Health.READY,
                    Health.READY,
                    self.rollout.weight,
                    is_settled=True,
                    judged=found.outcome,
                    is_measured=found.is_measured,
                    why=found.why,
                )
            )


def test_checks_that_pass_in_each_step_promote() -> None:
    step = Step()
    step.goes_on(4000)
    assert step.phase == "promoted"
    assert {weight for _, weight in step.begun} == {25, 100}
    gaps = [b[0] - a[0] for a, b in zip(step.begun, step.begun[1:], strict=False) if a[1] == b[1]]
    assert min(gaps) >= 300


def test_a_model_that_answers_worse_at_a_later_step_goes_back() -> None:
    step = Step(lambda _, weight: FINE if weight < 100 else BAD)
    step.goes_on(4000)
    assert step.phase == "restored"
    assert step.whys[-1] == BAD.why
    assert [weight for _, weight in step.begun][-2:] == [100, 100]
    assert step.begun[-1][0] - step.begun[-2][0] <= TOOK + 20


def test_what_fails_once_is_asked_once_more_and_may_pass() -> None:
    step = Step(lambda number, _: BAD if number == 2 else FINE)
    step.goes_on(4000)
    assert step.phase == "promoted"


@pytest.mark.parametrize("says", [BROKEN, None], ids=["errors", "never ends"])
def test_rounds_without_a_verdict_never_pass_a_step(says: Judgement | None) -> None:
    step = Step(lambda _, __: says)
    step.goes_on(5 * 3600)
    assert step.phase == "restored"
    assert max(state.weight(step.rollout.plan) for state in step.rollout.states) == 25


def test_a_round_that_does_not_end_is_ended_and_nothing_is_asked_for_a_while() -> None:
    step = Step(lambda _, __: None)
    step.goes_on(1200)
    assert step.cancelled >= 1
    assert step.whys == [] or "did not end within" in step.whys[-1]
    gaps = [b[0] - a[0] for a, b in zip(step.begun, step.begun[1:], strict=False)]
    assert max(gaps[1:], default=600.0) >= 600.0


def test_failures_between_which_nothing_passes_are_counted_together() -> None:
    step = Step(lambda number, _: BAD if number % 2 else UNSURE)
    step.goes_on(4000)
    assert step.phase == "restored"
    assert step.whys[-1] == BAD.why
    step = Step(lambda number, _: BAD if number % 2 else FINE)
    step.goes_on(4000)
    assert step.phase == "promoted"


def test_rounds_that_are_not_sure_wait_until_the_deadline() -> None:
    step = Step(lambda _, __: UNSURE)
    step.goes_on(3 * 3600)
    assert (step.phase, step.rollout.weight) == ("holding", 25)
    step.goes_on(3600)
    assert step.whys[-1].startswith("the deadline passed before the step was over: asked once more: ")


def test_a_round_of_the_step_before_passes_no_step() -> None:
    step = Step()
    step.record = replace(step.record, rollout=Rollout(Plan((25, 100), 10.0, 300.0, PLAN.deadline), BEGAN))
    step.goes_on(4000)
    assert step.phase == "promoted"
    assert {weight for _, weight in step.begun} == {25, 100}


def test_users_requests_and_checks_both_have_to_pass() -> None:
    step = Step(requests=20.0)
    step.goes_on(2 * 3600)
    assert step.phase == "promoted"
    assert "requests failed" in step.whys[0]
    step = Step(lambda _, __: BAD, requests=20.0)
    step.goes_on(4000)
    assert step.whys[-1] == BAD.why
    step = Step(requests=20.0, share=0.2)
    step.goes_on(4000)
    assert step.phase == "restored"
    assert "requests failed" in step.whys[-1]


def test_requests_of_the_checks_do_not_hide_that_users_requests_fail() -> None:
    """Of 1 request a second 4 % fail; the rounds add 500 in each window that they touch, and none of those fails."""
    step = Step(requests=4.0, share=0.04)
    step.goes_on(4 * 3600)
    assert step.phase == "restored"
    assert step.rollout.states[-1].step == 0


def test_requests_of_the_checks_show_no_candidate_better() -> None:
    """Of both models' requests 2 % fail; the rounds' never do, and are a larger part of the smaller model's."""
    step = Step()

    def read(record: ServiceRecord, since: float, until: float) -> Traffic:
        step.requests, step.share = 400.0, 0.02
        seen = step.read(record, since, until).windows
        its = [replace(one.stable, errors=20 * one.stable.errors) for one in seen if one.stable]
        return Traffic((), tuple(replace(one, stable=side) for one, side in zip(seen, its, strict=True)))

    better = (Rule("error_rate", Bound.MAX, 0.1), Rule("error_rate", Bound.SUPERIOR, 0.0))
    rules = TrafficRules(better, read, 15.0, lambda: step.now)
    step.judge = RolloutJudge(traffic=rules, checks=StepChecks(step, 300.0, 300.0, lambda: step.now))
    step.goes_on(4000, step=7.0)
    assert step.phase == "restored"
    assert step.whys[-1].startswith("the candidate is not shown better: 2% of ")


def test_checks_do_not_decide_what_more_requests_would_not_settle() -> None:
    """Of both models' requests 30 % fail: what serves has to be mended, however many ask."""
    step = Step(decides=True)
    one = TrafficWindow(0.0, 15.0, TrafficCounts(750.0, 225.0), TrafficCounts(2250.0, 675.0))

    def read(_: ServiceRecord, since: float, until: float) -> Traffic:
        at = [since + 15.0 * (n + 1) for n in range(int((until - since) // 15))]
        return Traffic((), tuple(replace(one, at=end) for end in at))

    rules = TrafficRules(RULES[:1], read, 15.0, lambda: step.now, checks_decide=True)
    step.judge = RolloutJudge(traffic=rules, checks=StepChecks(step, 300.0, 300.0, lambda: step.now))
    step.goes_on(3600)
    assert (step.phase, step.rollout.weight) == ("holding", 25)


def test_where_hardly_anybody_asks_checks_may_decide() -> None:
    step = Step(requests=0.02, decides=True)
    step.goes_on(4 * 3600 - 60, step=60.0)
    assert step.phase == "promoted"
    assert "online checks: fine; too few users asked to decide it by them: " in step.whys[0]
    step = Step(requests=0.02)
    step.goes_on(2 * 3600, step=60.0)
    assert step.phase != "promoted"


def test_checks_decide_nothing_for_requests_that_nobody_counts() -> None:
    step = Step(requests=0.02, decides=True)
    dead = Traffic(why="Prometheus does not answer")
    rules = TrafficRules(RULES, lambda *_: dead, 15.0, lambda: step.now, checks_decide=True)
    step.judge = RolloutJudge(traffic=rules, checks=StepChecks(step, 300.0, 300.0, lambda: step.now))
    step.goes_on(4000)
    assert step.phase == "restored"
    assert step.whys[-1].endswith("Prometheus does not answer")


def test_checks_do_not_decide_against_users_whose_requests_fail() -> None:
    step = Step(requests=2.0, share=0.3, decides=True)
    step.goes_on(4 * 3600)
    assert step.phase == "restored"


def test_who_takes_over_does_not_count_what_may_have_been_asked_before() -> None:
    checks = StepChecks(Step(), 300.0, 300.0, lambda: BEGAN + 500)
    assert checks.asked == [(-math.inf, BEGAN + 500)]
    window = TrafficWindow(BEGAN + 400, 15.0, TrafficCounts(1, 0), None)
    left = Traffic((), (window,)).without(checks.asked, 15.0)
    assert (left.windows, left.why) == (
        (),
        "whenever requests were counted, online checks asked, or may have before this process began",
    )


def test_a_step_that_waits_outlasts_the_deadline() -> None:
    step = Step(requests=0.2, waits=True)
    step.goes_on(5 * 3600, step=300.0)
    assert (step.phase, step.rollout.weight) == ("holding", 25)


def test_users_who_were_due_and_never_came_are_no_lull() -> None:
    """The candidate has not one request in an hour, and about two hundred were due."""
    step = Step(requests=0.16, decides=True)
    rules = TrafficRules(RULES, lambda *of: without_the_candidate(step.read(*of)), 15.0, lambda: step.now, True)
    step.judge = RolloutJudge(traffic=rules, checks=StepChecks(step, 300.0, 300.0, lambda: step.now))
    step.record = replace(step.record, rollout=Rollout(replace(PLAN, hold=3600.0), BEGAN))
    step.goes_on(3 * 3600, step=120.0)
    assert step.phase == "restored"


def without_the_candidate(seen: Traffic) -> Traffic:
    return replace(seen, windows=tuple(replace(one, candidate=TrafficCounts(0.0, 0.0)) for one in seen.windows))


@pytest.mark.parametrize("asked", [None, (), ((BEGAN + 30, BEGAN + 60),)], ids=["not known", "never", "for a while"])
def test_who_goes_on_with_a_step_counts_what_was_asked_while_no_check_did(
    asked: tuple[tuple[float, float], ...] | None,
) -> None:
    step = Step(requests=20.0)
    step.now = BEGAN + 3600
    checks = StepChecks(step, 300.0, 300.0, lambda: step.now, asked)
    seen = step_traffic().without(checks.asked, 15.0)
    times = [one.at for one in seen.windows]
    if asked is None:
        assert not times
    elif asked:
        assert times == [one.at for one in step_traffic().windows if not BEGAN + 15 < one.at < BEGAN + 90]
    else:
        assert times == [one.at for one in step_traffic().windows]


def step_traffic() -> Traffic:
    """Return ten minutes of a step."""
    one = TrafficCounts(10.0, 0.0)
    return Traffic((), tuple(TrafficWindow(BEGAN + 15.0 * n, 15.0, one, one) for n in range(1, 41)))
