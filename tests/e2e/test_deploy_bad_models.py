"""Candidates that are worse in ways of their own, on the real data plane: each loses its traffic, and is told why."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support import rollout_cluster
from tests.support.deploy_project import image
from tests.support.rollout_cluster import Place, place
from tests.support.users import Way, asking
from tests.support.waiting import PATIENCE, until

from mlgate.adapters.prometheus.client import Prometheus, TimeGrid

pytestmark = pytest.mark.needs_cluster

OLD, NEW = image("1"), image("2")
GATEWAY, PROMETHEUS = "MLGATE_TEST_GATEWAY", "MLGATE_TEST_PROMETHEUS"


@dataclass(frozen=True)
class Story:
    """A candidate, what it is held against, and what is said of it."""

    candidate: dict[str, str]
    rules: dict[str, Any]
    says: str
    """A pattern of the sentence that ends the rollout."""
    stable: dict[str, str] = field(default_factory=lambda: {"MODEL_LATENCY": "0.05"})
    """What both models are like."""
    source: str = "kserve"
    steps: Sequence[int] = (50, 100)
    users: int = 12
    gives_up_s: float = PATIENCE
    """Seconds after which a user does not wait any more."""


FAILED = r"[\d.]+% of [\d,]+ requests failed, and [\d.]+% of those of the model that serves"
SLOWER = r"p95_ms is (?:between \d+ and \d+|more than \d+) ms"
SOON = {"deadline": "30s"}
ERRORS = {"error_rate": {"max": 0.1}}
STORIES = {
    "two errors in a hundred": Story(
        {"MODEL_ERROR_RATE": "0.02"},
        {"error_rate": {"max": 0.002}},
        rf"{FAILED}: at least [\d.]+%, and max 0.002 allows 0.2%",
    ),
    "a third slower": Story(
        {"MODEL_LATENCY": "0.39"},
        {"p95_ms": {"max": 5000, "max_rise": "10%"}},
        rf"{SLOWER}, judged at the edge of a bucket .* took longer than \d+ ms, and .* max_rise 10% allows",
        stable={"MODEL_LATENCY": "0.3", "MODEL_SHAPE": "8"},  # so that the p95 is near a bucket's edge, 500 ms
        users=30,
    ),
    "requests that never end, as the server counts them": Story(
        {"MODEL_HANG_RATE": "0.3"},
        ERRORS,
        rf"{FAILED}: at least [\d.]+%, and max 0.1 allows 10%",
        gives_up_s=1.5,
    ),
    "requests that never end, as the gateway counts them": Story(
        {"MODEL_HANG_RATE": "0.3"},
        {"p95_ms": {"max": 1200}},
        rf"{SLOWER}: [\d.]+% of [\d,]+ requests took longer than 1200 ms",
        source="traefik",
        gives_up_s=1.5,
    ),
    "a container that ends in mid-step": Story(
        {"MODEL_CRASH_AFTER": "100"},
        ERRORS,
        r"restarted|crash",
    ),
    "good until it gets much": Story(
        {"MODEL_MOST": "2"},  # of 12 users a tenth are at most two at once, and half are not
        ERRORS,
        rf"{FAILED}: at least [\d.]+%, and max 0.1 allows 10%",
        stable={"MODEL_LATENCY": "0.1"},
        steps=(10, 50, 100),
    ),
}


@pytest.fixture
def somewhere(tmp_path: Path) -> Iterator[Place]:
    with place("route", tmp_path) as found:
        yield found


def rolled_out(somewhere: Place, story: Story) -> tuple[int, str]:
    """Deploy the story's candidate beside its stable model while users ask. Return the exit code and what was said."""
    somewhere.deployed(OLD, MODEL_VERSION="one", **story.stable)
    prometheus = {"url": os.environ[PROMETHEUS], "interval": "1s", "source": story.source}
    analysis = {"prometheus": prometheus, "rules": story.rules}
    somewhere.project.changed(steps=list(story.steps), hold="12s", analysis=analysis)
    somewhere.manifest(**story.stable | {"MODEL_VERSION": "two"} | story.candidate)
    somewhere.project.judged(NEW)
    with asking(os.environ[GATEWAY], somewhere.host, *[Way()] * story.users, timeout_s=story.gives_up_s) as seen:
        while not is_counted(somewhere.namespace):
            asked = seen.answered
            until(lambda before=asked: seen.answered > before + 50)  # type: ignore[misc]
        until(lambda: somewhere.run("deploy", "--dry-run")[0] == 0)  # it looks at windows of five seconds
        return somewhere.run("deploy")


