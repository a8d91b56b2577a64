"""A rollout that was kept, judged by other rules: the judge of a live one, with a clock that is walked forward."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, takewhile

from mlgate.core.check import Rule
from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.deploy.replay import Replay, ReplayedStep, StepEnd
from mlgate.core.deploy.rollout import Health, Phase, Reading
from mlgate.core.deploy.story import RolloutStory
from mlgate.core.deploy.traffic import Traffic
from mlgate.core.errors import EvidenceError
from mlgate.flow.deploy.rollout import pause
from mlgate.flow.deploy.step_judge import RolloutJudge, TrafficRules

_MOST_TURNS = 5000
"""Of one step. Of a longer one the turns are further apart."""


def replay(story: RolloutStory, rules: Sequence[Rule]) -> Replay:
    """Judge each step by *rules*, on what was counted of it. Raises EvidenceError where nothing was.

    Both models are taken to have been ready. The plan, the windows and the times at which a step is looked at are those
    of the rollout, so the rules that it had come to what they came to then.
    """
    if story.judged_by is None or not story.traffic.windows:
        why = story.traffic.why or "it had no `deploy.analysis`, or ended before its first step"
        raise EvidenceError(
            f"nothing was counted of users' requests in this rollout: {why}",
            hint="only a rollout with deploy.analysis can be judged by other rules",
        )
    return Replay(tuple(_steps(story, rules, story.judged_by.interval)), story.rollout.plan.steps)


def _steps(story: RolloutStory, rules: Sequence[Rule], interval: float) -> Iterator[ReplayedStep]:
    states = story.rollout.states
    for turn, (state, after) in enumerate(pairwise(states)):
        if state.phase is Phase.HOLDING:
            then = StepEnd(after.phase is not Phase.RESTORING, after.since - state.since, after.why)
            step = ReplayedStep(state.weight(story.rollout.plan), then, _judged(story, rules, interval, turn))
            yield step
            if step.now.passed is False:
                return


def _judged(story: RolloutStory, rules: Sequence[Rule], interval: float, turn: int) -> StepEnd:
    """Return how the step comes out that began after so many readings: at each of its turns the judge is asked."""
    record, end = story.at(turn), story.rollout.states[turn + 1].since
    assert record.rollout is not None
    began, now = record.rollout.state.since, 0.0

    def read(of: ServiceRecord, since: float, until: float) -> Traffic:
        return story.traffic.reread(since, until, compares=of.accepted is not None)

    judge = RolloutJudge(traffic=TrafficRules(tuple(rules), read, interval, lambda: now))
    turns = max(pause(record), interval, (end - began) / _MOST_TURNS)
    why = ""
    for now in (*takewhile(lambda at: at < end, (began + turns * n for n in range(1, _MOST_TURNS))), end):
        found = judge.judge(record)
        after = record.after(
            Reading(
                at=now,
                candidate=Health.READY,
                stable=Health.READY,
                weight=record.rollout.weight,
                judged=found.outcome,
                is_measured=found.is_measured,
                why=found.why,
            )
        )
        if after is not record:
            assert after.rollout is not None
            state = after.rollout.state
            return StepEnd(state.phase is not Phase.RESTORING, now - began, state.why)
        why = found.why
    return StepEnd(None, end - began, why)
