"""How long a rollout's steps will last, at the traffic that is there: the judge is asked about what is expected."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from mlgate.core.check import Bound, Rule
from mlgate.core.deploy.forecast import StepForecast
from mlgate.core.deploy.looks import GROWTH, last_look
from mlgate.core.deploy.rollout import ALL, Opening, Phase, Plan, State
from mlgate.core.deploy.story import RolloutStory, added
from mlgate.core.deploy.traffic import Traffic, TrafficCounts, TrafficWindow
from mlgate.core.outcome import Outcome
from mlgate.core.stats.shares import MOST_BLOCKS
from mlgate.flow.deploy.judge_traffic import REQUESTS, judge_traffic
from mlgate.flow.deploy.step_question import step_name, step_question

_PRUDENT = 0.5
"""The judge is asked about so much of the expected traffic: half of all candidates would need more than the whole."""


def long_steps(plan: Plan, rules: Sequence[Rule], seen: Traffic, limit: float) -> Iterator[str]:
    """Yield a sentence for each step that a candidate like what serves will not have passed when its time is over.

    *seen*: what serves, as the only model that was counted, in `candidate`. *limit*: seconds that the whole may take.
    """
    rate = rate_of(seen)
    if not rate > 0:
        yield "nobody asks the service now: a step without requests is never passed"
        return
    for step, some in groupby(step_forecasts(plan, rules, seen, limit), key=lambda one: one.step):
        longest, least = max(some, key=lambda one: one.after), plan.least(step)
        if longest.after <= least:
            continue
        rule = longest.rule
        named = f"{step_name(plan, step)}: at {rate:.3g} requests/s {rule.metric} {rule.limit_text}"
        if longest.why:
            yield f"{named} cannot be judged: {longest.why}"
        elif longest.after > limit:
            then = "the step waits on" if plan.outlasts else "a candidate like what serves would go back"
            yield f"{named} is not settled before the deadline: {then}"
        else:
            yield f"{named} takes about {_minutes(longest.after)}, longer than it holds ({_minutes(least)})"


def step_forecasts(plan: Plan, rules: Sequence[Rule], seen: Traffic, limit: float) -> Iterator[StepForecast]:
    """Yield when each rule will pass each step, for a candidate like what serves, at the rate that it was *seen* at."""
    rate = rate_of(seen)
    assert rate > 0
    second = at_rate(seen, rate)
    for index, weight in enumerate(plan.steps):
        opening = plan.opening if index == 0 else None
        if opening is Opening.AUDIENCE:
            continue  # nobody knows how much an audience asks
        share = 1.0 if opening else weight / ALL
        for rule in rules:
            if weight < ALL or not rule.bound.compares:
                after, why = _lasts(plan, index, rule, second, limit)
                yield StepForecast(index, weight, rule, after, rate * share * after, why)


def rate_of(seen: Traffic) -> float:
    """Return the requests a second of the one model that was counted; 0 for none."""
    known = [one for one in seen.windows if one.candidate is not None]
    seconds = sum(one.seconds for one in known)
    whole = added([one.candidate for one in known])
    return whole.requests / seconds if whole is not None and seconds > 0 else 0.0


def at_rate(seen: Traffic, rate: float) -> Traffic:
    """Return one second of the one model that was counted, as if it had been asked so often. It had requests."""
    whole = added([one.candidate for one in seen.windows if one.candidate is not None])
    assert whole is not None
    return Traffic(seen.edges_ms, (TrafficWindow(1.0, 1.0, _scaled(whole, rate / whole.requests), None),))


def serving(story: RolloutStory) -> Traffic:
    """Return a second of the service as a rollout left it: the model that serves since, asked for both."""
    both = [one for one in story.traffic.windows if one.candidate and (one.stable or not story.stable)]
    alone = [
        replace(one, candidate=one.candidate if story.is_promoted or not story.stable else one.stable) for one in both
    ]
    seconds = sum(one.seconds for one in both)
    requests = sum(side.requests for one in both for side in (one.candidate, one.stable) if side)
    seen = replace(story.traffic, windows=tuple(alone))
    return at_rate(seen, requests / seconds) if rate_of(seen) > 0 else Traffic()


def assumed(rate: float, error_rate: float) -> Traffic:
    """Return a second of a service of which nobody knows more than this."""
    return Traffic((), (TrafficWindow(1.0, 1.0, TrafficCounts(rate, rate * error_rate), None),))


def _lasts(plan: Plan, step: int, rule: Rule, second: Traffic, limit: float) -> tuple[float, str]:
    """Return after how many seconds the rule passes; infinite when not before the limit, and why when never."""
    each_second = second.windows[0].candidate
    assert each_second is not None
    state, hold = State(Phase.HOLDING, 0.0, step), plan.least(step)
    after, weight = hold, plan.steps[step] / ALL
    share = 1.0 if state.opening(plan) else weight  # each request is the candidate's, too
    prudent = 1.0 if rule.metric == REQUESTS.name else _PRUDENT  # how many there will be is no matter of luck
    while after < limit:
        look = last_look(after, hold)
        assert look is not None
        mine = _scaled(each_second, prudent * share * look.after / MOST_BLOCKS)
        its = _scaled(each_second, prudent * (1 - weight) * look.after / MOST_BLOCKS)
        window = TrafficWindow(look.after, look.after / MOST_BLOCKS, mine, its)
        question = step_question(plan, state, look, has_stable=weight < 1)
        (found,) = judge_traffic(question, [rule], Traffic(second.edges_ms, (window,) * MOST_BLOCKS))
        if found.outcome is Outcome.ERRORED or found.topic == "coarse":
            return math.inf, found.why
        if not found.outcome.blocks or rule.bound is Bound.SUPERIOR:  # one look decides, and no later one
            return look.after, ""
        after *= GROWTH
    return math.inf, ""


def _scaled(counts: TrafficCounts, by: float) -> TrafficCounts:
    slower = tuple(one * by for one in counts.slower)
    return TrafficCounts(counts.requests * by, counts.errors * by, slower, counts.timed * by, counts.took_ms * by)


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"  # noqa: PLR2004 - a minute and a half
