"""A real rollout judged by real requests: KServe, a gateway that follows the weights, Prometheus, and users who ask."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support import gateway_client
from tests.support.deploy_project import image
from tests.support.rollout_cluster import Place, place
from tests.support.waiting import until

pytestmark = pytest.mark.needs_cluster

OLD, NEW = image("1"), image("2")
GATEWAY, PROMETHEUS = "MLGATE_TEST_GATEWAY", "MLGATE_TEST_PROMETHEUS"
RULES = {"error_rate": {"max": 0.1, "max_rise": 0.03}, "p95_ms": {"max_rise": "100%"}}


@pytest.fixture
def somewhere(tmp_path: Path) -> Iterator[Place]:
    with place("route", tmp_path) as found:
        analysis = {"prometheus": {"url": os.environ[PROMETHEUS], "interval": "1s"}, "rules": RULES}
        found.project.changed(steps=[50, 100], hold="15s", patience="20s", analysis=analysis)
        yield found


def rolled_out(somewhere: Place, *, users: int = 2, is_scraped: bool = True, **changed: Any) -> tuple[int, str]:
    """Deploy a second model while users ask; return the exit code and what was printed."""
    written = yaml.safe_load(somewhere.project.config.read_text())
    analysis = written["deploy"].pop("analysis")
    somewhere.project.config.write_text(yaml.safe_dump(written))
    somewhere.deployed(OLD, MODEL_VERSION="one", MODEL_LATENCY="0.02")
    somewhere.project.changed(analysis=analysis)
    somewhere.manifest(**{"MODEL_VERSION": "two", "MODEL_LATENCY": "0.02", **changed})
    somewhere.project.judged(NEW)
    with ExitStack() as stack:
        for _ in range(users):
            stack.enter_context(gateway_client.asking(os.environ[GATEWAY], somewhere.host))
        if is_scraped:
            until(lambda: somewhere.run("deploy", "--dry-run")[0] == 0)  # Prometheus finds a new pod after seconds
        return somewhere.run("deploy")


def test_a_candidate_like_what_serves_is_promoted(somewhere: Place) -> None:
    code, said = rolled_out(somewhere)
    assert code == 0, said
    assert re.search(
        r"50 %  passed: [\d.]+% of [\d,]+ requests failed, and [\d.]+% of those of the model that serves", said
    )
    assert (somewhere.project.folder / ".mlgate/rollout/rollout.svg").exists()
    until(lambda: somewhere.is_at_rest(NEW) == "")
    with gateway_client.asking(os.environ[GATEWAY], somewhere.host):
        code, said = somewhere.run("watch")
    assert code == 0, said
    assert "serves as it should" in said


@pytest.mark.parametrize(
    ("source", "changed", "says"),
    [
        ("kserve", {"MODEL_ERROR_RATE": "0.2"}, "requests failed"),
        ("traefik", {"MODEL_LATENCY": "0.2"}, "requests took longer than"),
    ],
    ids=["errors", "slow"],
)
def test_a_worse_candidate_loses_its_traffic(somewhere: Place, source: str, changed: dict[str, Any], says: str) -> None:
    written = yaml.safe_load(somewhere.project.config.read_text())
    written["deploy"]["analysis"]["prometheus"]["source"] = source
    if source == "traefik":  # its buckets end at 100 and 300 ms: below, no rise can be seen
        written["deploy"]["analysis"]["rules"]["p95_ms"] = {"max": 300}
    somewhere.project.config.write_text(yaml.safe_dump(written))
    code, said = rolled_out(somewhere, **changed)
    assert code == 4, said
    assert "rolled back: " in said
    assert says in said, said
    assert "100 %  holding" not in said
    until(lambda: somewhere.is_at_rest(OLD) == "")


def test_a_candidate_that_nobody_asks_is_never_promoted(somewhere: Place) -> None:
    code, said = rolled_out(somewhere, users=0)
    assert code == 4, said
    assert "rolled back: the step did not pass within 35 s: the candidate had no requests" in said
    until(lambda: somewhere.is_at_rest(OLD) == "")


def test_without_prometheus_nothing_is_begun(somewhere: Place) -> None:
    written = yaml.safe_load(somewhere.project.config.read_text())
    written["deploy"]["analysis"]["prometheus"]["url"] = "http://127.0.0.1:9"
    somewhere.project.config.write_text(yaml.safe_dump(written))
    code, said = rolled_out(somewhere, is_scraped=False)
    assert code == 3, said
    assert "no step could be judged: Prometheus at http://127.0.0.1:9: it cannot be reached" in said
    until(lambda: somewhere.is_at_rest(OLD) == "")