def is_counted(namespace: str) -> bool:
    """Whether Prometheus has numbers of both pods, and of the gateway: it finds new ones after seconds."""
    names = (
        f'request_preprocess_seconds_count{{namespace="{namespace}"}}',
        f'traefik_service_requests_total{{service=~".*-{namespace}-.*"}}',
    )
    now = Prometheus(os.environ[PROMETHEUS])
    grid = TimeGrid(now.now() - 4.0, 2.0, 2)
    pods, gateway = (now.range(name, grid) for name in names)
    return sum(len(one.samples) for one in pods) >= 6 and any(len(one.samples) == 3 for one in gateway)


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_a_worse_candidate_loses_its_traffic_and_is_told_why(somewhere: Place, story: Story) -> None:
    code, said = rolled_out(somewhere, story)
    assert code == 4, said
    assert re.search(f"rolled back: .*(?:{story.says})", said), said
    *passed, failed = [int(found) for found in re.findall(r"(\d+) %  holding", said)]
    assert (*passed, failed) == tuple(story.steps[:-1]), said
    until(lambda: somewhere.is_at_rest(OLD) == "")


def test_a_candidate_as_bad_as_what_serves_is_held_and_not_blamed(somewhere: Place) -> None:
    bad = {"MODEL_LATENCY": "0.05", "MODEL_ERROR_RATE": "0.4"}
    somewhere.project.changed(**SOON)
    code, said = rolled_out(somewhere, Story({}, ERRORS, "", stable=bad))
    assert code == 4, said
    assert "the deadline passed before the step was over: " in said
    assert "which breaks max 0.1, too: the candidate is not shown worse, and gets no more traffic until that" in said
    assert "100 %  holding" not in said
    until(lambda: somewhere.is_at_rest(OLD) == "")


def checked(somewhere: Place) -> None:
    """Let the models be asked by an online check of their answers."""
    somewhere.project.folder.joinpath("data.jsonl").write_text(
        "".join(f'{{"id": "{n}", "input": "Text {n}. More of it.", "reference": "Text {n}."}}\n' for n in range(60))
    )
    written = yaml.safe_load(somewhere.project.config.read_text())
    written["checks"]["answers"] = {"data": "data.jsonl", "rules": {"rougeL": {"min": 0.9}}}
    written["deploy"] |= {
        "checks": ["answers"],
        "url": os.environ[GATEWAY],
        "gateway": {"name": rollout_cluster.GATEWAY},
    }
    somewhere.project.config.write_text(yaml.safe_dump(written))
    somewhere.deployed(OLD, MODEL_VERSION="one")


def test_wrong_answers_at_normal_speed_get_no_traffic_at_all(somewhere: Place) -> None:
    checked(somewhere)
    somewhere.manifest(MODEL_VERSION="two", MODEL_ANSWER="The same to everybody.")
    somewhere.project.judged(NEW)
    code, said = somewhere.run("deploy")
    assert code == 4, said
    assert re.search(r"rolled back: online checks: .*rougeL", said), said
    assert "holding" not in said
    until(lambda: somewhere.is_at_rest(OLD) == "")


def test_answers_that_become_wrong_take_the_traffic_back(somewhere: Place) -> None:
    checked(somewhere)
    somewhere.manifest(MODEL_VERSION="two", MODEL_ANSWER="The same to everybody.", MODEL_SOUND_FOR="40")
    somewhere.project.judged(NEW)
    code, said = somewhere.run("deploy")
    assert code == 4, said
    assert re.search(r"rolled back: online checks: .*rougeL", said), said
    assert somewhere.first_step in said
    assert f"{somewhere.steps[1]} %  holding" not in said
    until(lambda: somewhere.is_at_rest(OLD) == "")


def test_a_model_that_serves_and_becomes_worse_is_told(somewhere: Place) -> None:
    """It answers two requests at once, and no more."""
    prometheus = {"url": os.environ[PROMETHEUS], "interval": "1s"}
    story = Story({}, ERRORS, "", stable={"MODEL_LATENCY": "0.1", "MODEL_MOST": "2"}, users=1)
    somewhere.deployed(OLD, MODEL_VERSION="one", **story.stable)
    somewhere.project.changed(analysis={"prometheus": prometheus, "rules": story.rules})
    said = ""

    def comes_to(wanted: int, users: int) -> None:
        def looked() -> bool:
            nonlocal said
            code, said = somewhere.run("watch")
            return code == wanted

        with asking(os.environ[GATEWAY], somewhere.host, *[Way()] * users):
            until(looked)

    comes_to(0, users=1)
    assert "serves as it should" in said
    comes_to(1, users=16)
    assert "serves worse than its rules allow" in said
    assert re.search(rf"✗ {FAILED}|✗ [\d.]+% of [\d,]+ requests failed", said), said
