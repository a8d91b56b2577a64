"""What is kept of a rollout: how it ended and why, when what happened, and what was counted."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from tests.conftest import Golden

from mlgate.core.check import Bound, Rule
from mlgate.core.deploy.release import Deployed, Release, ServiceRecord
from mlgate.core.deploy.rollout import Health, Opening, Plan, Reading, Rollout
from mlgate.core.deploy.story import RolloutStory, StepRules, added, coarse
from mlgate.core.deploy.traffic import Traffic, TrafficCounts, TrafficWindow
from mlgate.core.outcome import Outcome
from mlgate.reports.json_v1 import rollout as json_v1
from mlgate.reports.markdown import rollout as markdown
from mlgate.reports.svg import rollout as svg
from mlgate.reports.terminal import rollout as words

BEGAN = 1_800_000_000.0
PLAN = Plan((25, 100), 600.0, 300.0, BEGAN + 4 * 3600)
RULES = (
    Rule("error_rate", Bound.MAX, 0.01),
    Rule("p95_ms", Bound.MAX_RISE, 0.1, relative=True, where="mlgate.yaml:9:9"),
)
EDGES = (100.0, 250.0, 500.0)
BROKEN = "4% of 750 requests failed, and 0.2% of those of the model that serves: +3.8 points, at least +1.1 points"


def model(name: str) -> Deployed:
    return Deployed(Release(image=f"registry.example.com/{name}@sha256:{'1' * 64}", verdict="2" * 64), ({},), name)


def ended(why: str = "", *, first: bool = False, plan: Plan = PLAN) -> RolloutStory:
    """Return a rollout that was promoted, or taken back for *why* in its first step."""
    record = ServiceRecord(accepted=None if first else model("summarizer-00000000"))
    record = record.begin(model("summarizer-1f2e3d4c"), Rollout(plan, BEGAN), mode="route", owner="me")
    for after in (10, 20, 25, 325, 626, 630, 1231, 1240, 1250):
        assert record.rollout is not None
        bad = after == 325
        if why or not bad:
            record = record.after(
                Reading(
                    at=BEGAN + after,
                    candidate=Health.READY,
                    stable=Health.READY,
                    weight=record.rollout.weight,
                    is_settled=True,
                    judged=Outcome.FAILED if bad else Outcome.PASSED,
                    why=why if bad else "0.2% of 3,000 requests failed: at most 0.5%, and max 0.01 allows 1%",
                )
            )
        if not record.is_under_way:
            break
    assert record.rollout is not None
    last = int(record.rollout.state.since - BEGAN)
    windows = tuple(window(at, first=first) for at in range(40, last, 15))
    return RolloutStory.of("summarizer", "models", record, StepRules(RULES, 15.0), Traffic(EDGES, windows))


def window(at: int, *, first: bool) -> TrafficWindow:
    hole = 100 < at < 140
    mine = None if hole else TrafficCounts(75, at % 4, (30, 9 + at % 7, 1), 75)
    return TrafficWindow(
        BEGAN + at, 15.0, mine, None if first else TrafficCounts(225, at % 3, (90, 20 + at % 5, 2), 225)
    )


@pytest.mark.parametrize(("name", "why"), [("promoted", ""), ("rolled_back", BROKEN)])
def test_a_rollout_is_told(golden: Golden, name: str, why: str) -> None:
    story = ended(why)
    assert story.is_promoted is not bool(why)
    golden(f"reports/rollout_{name}.md", markdown.render(story, run_url="https://github.com/acme/model/actions/runs/1"))
    golden(f"reports/rollout_{name}.svg", svg.rollout(story))


def at_its_end(story: RolloutStory) -> ServiceRecord:
    return story.at(len(story.rollout.history))


def test_a_shadow_is_told_as_such_and_never_as_a_share() -> None:
    story = ended(BROKEN, plan=replace(PLAN, steps=(0, *PLAN.steps), opening=Opening.MIRRORED, opening_hold=300.0))
    assert "| 0 %, users' requests mirrored | judged |" in markdown.render(story)
    assert "requests mirrored for 300 s" in svg.rollout(story)
    document = json.loads(json_v1.render(story))
    assert (document["plan"]["opening"], document["plan"]["opening_hold"]) == ("mirrored", 300.0)
    assert [state["opening"] for state in document["states"]] == [None, None, "mirrored", "mirrored", None, None]
    assert {state["weight"] for state in document["states"]} == {0}
    lines = [words.state_line(story.rollout, state) for state in story.rollout.states]
    assert lines[3] == "   0:25    0 %  holding for 5 min, users' requests mirrored"
    assert "summarizer-1f2e3d4c was given 0 % at most" in words.ending(
        "summarizer", story.at(len(story.rollout.history))
    )


def test_an_audience_is_told_as_what_the_candidate_was_given() -> None:
    story = ended(BROKEN, plan=replace(PLAN, steps=(0, 100), opening=Opening.AUDIENCE, opening_hold=300.0))
    assert "| 0 %, for its audience | judged |" in markdown.render(story)
    assert "summarizer-1f2e3d4c was given its audience at most" in words.ending(
        "summarizer", story.at(len(story.rollout.history))
    )


def test_the_document_has_all_that_was_counted() -> None:
    story = ended(BROKEN)
    document = json.loads(json_v1.render(story))
    assert (document["outcome"], document["reason"]) == ("rolled_back", BROKEN)
    assert [state["weight"] for state in document["states"]] == [0, 0, 25, 25, 0, 0]
    assert len(document["traffic"]["windows"]) == len(story.traffic.windows)
    assert document["traffic"]["windows"][5]["candidate"] is None
    assert document["candidate"]["name"] == "summarizer-1f2e3d4c"


def test_the_first_model_of_a_service_has_nothing_beside_it() -> None:
    story = ended(first=True)
    assert story.stable is None
    assert "the first model" in markdown.render(story)
    assert json.loads(json_v1.render(story))["stable"] is None
    ET.fromstring(svg.rollout(story))  # noqa: S314 - this test's own


def test_a_rollout_that_nobody_counted_is_told_without_numbers() -> None:
    story = replace(ended(BROKEN), traffic=Traffic())
    assert "users' requests" not in markdown.render(story)
    assert "requests that failed" not in svg.rollout(story)


HOSTILE = "</text><script>alert(1)</script> | `x` @org/team ::set-output name=a::b \u202e [a](http://evil) <img src=x>"


def test_no_text_becomes_markup() -> None:
    story = ended(HOSTILE)
    page, picture = markdown.render(story), svg.rollout(story)
    assert "<script" not in page + picture
    assert "<img" not in page + picture
    assert "@org/team" not in page
    assert "](http://evil" not in page
    assert "\u202e" not in page + picture
    ET.fromstring(picture)  # noqa: S314 - this test's own


def test_windows_are_added_up_and_a_hole_stays_one() -> None:
    one = TrafficCounts(10, 1, (5, 2), 10, 700)
    assert added([one, one]) == TrafficCounts(20, 2, (10, 4), 20, 1400)
    assert added([one, None]) is None
    assert added([]) is None
    windows = [TrafficWindow(float(at), 1.0, one, None) for at in range(1, 8)]
    found = coarse(windows, 3)
    assert [(each.at, each.seconds) for each in found] == [(3, 3), (6, 3), (7, 1)]
    assert coarse(windows, 7) == tuple(windows)
