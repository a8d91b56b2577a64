"""A rollout whose cluster is always well, judged live by requests that are drawn, and what is kept of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from mlgate.core.check import Bound, Rule
from mlgate.core.deploy.mode import ROUTE
from mlgate.core.deploy.ports import Judgement
from mlgate.core.deploy.release import Deployed, Release, ServiceRecord
from mlgate.core.deploy.rollout import Health, Phase, Plan, Reading, Rollout
from mlgate.core.deploy.story import RolloutStory, StepRules
from mlgate.core.deploy.traffic import Traffic, TrafficCounts, TrafficWindow
from mlgate.flow.deploy.step_judge import RolloutJudge, TrafficRules

BEGAN = 1_800_000_000.0
INTERVAL = 15.0
EDGES = (50.0, 100.0, 250.0)
BEYOND = (0.6, 0.15, 0.01)
"""Which shares of the requests take longer than each edge."""
PLAN = Plan((5, 25, 100), 600.0, 300.0, BEGAN + 4 * 3600)
RULES = (
    Rule("error_rate", Bound.MAX, 0.01),
    Rule("error_rate", Bound.MAX_RISE, 0.005),
    Rule("p95_ms", Bound.MAX, 250.0),
)


def model(name: str) -> Deployed:
    return Deployed(Release(image=f"registry.example.com/{name}@sha256:{'1' * 64}", verdict="2" * 64), ({},), name)


@dataclass
class SimulatedRollout:
    """One service; call `run` once."""

    share: float = 0.002
    """Of the candidate's requests that fail."""
    rate: float = 20.0
    """Requests a second, of both."""
    plan: Plan = PLAN
    rules: Sequence[Rule] = RULES
    mode: str = ROUTE
    is_first: bool = False
    """Nothing serves beside the candidate."""
    outage: tuple[float, float] = (math.inf, math.inf)
    """From when until when nobody counts: seconds after the beginning."""
    worse_from: float = 0.0
    """Before that the candidate is like what serves."""
    seed: int = 0
    windows: list[TrafficWindow] = field(default_factory=list)
    now: float = BEGAN

    def run(self) -> RolloutStory:
        """Let time pass until it is over, scrape by scrape."""
        rng = np.random.default_rng(self.seed)
        plan = Plan((100,), self.plan.hold, self.plan.patience, self.plan.deadline) if self.is_first else self.plan
        record = ServiceRecord(accepted=None if self.is_first else model("old"))
        record = record.begin(model("new"), Rollout(plan, BEGAN), mode=self.mode, owner="me")
        judge = RolloutJudge(traffic=TrafficRules(tuple(self.rules), self.read, INTERVAL, lambda: self.now))
        while record.is_under_way:
            assert record.rollout is not None
            self.now += INTERVAL
            weight = record.rollout.weight
            if weight:
                self.windows.append(self.window(weight / 100, rng))
            judged = record.rollout.state.phase in (Phase.CHECKING, Phase.HOLDING)
            found = judge.judge(record) if judged else Judgement(None)
            record = record.after(
                Reading(
                    at=self.now,
                    candidate=Health.READY,
                    stable=Health.ABSENT if self.is_first else Health.READY,
                    weight=weight,
                    is_settled=True,
                    judged=found.outcome,
                    is_measured=found.is_measured,
                    why=found.why,
                )
            )
        kept = Traffic(EDGES, tuple(self.windows))
        return RolloutStory.of("summarizer", "models", record, StepRules(tuple(self.rules), INTERVAL), kept)

    def read(self, record: ServiceRecord, since: float, until: float) -> Traffic:
        seen = Traffic(EDGES, tuple(self.windows))
        return seen.reread(since, until, compares=record.accepted is not None) if self.windows else Traffic()

    def window(self, part: float, rng: np.random.Generator) -> TrafficWindow:
        begin, end = self.outage
        share = self.share if self.now >= BEGAN + self.worse_from else 0.002
        mine, its = self.counts(part, share, rng), None if self.is_first else self.counts(1 - part, 0.002, rng)
        if begin <= self.now - BEGAN < end:
            mine, its = None, None
        return TrafficWindow(self.now, INTERVAL, mine, its)

    def counts(self, part: float, share: float, rng: np.random.Generator) -> TrafficCounts | None:
        n = int(rng.poisson(self.rate * part * INTERVAL))
        times = rng.exponential(1.0, n)
        slower = tuple(float((times > -math.log(beyond)).sum()) for beyond in BEYOND)
        return TrafficCounts(float(n), float(rng.binomial(n, share)), slower, float(n), float(times.sum()) * 60)
