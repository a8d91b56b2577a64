"""What Prometheus counted of a service, for who asks outside of a step: before a rollout, after it, and in between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from mlgate.adapters.process import clock
from mlgate.adapters.prometheus.traffic import MOST_WINDOWS
from mlgate.config.translate.rules import analysis_rules
from mlgate.core.deploy.release import Deployed, ServiceRecord
from mlgate.core.deploy.rollout import Phase
from mlgate.core.deploy.story import RolloutStory, StepRules
from mlgate.core.deploy.traffic import Traffic
from mlgate.core.errors import AdapterError
from mlgate.flow.deploy.forecast import long_steps
from mlgate.flow.deploy.step_judge import TrafficRules
from mlgate.wiring.deploy import Target
from mlgate.wiring.traffic import present_traffic

_MOST_KEPT = 1000
"""Windows of a rollout that are kept: as the steps were judged, scrape by scrape, for up to four hours of them."""


def story(target: Target, record: ServiceRecord, asked: Sequence[tuple[float, float]]) -> RolloutStory:
    """Return what is told of a rollout that is over, with what was counted from its first step on.

    *asked*: when others than users may have asked.
    """
    counted, judged_by = Traffic(), None
    for most in (_MOST_KEPT, MOST_WINDOWS):  # of many pods the finer answer may be larger than is taken
        rules = target.traffic_rules(most)
        if rules is not None and not counted.windows:
            counted, judged_by = _counted(rules, record, asked), StepRules(rules.rules, rules.lag)
    return RolloutStory.of(target.section.service, target.api.namespace, record, judged_by, counted)


def _counted(rules: TrafficRules, record: ServiceRecord, asked: Sequence[tuple[float, float]]) -> Traffic:
    assert record.rollout is not None
    states = record.rollout.states
    begin = next((state.since for state in states if state.step >= 0), None)
    if begin is None:
        return Traffic()
    promoted = record.rollout.state.phase is Phase.PROMOTED
    as_it_was = replace(record, accepted=record.previous) if promoted else record
    return rules.read(as_it_was, begin, states[-1].since).without(asked, rules.lag)


def watched(target: Target, record: ServiceRecord) -> tuple[Traffic, Traffic | None]:
    """Return what was counted of the model that serves: lately, and in the last step of its promotion."""
    rules, section = target.traffic_rules(), target.section.analysis
    assert rules is not None
    assert section is not None
    assert record.accepted is not None
    assert record.rollout is not None
    now = present_traffic(section, record.accepted, target.api.namespace, clock.seconds())
    states = record.rollout.states
    spans = [(a.since, b.since) for a, b in pairwise(states) if a.phase is Phase.HOLDING]
    if record.rollout.state.phase is not Phase.PROMOTED or not spans:
        return now, None
    return now, rules.read(replace(record, accepted=None), *spans[-1])


def foretold(target: Target, deployed: Deployed) -> Iterator[str]:
    """Yield what is to be said of the steps before they begin. Raises AdapterError where none could be judged."""
    section, now = target.section.analysis, clock.seconds()
    if section is None:
        return
    seen = present_traffic(section, deployed, target.api.namespace, now)
    if seen.why:
        raise AdapterError(
            f"no step could be judged: {seen.why.replace('the candidate', deployed.name)}",
            hint="is it scraped, and is `source` the one that counts its requests? nothing was changed",
        )
    plan = target.plan()
    yield from long_steps(plan, analysis_rules(target.config, section), seen, plan.deadline - now)
