"""Judging a step of a rollout by users' requests: the candidate's against limits, and against those of what serves.

Everything is a share of requests: of those that failed, or of those that took longer than an edge of the histogram. A
p95 is at most 300 ms exactly where at most 5 % took longer, and that can be tested. What a histogram says a percentile
is, cannot: it may be wrong by the width of its bucket.

What is asked of a step is whether the next one may be taken. A candidate that then gets 25 % of the requests makes the
service worse by a quarter of what it is worse by itself. So to go on, the service as a whole must keep the rule, and
before the candidate gets everything it must keep the rule itself. To go back it is enough that the candidate is shown
to break the rule.

`superior` asks for more: before it gets everything, the candidate must be shown better. That is looked at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mlgate.core.check import Bound, Rule
from mlgate.core.deploy.traffic import Latencies, Traffic, TrafficCounts, counted, latencies
from mlgate.core.latency.metrics import timing
from mlgate.core.metric import ERROR_RATE, Better, Metric
from mlgate.core.outcome import Outcome
from mlgate.core.stats.shares import FEWEST_BLOCKS, Counted, least_more, least_share, most_more, share_bounds
from mlgate.core.verdict import Finding, Measurement, unmeasured
from mlgate.flow.deploy.share_test import ShareTest, percent, points
from mlgate.flow.deploy.step_question import StepQuestion, missing_requests

REQUESTS = Metric("requests", "", Better.HIGHER)
"""How many requests of users the candidate answered in a step."""
FAILING_TAIL = 0.0025
"""How often one rule may take back a candidate that keeps it, over all looks at a step."""
SIGNATURE = "users' requests"


@dataclass(frozen=True, slots=True)
class _Side:
    """One model, in the windows that count."""

    windows: Sequence[TrafficCounts | None]
    times: Latencies

    @property
    def requests(self) -> float:
        return counted(self.windows).n


def judge_traffic(question: StepQuestion, rules: Sequence[Rule], traffic: Traffic) -> tuple[Finding, ...]:
    """Hold what was counted until the look against each rule. What was not measured is ERRORED, and no rule softens it.

    Before the step's time is over nothing passes. Rules that compare are left out where nothing serves beside.
    """
    asked = [rule for rule in rules if question.compares or not rule.bound.compares]
    if traffic.why:
        return tuple(unmeasured(question.check, rule, traffic.why) for rule in asked)
    judge = _Judge(question, traffic)
    return tuple(judge.hold(rule) for rule in asked)


class _Judge:
    """One look at one step."""

    def __init__(self, question: StepQuestion, traffic: Traffic) -> None:
        self._question = question
        self._traffic, self._edges = traffic, traffic.edges_ms
        known = [
            one
            for one in traffic.windows
            if one.candidate is not None and (one.stable is not None or not question.compares)
        ]
        self._windows = len(known)
        self._candidate = self._side([one.candidate for one in known])
        self._stable = self._side([one.stable for one in known]) if question.compares else None

    def hold(self, rule: Rule) -> Finding:
        """Return what one rule says of this step."""
        if rule.metric == REQUESTS.name:
            return self._hold_requests(rule)
        lacking = self._lacking(rule)
        if lacking:
            return unmeasured(self._question.check, rule, lacking)
        found = self._failures(rule) if rule.metric == ERROR_RATE.name else self._times(rule)
        if isinstance(found, Finding):
            return found
        if isinstance(found, str):
            return unmeasured(self._question.check, rule, found)
        passing, failing = found
        return (failing and self._broken(failing)) or self._kept(passing)

    def _lacking(self, rule: Rule) -> str:
        """Return what is missing to hold a rule at all."""
        missing = missing_requests(self._question, self._traffic)
        if missing:
            return missing
        if self._stable is not None and not self._stable.requests > 0:
            return "the model that serves had no requests"
        if self._windows < FEWEST_BLOCKS:
            return (
                f"{rule.metric} was read {self._windows} times since the step began: {FEWEST_BLOCKS} times are needed"
            )
        return ""

    def _hold_requests(self, rule: Rule) -> Finding:
        n = self._candidate.requests
        if not n > 0:
            return unmeasured(self._question.check, rule, "the candidate had no requests")
        one = Measurement(self._question.check, rule.metric, REQUESTS, n, 1, math.nan, math.nan, SIGNATURE)
        if n >= rule.limit and self._question.look.passing_part:
            why = f"the candidate had {n:,.0f} requests: {rule.limit_text} is kept"
            return Finding(one.check, rule, Outcome.PASSED, why, rule.bound.value, measured=one)
        why = f"the candidate had {n:,.0f} requests so far: {rule.limit_text} is asked for"
        return Finding(one.check, rule, rule.when_inconclusive, why, "too-few", measured=one)

    def _failures(self, rule: Rule) -> tuple[ShareTest, ShareTest]:
        mine, beside = counted(self._candidate.windows), self._stable
        its = counted(beside.windows) if beside else None
        before = self._measured(rule, ERROR_RATE, its.share, its) if its else None
        test = ShareTest(
            rule=rule,
            metric=ERROR_RATE,
            verb="failed",
            mine=mine,
            its=its,
            most=rule.limit,
            to_go_on=self._to_go_on(rule, its),
            value=self._measured(rule, ERROR_RATE, mine.share, mine),
            before=before,
        )
        return test, test

    def _times(self, rule: Rule) -> tuple[ShareTest, ShareTest | None] | Finding | str:
        """Return the questions to go on and to go back: they differ where no edge is where the limit is."""
        asked = timing(rule.metric)
        assert asked is not None  # the configuration takes no other name
        if not self._edges:
            return "the metrics have no histogram of times, or not all pods have it whole"
        if not all(side.times.slower[0].n > 0 for side in (self._candidate, self._stable) if side):
            return "no request of one of the models is in the histogram of times"
        if rule.bound.compares:
            assert self._stable is not None
            edge = self._stable.times.nearest_edge(asked.quantile)
            if edge is None:
                before = self._percentile(rule, asked.metric, self._stable.times, asked.quantile)
                between = f"between {before.low:g} and {before.high:g} ms"
                why = f"the histogram is too coarse for {rule.metric}: what serves has it {between}"
                outcome = rule.on_breach if self._is_decided(rule) else rule.when_withheld
                return Finding(before.check, rule, outcome, why, "coarse", baseline=before)
            test = self._slower(rule, asked.metric, asked.quantile, edge)
            return test, test
        below = [index for index, edge in enumerate(self._edges) if edge <= rule.limit]
        above = [index for index, edge in enumerate(self._edges) if edge >= rule.limit]
        if not below:
            return f"the histogram's first bucket ends at {self._edges[0]:g} ms: it cannot show {rule.limit:g} ms"
        passing = self._slower(rule, asked.metric, asked.quantile, below[-1])
        failing = self._slower(rule, asked.metric, asked.quantile, above[0]) if above else None
        return passing, failing

    def _slower(self, rule: Rule, metric: Metric, q: float, edge: int) -> ShareTest:
        mine, its = self._candidate.times, self._stable.times if self._stable else None
        beside = its.slower[edge] if its else None
        if rule.bound.compares:
            assert its is not None
            most = _slower_by(rule, its, edge)
            to_go_on = most / self._question.next_share
        else:
            most = 1 - q
            to_go_on = _diluted(most, beside, self._question.next_share)
        return ShareTest(
            rule=rule,
            metric=metric,
            verb=f"took longer than {self._edges[edge]:g} ms",
            mine=mine.slower[edge],
            its=beside,
            most=most,
            to_go_on=to_go_on,
            value=self._percentile(rule, metric, mine, q),
            before=self._percentile(rule, metric, its, q) if its else None,
        )

    def _to_go_on(self, rule: Rule, its: Counted | None) -> float:
        share = self._question.next_share
        return rule.limit / share if rule.bound.compares else _diluted(rule.limit, its, share)

    def _measured(self, rule: Rule, metric: Metric, value: float, of: Counted) -> Measurement:
        ends = share_bounds(of, (1 - rule.confidence) / 2)
        return Measurement(
            self._question.check, rule.metric, metric, value, round(of.n), ends.low, ends.high, SIGNATURE
        )

    def _percentile(self, rule: Rule, metric: Metric, of: Latencies, q: float) -> Measurement:
        """Return a percentile as the histogram has it: its interval is the bucket that it lies in."""
        value, low, high = of.quantile(q)
        n = round(of.slower[0].n)
        return Measurement(self._question.check, rule.metric, metric, value, n, low, high, SIGNATURE)

    def _blameless(self, test: ShareTest) -> Finding:
        """Conclude that what serves breaks the rule as well, and is not shown better: the candidate is not to blame."""
        assert test.its is not None
        why = (
            f"{test.seen}, which breaks {test.rule.limit_text}, too: the candidate is not shown worse, and gets no "
            "more traffic until that is mended"
        )
        return self._finding(test, Outcome.INCONCLUSIVE, why, "stable-is-bad")

    def _broken(self, test: ShareTest) -> Finding | None:
        """Return the finding that takes the candidate back, where it is certain by now."""
        if not test.best > test.most:
            return None
        tail, compares = FAILING_TAIL * self._question.look.failing_part, test.rule.bound.compares
        more = least_more(test.mine, test.its, tail) if test.its is not None else math.inf
        low = more if compares else least_share(test.mine, tail)
        certain = 0.0 if compares and test.metric.unit != "ms" else test.most  # what a bucket allows is a guess
        if not low > certain:
            return None
        if not more > 0:
            assert test.its is not None
            return self._blameless(test) if test.its.share > test.most else None
        least = f"{points(test.best)}, at least {points(low)}" if compares else f"at least {percent(low)}"
        why = f"{test.seen}: {least}, and {test.allowed(test.most)}"
        return self._finding(test, test.rule.on_breach, why, test.rule.bound.value)

    def _is_decided(self, rule: Rule) -> bool:
        """Whether this look at a rule is its only one: it decides, whatever it shows."""
        is_only = rule.bound is Bound.SUPERIOR and self._question.next_share >= 1
        return is_only and bool(self._question.look.passing_part)

    def _better(self, test: ShareTest) -> Finding:
        """Return the finding of a rule that asks for a better candidate: shown so, or not."""
        assert test.its is not None
        high = most_more(test.mine, test.its, (1 - test.rule.confidence) / 2)
        slower = self._slower_mean(test)
        if high < 0 and not slower:
            why = f"{test.seen}: {points(test.best)}, at most {points(high)}: it is shown better"
            return self._finding(test, Outcome.PASSED, why, "superior")
        lacks = slower or f"{points(test.best)}, and it may be {points(high)}"
        why = f"the candidate is not shown better: {test.seen}: {lacks}"
        return self._finding(test, test.rule.on_breach, why, "superior")

    def _kept(self, test: ShareTest) -> Finding:
        """Return the finding of a rule that is not broken: kept for certain, or not settled."""
        rule, look = test.rule, self._question.look
        if not look.passing_part:
            why = f"{test.seen}, and nothing is concluded before the step's time is over"
            return self._finding(test, rule.when_inconclusive, why, "early")
        if self._is_decided(rule):
            return self._better(test)
        if rule.bound is Bound.SUPERIOR:
            why = f"{test.seen}: not shown worse, and it must be shown better before it gets all of the traffic"
            return self._finding(test, Outcome.PASSED, why, "superior")
        tail = look.passing_part * (1 - rule.confidence) / 2
        if rule.bound.compares:
            assert test.its is not None
            high, known = most_more(test.mine, test.its, tail), f"{points(test.best)}, "
        else:
            high = share_bounds(test.mine, tail).high
            known = ""
        most = points(high) if rule.bound.compares else percent(high)
        slower = self._slower_mean(test)
        if slower:
            return self._finding(test, rule.when_withheld, f"{test.seen}; {slower}", "mean")
        if high <= test.to_go_on:
            why = f"{test.seen}: {known}at most {most}, and {test.allowed(test.to_go_on)}{self._exposed()}"
            return self._finding(test, Outcome.PASSED, why, rule.bound.value)
        why = f"{test.seen}: {known}it may be {most}, and {test.allowed(test.to_go_on)}{self._exposed()}"
        return self._finding(test, rule.when_inconclusive, why, "inconclusive")

    def _slower_mean(self, test: ShareTest) -> str:
        """Return why a rise of times is not kept although the edges say so: the mean, which buckets do not hide."""
        if test.metric.unit != "ms" or not test.rule.bound.compares or self._stable is None:
            return ""
        mine, its, rule = self._candidate.times.mean_ms, self._stable.times.mean_ms, test.rule
        allowed = rule.limit / self._question.next_share
        most = its * (1 + allowed) if rule.relative else its + allowed
        if not mine > most:
            return ""
        return f"the mean rose from {its:.3g} to {mine:.3g} ms, more than {rule.limit_text} allows{self._exposed()}"

    def _exposed(self) -> str:
        share = self._question.next_share
        return f" for the next step, where it gets {share:.0%}" if share < 1 else ""

    def _finding(self, test: ShareTest, outcome: Outcome, why: str, topic: str) -> Finding:
        return Finding(self._question.check, test.rule, outcome, why, topic, "", test.value, test.before)

    def _side(self, windows: Sequence[TrafficCounts | None]) -> _Side:
        return _Side(windows, latencies(self._edges, windows))


def _diluted(most: float, its: Counted | None, share: float) -> float:
    """Return which share the candidate may have for all requests together to have at most *most*."""
    return most if its is None else max(most, (most - (1 - share) * its.share) / share)


def _slower_by(rule: Rule, its: Latencies, edge: int) -> float:
    """Return how many more requests take longer than an edge when all times rise by what the rule allows."""
    at = its.edges_ms[edge]
    before = at / (1 + rule.limit) if rule.relative else max(0.0, at - rule.limit)
    return its.survival(before) - its.slower[edge].share
