"""`mlgate replay` and `mlgate power` of a rollout that was kept: what they print, and the exit codes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Golden
from tests.support.deploy_project import DeployProject
from tests.support.fake_kubernetes import FakeKubernetes
from tests.support.simulated_rollout import BEGAN, RULES, SimulatedRollout

from mlgate.adapters.prometheus.traffic import MOST_WINDOWS
from mlgate.cli.group import invoke
from mlgate.config.config import Config
from mlgate.config.load import load
from mlgate.core.deploy.rollout import Plan
from mlgate.core.deploy.story import StepRules
from mlgate.core.deploy.traffic import Traffic
from mlgate.flow.deploy.step_judge import TrafficRules
from mlgate.reports.json_v1 import rollout as json_v1
from mlgate.wiring import rollout_traffic
from mlgate.wiring.deploy import Target

KEPT = Path(".mlgate/rollout/rollout.json")
SAME = {"error_rate": {"max": 0.01, "max_rise": 0.005}, "p95_ms": {"max": 250}}


@cache
def kept() -> str:
    story = SimulatedRollout(plan=Plan((25, 100), 600.0, 120.0, BEGAN + 3600), rules=RULES).run()
    return json_v1.render(story)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DeployProject:
    monkeypatch.chdir(tmp_path)
    KEPT.parent.mkdir(parents=True)
    KEPT.write_text(kept())
    gateway = {"name": "kserve/gate", "hosts": ["summarizer.example.com"]}
    given: dict[str, Any] = {"gateway": gateway, "steps": [5, 100], "hold": "10m", "deadline": "4h"}
    return DeployProject(Path(), "summarizer", "models", **given)


def rules(project: DeployProject, written: dict[str, Any]) -> None:
    project.changed(analysis={"prometheus": "http://prometheus:9090", "rules": written})


def printed(capfd: pytest.CaptureFixture[str]) -> str:
    out, err = capfd.readouterr()
    assert not err
    assert all(len(line) <= 80 for line in out.splitlines())
    return out


def test_the_same_rules_promote_what_was_promoted(project: DeployProject, capfd: pytest.CaptureFixture[str]) -> None:
    rules(project, SAME)
    assert invoke(["replay", str(KEPT)]) == 0
    assert printed(capfd).endswith("by these rules it would have been promoted\n")


@pytest.mark.parametrize(
    ("name", "tighter", "code"),
    [("rolled_back", {"p95_ms": {"max": 50}}, 1), ("undecided", {"error_rate": {"max": 0.01, "max_rise": 0.001}}, 3)],
)
def test_other_rules_are_held_step_by_step(
    project: DeployProject,
    capfd: pytest.CaptureFixture[str],
    golden: Golden,
    name: str,
    tighter: dict[str, Any],
    code: int,
) -> None:
    rules(project, tighter)
    assert invoke(["replay", str(KEPT)]) == code
    golden(f"reports/rollout_replay_{name}.txt", printed(capfd))


def test_each_rule_of_each_step_is_foretold_as_the_service_was_then(
    project: DeployProject, capfd: pytest.CaptureFixture[str], golden: Golden
) -> None:
    rules(project, {**SAME, "p95_ms": {"max": 60, "max_rise": "10%"}, "requests": {"min": 500}})
    assert invoke(["power", "--rate", "5"]) == 0
    golden("reports/step_power.txt", printed(capfd))
    assert invoke(["power", str(KEPT)]) == 0
    assert "at 20 requests/s" in printed(capfd)


def test_without_a_histogram_only_errors_are_foretold(
    project: DeployProject, capfd: pytest.CaptureFixture[str], golden: Golden
) -> None:
    KEPT.unlink()
    rules(project, SAME)
    assert invoke(["power", "--rate", "20", "--error-rate", "0.002"]) == 0
    golden("reports/step_power_assumed.txt", printed(capfd))


@pytest.mark.parametrize(
    ("words", "says", "code"),
    [
        (["power", "--rate", "20"], "nothing says which share of the requests fails", 2),
        (["power", "--error-rate", "0.1"], "needs --rate", 2),
        (["power", "--rate", "nan"], "it must be a number", 2),
        (["power", "--rate", "20", "--error-rate", "1"], "is not in the range", 2),
        (["replay", "--json", str(KEPT)], "--json is for evidence", 2),
        (["replay", str(KEPT)], "rollout.json: it cannot be read: No such file", 3),
        (["replay", "report.json"], "report.json: rollout: expected a rollout that mlgate kept, version 1", 3),
        (["power", "bytes.json"], "bytes.json: it is no text", 3),
    ],
)
def test_what_cannot_be_told_is_an_error_with_the_next_step(
    project: DeployProject, capfd: pytest.CaptureFixture[str], words: list[str], says: str, code: int
) -> None:
    KEPT.unlink()
    Path("report.json").write_text('{"schema": "x", "version": 1}')
    Path("bytes.json").write_bytes(b"\xff\xfe")
    rules(project, SAME)
    assert invoke(words) == code
    assert says in capfd.readouterr().err


def test_a_file_without_rules_for_requests_is_an_error(
    project: DeployProject, capfd: pytest.CaptureFixture[str]
) -> None:
    assert project.config.exists()
    assert invoke(["replay", str(KEPT)]) == 2
    assert "`deploy` has no rules for users' requests" in capfd.readouterr().err


def test_what_is_too_large_to_be_read_scrape_by_scrape_is_kept_in_longer_windows(
    project: DeployProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = json_v1.parse(kept())

    def read_by(
        _config: Config, _section: object, _namespace: str, now: Callable[[], float], most: int
    ) -> TrafficRules:
        seen = story.traffic if most == MOST_WINDOWS else Traffic(why="it announces more bytes than are taken")
        return TrafficRules(RULES, lambda *_: seen, 15.0, now)

    monkeypatch.setattr("mlgate.wiring.deploy.kubernetes_api.connect", lambda _context, _name: FakeKubernetes().api())
    monkeypatch.setattr("mlgate.wiring.deploy.traffic_rules", read_by)
    rules(project, SAME)
    told = rollout_traffic.story(Target.demanded(load(project.config)), story.at(len(story.rollout.history)), [])
    assert told.traffic == story.traffic
    assert told.judged_by == StepRules(RULES, 15.0)
