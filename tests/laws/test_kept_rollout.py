"""A rollout that is kept: it survives its JSON, and judged by its own rules it comes to what it came to."""

from __future__ import annotations

import json
import math
from dataclasses import replace

from hypothesis import event, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from tests.laws.test_rollout import BEGAN, stories, well
from tests.support.simulated_rollout import SimulatedRollout

from mlgate.core.check import Bound, Rule
from mlgate.core.deploy.mode import REPLICAS, ROUTE
from mlgate.core.deploy.release import Deployed, Release, ServiceRecord
from mlgate.core.deploy.rollout import Plan, Rollout
from mlgate.core.deploy.story import RolloutStory, StepRules
from mlgate.core.deploy.traffic import Traffic, TrafficCounts, TrafficWindow
from mlgate.core.outcome import Outcome
from mlgate.flow.deploy.replay import replay
from mlgate.reports.json_v1 import rollout as json_v1

VALIDATOR = Draft202012Validator(json_v1.schema())
numbers = st.floats(0, 1e9)
rules = st.builds(
    Rule,
    st.sampled_from(["error_rate", "p95_ms", "requests"]),
    st.sampled_from(Bound),
    st.floats(allow_nan=False),
    st.booleans(),
    on_breach=st.sampled_from([Outcome.FAILED, Outcome.WARNED]),
    where=st.text(max_size=5),
)
releases = st.builds(Release, *[st.text(max_size=8)] * 6)
models = st.builds(Deployed, releases, st.just(({"kind": "Secret"},)), st.text(max_size=8), st.booleans())


@st.composite
def traffics(draw: st.DrawFn) -> Traffic:
    edges = tuple(sorted(draw(st.sets(st.floats(0.1, 1e6), max_size=3))))

    def side() -> TrafficCounts | None:
        errors, requests = sorted(draw(st.tuples(numbers, numbers)))
        timed, *slower = sorted(draw(st.tuples(*[numbers] * (len(edges) + 1))), reverse=True)
        counts = TrafficCounts(requests, errors, tuple(slower), timed, draw(numbers | st.just(math.nan)))
        return draw(st.sampled_from([counts, None]))

    windows = tuple(TrafficWindow(BEGAN + 15 * n, 15.0, side(), side()) for n in range(draw(st.integers(0, 3))))
    return Traffic(edges, windows, draw(st.sampled_from(["", "Prometheus did not answer"])))


@st.composite
def kept(draw: st.DrawFn) -> RolloutStory:
    plan, readings = draw(stories())
    rollout = Rollout(plan, BEGAN)
    for reading in readings:
        rollout = rollout.after(reading)
    for _ in range(2):
        rollout = rollout.after(replace(well(rollout), at=plan.deadline + 1, stop="it is late"))
    record = ServiceRecord("route", draw(st.none() | models), draw(st.none() | models), draw(models), rollout, "me")
    judged_by = draw(st.none() | st.builds(StepRules, st.lists(rules, max_size=3).map(tuple), numbers))
    return RolloutStory.of(draw(st.text(max_size=8)), "models", record, judged_by, draw(traffics()))


@given(kept())
def test_a_rollout_survives_its_json(story: RolloutStory) -> None:
    text = json_v1.render(story)
    again = json_v1.parse(text)
    assert repr(again) == repr(story)  # repr instead of ==, for NaN is not NaN
    assert json_v1.render(again) == text
    assert "Secret" not in text
    VALIDATOR.validate(json.loads(text))
    event(f"ends {story.rollout.state.phase.value}")


simulated = st.builds(
    SimulatedRollout,
    share=st.sampled_from([0.0, 0.002, 0.002, 0.006, 0.05]),
    rate=st.sampled_from([0.0, 5.0, 20.0, 20.0]),
    plan=st.sampled_from([Plan((5, 25, 100), 600.0, 300.0, BEGAN + 3600), Plan((50, 100), 240.0, 60.0, BEGAN + 1800)]),
    mode=st.sampled_from([ROUTE, REPLICAS]),
    is_first=st.booleans(),
    outage=st.sampled_from([(math.inf, math.inf), (math.inf, math.inf), (60.0, 300.0), (400.0, 4000.0)]),
    worse_from=st.sampled_from([0.0, 900.0]),
    seed=st.integers(0, 99),
)


@settings(max_examples=20)
@given(simulated)
def test_judged_by_its_own_rules_it_comes_to_what_it_came_to(rollout: SimulatedRollout) -> None:
    story = json_v1.parse(json_v1.render(rollout.run()))
    found = replay(story, rollout.rules)
    assert [step.now for step in found.steps] == [step.then for step in found.steps]
    assert found.is_promoted == story.is_promoted
    assert found.exit_code == (0 if story.is_promoted else 1)
    event(f"promoted {story.is_promoted}")
