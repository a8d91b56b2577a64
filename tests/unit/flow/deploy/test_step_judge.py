"""The steps of a rollout, judged by what is read of users' requests: whatever is missing, nothing passes for it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from mlgate.core.check import Bound, Rule
from mlgate.core.deploy.looks import recent_span
from mlgate.core.deploy.ports import Judgement
from mlgate.core.deploy.release import Deployed, Release, ServiceRecord
from mlgate.core.deploy.rollout import Health, Opening, Phase, Plan, Reading, Rollout
from mlgate.core.deploy.traffic import Traffic, TrafficCounts, TrafficWindow
from mlgate.core.outcome import Outcome
from mlgate.flow.deploy.step_judge import RolloutJudge, TrafficRules

BEGAN = 1_800_000_000.0
PLAN = Plan((25, 100), 600.0, 300.0, BEGAN + 4 * 3600)
RULES = (Rule("error_rate", Bound.MAX, 0.01), Rule("error_rate", Bound.MAX_RISE, 0.005))
NOTHING = Traffic(why="Prometheus does not answer")


def candidate(name: str) -> Deployed:
    return Deployed(Release(), ({"kind": "Deployment", "metadata": {"name": name}},), name)


@dataclass
class Story:
    """A rollout whose cluster is always well, second by second."""

    share: float = 0.001
    """Of the candidate's requests that fail."""
    rate: float = 20.0
    counted: bool = True
    """Whether Prometheus has anything."""
    now: float = BEGAN
    record: ServiceRecord = field(
        default_factory=lambda: ServiceRecord(accepted=candidate("old")).begin(
            candidate("new"), Rollout(PLAN, BEGAN), mode="route", owner="me"
        )
    )
    reads: list[tuple[float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.judge = RolloutJudge(traffic=TrafficRules(RULES, self.read, 15.0, lambda: self.now))

    def read(self, _: ServiceRecord, since: float, until: float) -> Traffic:
        self.reads.append((since, until))
        if not self.counted:
            return NOTHING
        weight = self.rollout.weight / 100
        windows = range(int((until - since) // 15))
        mine, its = (self.rate * part * 15 for part in (weight, 1 - weight))
        return Traffic(
            (), tuple(TrafficWindow(since + 15 * (n + 1), 15.0, self.one(mine), self.other(its)) for n in windows)
        )

    def one(self, n: float) -> TrafficCounts:
        return TrafficCounts(n, n * self.share)

    def other(self, n: float) -> TrafficCounts:
        return TrafficCounts(n, n * 0.001)

    @property
    def rollout(self) -> Rollout:
        assert self.record.rollout is not None
        return self.record.rollout

    @property
    def phase(self) -> str:
        return self.rollout.state.phase.value

    def goes_on(self, seconds: float, step: float = 5.0) -> Judgement:
        """Let time pass until then, or until it is over. Return the last judgement."""
        until, found = self.now + seconds, Judgement(None)
        while self.now < until and not self.rollout.state.phase.is_over:
            self.now += step
            judged = self.rollout.state.phase in (Phase.CHECKING, Phase.HOLDING)
            found = self.judge.judge(self.record) if judged else Judgement(None)
            self.record = self.record.after(
                Reading(
                    at=self.now,
                    candidate=Health.READY,
                    stable=Health.READY,
                    weight=self.rollout.weight,
                    is_settled=True,
                    judged=found.outcome,
                    is_measured=found.is_measured,
                    why=found.why,
                )
            )
        return found


def test_a_good_candidate_is_promoted() -> None:
    story = Story()
    story.goes_on(4000)
    assert story.phase == "promoted"
    assert story.now < BEGAN + 1300


def test_a_bad_candidate_goes_back_long_before_its_step_is_over() -> None:
    story = Story(share=0.2)
    story.goes_on(4000)
    assert story.phase == "restored"
    assert story.now < BEGAN + 150
    assert "of those of the model that serves" in [state.why for state in story.rollout.states][-1]


def test_what_nobody_counted_is_never_promoted() -> None:
    story = Story(counted=False)
    story.goes_on(4000)
    assert story.phase == "restored"
    assert story.now < BEGAN + 1000
    why = story.rollout.states[-1].why
    assert why == "the step did not pass within 900 s: Prometheus does not answer"


@pytest.mark.parametrize("traffic", [Traffic(), Traffic((), (TrafficWindow(BEGAN, 15.0, None, None),) * 50)])
def test_an_empty_answer_is_never_promoted(traffic: Traffic) -> None:
    story = Story()
    story.judge = RolloutJudge(traffic=TrafficRules(RULES, lambda *_: traffic, 15.0, lambda: story.now))
    story.goes_on(4000)
    assert story.phase == "restored"


def test_too_little_traffic_waits_until_the_deadline() -> None:
    story = Story(rate=0.1)
    story.goes_on(3 * 3600, step=120.0)
    assert story.phase == "holding"
    story.goes_on(2 * 3600, step=120.0)
    assert story.phase == "restored"
    assert story.rollout.states[-1].why.startswith("the deadline passed before the step was over: ")


def test_a_short_outage_of_what_counts_is_waited_for_and_a_long_one_is_not() -> None:
    story = Story(rate=2.0)
    story.goes_on(1200)
    assert story.phase == "holding"
    story.counted = False
    story.goes_on(200)
    assert story.phase == "holding"
    story.counted = True
    story.goes_on(30)
    story.counted = False
    story.goes_on(330)
    assert story.phase == "restored"


def test_what_goes_wrong_after_an_hour_does_not_drown_in_that_hour() -> None:
    story = Story(rate=0.2)
    story.goes_on(3600, step=60.0)
    assert story.phase == "holding"
    story.rate, story.share = 20.0, 0.5
    begun = story.now
    healthy = Story.one

    def since_then(_: ServiceRecord, since: float, until: float) -> Traffic:
        windows = []
        for n in range(int((until - since) // 15)):
            at = since + 15 * (n + 1)
            mine = story.one(75.0) if at > begun else replace(healthy(story, 0.75), errors=0.0)
            windows.append(TrafficWindow(at, 15.0, mine, story.other(225.0)))
        return Traffic((), tuple(windows))

    story.judge = RolloutJudge(traffic=TrafficRules(RULES, since_then, 15.0, lambda: story.now))
    story.goes_on(300)
    assert story.phase == "restored"


def test_a_candidate_that_stops_answering_before_the_end_does_not_pass() -> None:
    story = Story()
    story.goes_on(500)
    begun = story.now

    def since_then(_: ServiceRecord, since: float, until: float) -> Traffic:
        at = [since + 15 * (n + 1) for n in range(int((until - since) // 15))]
        return Traffic(
            (), tuple(TrafficWindow(t, 15.0, story.one(75.0 if t < begun else 0.0), story.other(225.0)) for t in at)
        )

    story.judge = RolloutJudge(traffic=TrafficRules(RULES, since_then, 15.0, lambda: story.now))
    story.goes_on(200)
    assert story.phase == "holding"
    story.goes_on(600)
    assert story.phase == "restored"
    assert "within 900 s" in story.rollout.states[-1].why


def test_a_lull_at_night_is_waited_for() -> None:
    story = Story(rate=2.0)
    story.goes_on(900)
    story.rate = 0.0
    counted = story.read

    def since_then(record: ServiceRecord, since: float, until: float) -> Traffic:
        quiet = tuple(TrafficWindow(since + 15 * (n + 1), 15.0, story.one(0), story.other(0)) for n in range(20))
        return quiet_or(counted(record, since, until), quiet, since)

    def quiet_or(seen: Traffic, quiet: tuple[TrafficWindow, ...], since: float) -> Traffic:
        return seen if since < BEGAN + 60 else Traffic((), quiet)

    story.judge = RolloutJudge(traffic=TrafficRules(RULES, since_then, 15.0, lambda: story.now))
    story.goes_on(60)
    assert story.phase == "holding"


def asking_for_better(story: Story) -> Story:
    rules = (*RULES[:1], Rule("error_rate", Bound.SUPERIOR, 0.0))
    story.judge = RolloutJudge(traffic=TrafficRules(rules, story.read, 15.0, lambda: story.now))
    return story


def test_a_candidate_that_must_be_better_is_judged_when_its_time_is_over_and_not_later() -> None:
    story = asking_for_better(Story(share=0.001))
    story.goes_on(4000)
    assert story.phase == "restored"
    assert story.now < BEGAN + 700
    assert story.rollout.states[-1].why.startswith("the candidate is not shown better: ")


def test_a_candidate_that_is_better_is_promoted() -> None:
    story = asking_for_better(Story(share=0.0, rate=200.0))
    story.goes_on(4000)
    assert story.phase == "promoted"
    assert any(state.why.endswith(": it is shown better") for state in story.rollout.states)


def test_who_waits_for_another_rule_gets_no_second_look_at_whether_it_is_better() -> None:
    story = asking_for_better(Story(share=0.0, rate=20.0))
    few = Rule("requests", Bound.MIN, 1e6)
    rules = (few, Rule("error_rate", Bound.SUPERIOR, 0.0))
    begin = story.read

    def read(record: ServiceRecord, since: float, until: float) -> Traffic:
        seen = begin(record, since, until)
        windows = (
            replace(one, stable=TrafficCounts(225.0, 225.0 * 0.02)) if one.at <= BEGAN + 630 else one
            for one in seen.windows
        )
        return Traffic((), tuple(windows))

    story.judge = RolloutJudge(traffic=TrafficRules(rules, read, 15.0, lambda: story.now))
    story.goes_on(2000)
    assert story.phase == "holding"  # it was better when it was looked at, and is only as good since
    begun = story.record.rollout.state.since if story.record.rollout else 0.0
    assert (begun, begun + 600) in story.reads


def test_a_shadow_is_judged_by_copies_before_anything_is_shared() -> None:
    story = Story()
    plan = replace(PLAN, steps=(0, *PLAN.steps), opening=Opening.MIRRORED, opening_hold=300.0)
    begin = ServiceRecord(accepted=candidate("old")).begin(
        candidate("new"), Rollout(plan, BEGAN), mode="route", owner="me"
    )
    story.record = begin

    def copied(_: ServiceRecord, since: float, until: float) -> Traffic:
        mine = 300.0 if story.rollout.opening else 100.0
        at = [since + 15 * (n + 1) for n in range(int((until - since) // 15))]
        return Traffic((), tuple(TrafficWindow(t, 15.0, story.one(mine), story.other(300.0)) for t in at))

    rules = TrafficRules(RULES, copied, 15.0, lambda: story.now)
    story.judge = RolloutJudge(traffic=rules)
    story.goes_on(320)
    assert (story.phase, story.rollout.opening, story.rollout.weight) == ("holding", Opening.MIRRORED, 0)
    story.goes_on(4000)
    assert story.phase == "promoted"
    bad = Story(share=0.2, record=begin)
    bad.judge, story = RolloutJudge(traffic=replace(rules, now=lambda: bad.now)), bad
    bad.goes_on(4000)
    assert bad.phase == "restored"
    assert max(state.weight(plan) for state in bad.rollout.states) == 0


@pytest.mark.parametrize(("n", "ends"), [(0.0, "restored"), (1.0, "restored"), (5.0, "promoted")])
def test_an_audience_is_judged_by_what_there_is_of_it(n: float, ends: str) -> None:
    plan = replace(PLAN, steps=(0, 100), opening=Opening.AUDIENCE, opening_hold=600.0)
    begin = ServiceRecord(accepted=candidate("old")).begin(
        candidate("new"), Rollout(plan, BEGAN), mode="route", owner="me"
    )
    story = Story(record=begin)

    def asked(_: ServiceRecord, since: float, until: float) -> Traffic:
        mine = TrafficCounts(n if story.rollout.opening else 500.0, 0.0)
        at = [since + 15 * (index + 1) for index in range(int((until - since) // 15))]
        return Traffic((), tuple(TrafficWindow(t, 15.0, mine, story.other(300.0)) for t in at))

    rules = TrafficRules((Rule("error_rate", Bound.MAX, 0.05),), asked, 15.0, lambda: story.now)
    story.judge = RolloutJudge(traffic=rules)
    story.goes_on(4000, step=20.0)
    assert story.phase == ends, story.rollout.states[-2]


def test_a_first_model_is_held_against_limits_alone() -> None:
    story = Story(share=0.2)
    begin = ServiceRecord().begin(
        candidate("new"), Rollout(replace(PLAN, steps=(100,)), BEGAN), mode="route", owner="me"
    )
    story.record = begin
    story.goes_on(4000)
    assert story.phase == "restored"
    story = Story(share=0.001, record=begin)
    story.goes_on(4000)
    assert story.phase == "promoted"


def test_without_rules_a_step_passes_when_it_was_held() -> None:
    story = Story(counted=False)
    story.judge = RolloutJudge()
    story.goes_on(4000)
    assert story.phase == "promoted"
    assert not story.reads


def test_what_is_not_known_yet_of_the_candidate_is_asked_again() -> None:
    answers = [Judgement(None, "not yet"), Judgement(None, "not yet"), Judgement(Outcome.PASSED)]
    story = Story()
    story.judge = RolloutJudge(lambda _: answers.pop(0))
    story.goes_on(4000)
    assert story.phase == "promoted"
    assert not answers


def test_the_online_checks_are_asked_once() -> None:
    asked: list[ServiceRecord] = []

    def check(record: ServiceRecord) -> Judgement:
        asked.append(record)
        return Judgement(Outcome.PASSED, "fine")

    story = Story()
    story.judge = RolloutJudge(check)
    story.goes_on(4000)
    assert story.phase == "promoted"
    assert len(asked) == 1


def test_the_last_part_of_a_step_of_a_week_is_half_an_hour() -> None:
    assert [recent_span(hold, 15.0) for hold in (60.0, 1200.0, 7 * 86400.0)] == [180.0, 300.0, 1800.0]


@pytest.mark.parametrize("is_mirrored", [True, False])
def test_a_gateway_is_tried_before_users_requests_are_mirrored(is_mirrored: bool) -> None:
    opening = {"steps": (0, 25, 100), "opening": Opening.MIRRORED, "opening_hold": 60.0} if is_mirrored else {}
    story = Story()
    story.record = replace(story.record, rollout=Rollout(replace(PLAN, **opening), BEGAN))  # type: ignore[arg-type]
    fine = Judgement(Outcome.PASSED, "fine")
    story.judge = RolloutJudge(lambda _: fine, trial=lambda _: Judgement(None, "it cannot mirror requests"))
    story.goes_on(4000)
    assert story.phase == ("restored" if is_mirrored else "promoted")
    if is_mirrored:
        assert story.rollout.states[-1].why.endswith("it cannot mirror requests")
