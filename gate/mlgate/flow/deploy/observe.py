"""A rollout that somebody else moves, judged like one of mlgate's own: each weight is a step, from when it was seen.

Nothing is written and nothing is moved. What cannot be seen is not known, and never passed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mlgate.core.check import Rule
from mlgate.core.deploy.mode import REPLICAS, ROUTE
from mlgate.core.deploy.observed import ObservedCounts, ObservedRollout, ObservedVerdict
from mlgate.core.deploy.ports import Judgement
from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.deploy.rollout import ALL, Health, Plan, Reading, Rollout
from mlgate.core.deploy.traffic import Traffic, TrafficCounts, counted, latencies
from mlgate.core.errors import AdapterError, Denied, EvidenceError
from mlgate.core.latency.metrics import timing
from mlgate.core.outcome import Outcome
from mlgate.flow.deploy.step_judge import RolloutJudge, TrafficRules


@dataclass(frozen=True, slots=True)
class ObservedPlan:
    """What the file says of steps that somebody else takes."""

    steps: tuple[int, ...]
    """Percent. What comes after a weight that is none of them is taken to be all of the traffic."""
    hold: float
    """Seconds that a weight has to last before it can pass."""
    patience: float

    def at(self, weight: int) -> Plan:
        """Return the plan of a rollout whose first step is this weight."""
        later = self.steps if weight in self.steps else (ALL,)
        return Plan((weight, *(step for step in later if step > weight)), self.hold, self.patience, math.inf)


class RolloutObserver:
    """Looks, as often as it is asked to. It remembers since when a weight has been seen."""

    def __init__(
        self,
        see: Callable[[], ObservedRollout],
        rules: TrafficRules,
        plan: ObservedPlan,
        now: Callable[[], float],
        lasted: float = 0.0,
    ) -> None:
        """*lasted*: seconds that the weight that is seen first has had already, as somebody says who knows."""
        self._see, self._rules, self._plan, self._now = see, rules, plan, now
        self._lasted = lasted
        self._step: tuple[str, str, int] | None = None
        self._since = 0.0
        self._judge = RolloutJudge()
        self._counted = Traffic()

    def look(self) -> ObservedVerdict:
        """Return how the step that is seen now has come out so far."""
        try:
            seen = self._see()
        except (AdapterError, Denied, EvidenceError) as error:
            seen = ObservedRollout(why=str(error))
        at = self._now()
        if seen.weight == 0:
            self._step = None  # what comes next is another step, though it may have the same weight
        if seen.step is None or not seen.weight:
            return ObservedVerdict(seen, *_without_traffic(seen), at=at)
        if seen.step != self._step:
            self._begin(seen, at)
        found = self._judge.judge(_record(seen, self._plan.at(seen.weight), self._since))
        outcome, why = _concluded(seen, found)
        return ObservedVerdict(seen, outcome, why, self._since, at, _counts(self._rules.rules, self._counted))

    def _begin(self, seen: ObservedRollout, at: float) -> None:
        """Begin a step: of the one before nothing is kept."""
        self._since, self._lasted = at - self._lasted, 0.0
        self._step, self._counted = seen.step, Traffic()
        self._judge = RolloutJudge(traffic=replace(self._rules, read=self._read))

    def _read(self, record: ServiceRecord, since: float, until: float) -> Traffic:
        found = self._rules.read(record, since, until)
        if since == self._since:
            self._counted = found
        return found


def _without_traffic(seen: ObservedRollout) -> tuple[Outcome | None, str]:
    """Return what is to be said of a rollout in which nothing can be counted."""
    if seen.candidate_health is Health.BROKEN:
        return Outcome.FAILED, seen.why or "the candidate is broken"
    if seen.candidate is None:
        return None, seen.why or "nobody says which two models it is of"
    return None, seen.why or "the candidate has no traffic"


def _concluded(seen: ObservedRollout, found: Judgement) -> tuple[Outcome | None, str]:
    """Return the outcome. It passes only with both models ready; what is not known waits."""
    if seen.candidate_health is Health.BROKEN:
        return Outcome.FAILED, seen.why or "the candidate is broken"
    if found.outcome is Outcome.FAILED:
        return Outcome.FAILED, found.why
    if seen.candidate_health is not Health.READY or seen.stable_health not in (Health.READY, Health.ABSENT):
        return None, seen.why or "one of the models is not ready"
    if found.outcome is None or found.outcome.blocks:
        return None, found.why
    return Outcome.PASSED, found.why


def _record(seen: ObservedRollout, plan: Plan, since: float) -> ServiceRecord:
    """Return the record of a rollout whose first step holds since then."""
    stable = Health.ABSENT if seen.stable is None else Health.READY
    ready = Reading(since, Health.READY, stable, 0, judged=Outcome.PASSED)
    history = (ready, ready, replace(ready, weight=plan.steps[0]))
    return ServiceRecord(
        mode=ROUTE if seen.is_exact else REPLICAS,
        accepted=seen.stable,
        candidate=seen.candidate,
        rollout=Rollout(plan, since, history),
    )


def _counts(rules: Sequence[Rule], traffic: Traffic) -> dict[str, ObservedCounts]:
    """Return what was counted of each model in the windows in which it was."""
    sides = {
        "candidate": [one.candidate for one in traffic.windows],
        "stable": [one.stable for one in traffic.windows],
    }
    names = list(dict.fromkeys(rule.metric for rule in rules))
    return {
        side: _of(names, traffic.edges_ms, windows)
        for side, windows in sides.items()
        if any(one is not None for one in windows)
    }


def _of(names: Sequence[str], edges: Sequence[float], windows: Sequence[TrafficCounts | None]) -> ObservedCounts:
    found = counted(windows)
    asked = [(name, timing(name)) for name in names]
    of = latencies(edges, windows)
    is_timed = bool(edges) and of.slower[0].n > 0
    times = tuple((name, of.quantile(one.quantile)[0]) for name, one in asked if one and one.quantile and is_timed)
    return ObservedCounts(float(found.n), float(found.hits.sum()), times)
