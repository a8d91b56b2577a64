"""What decides on a step of a rollout, as one digest: a process that goes on with it asks by that whether it may."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.deploy_project import DeployProject

from mlgate.config.load import load
from mlgate.config.translate.rules_digest import step_rules_digest

ANALYSIS: dict[str, Any] = {"prometheus": "http://prometheus:9090", "rules": {"error_rate": {"max": 0.01}}}


@pytest.fixture
def project(tmp_path: Path) -> DeployProject:
    return DeployProject(tmp_path, "summarizer", "models", analysis=ANALYSIS, check_every="5m")


def digest(project: DeployProject) -> str:
    config = load(project.config)
    assert config.document.deploy is not None
    return step_rules_digest(config, config.document.deploy)


def test_a_default_that_is_written_changes_nothing(project: DeployProject) -> None:
    before = digest(project)
    project.changed(analysis=ANALYSIS | {"on_inconclusive": "rollback"})
    assert digest(project) == before


def test_what_decides_on_no_step_changes_nothing(project: DeployProject) -> None:
    before = digest(project)
    project.changed(hold="2s")
    assert digest(project) == before


@pytest.mark.parametrize(
    "deploy",
    [
        {"analysis": ANALYSIS | {"rules": {"error_rate": {"max": 0.02}}}},
        {"analysis": ANALYSIS | {"on_inconclusive": "hold"}},
        {"analysis": ANALYSIS | {"prometheus": "http://another:9090"}},
        {"check_every": "6m"},
    ],
)
def test_whatever_decides_changes_it(project: DeployProject, deploy: dict[str, Any]) -> None:
    before = digest(project)
    project.changed(**deploy)
    assert digest(project) != before


def test_a_rule_of_a_check_that_is_asked_changes_it(project: DeployProject) -> None:
    url = "http://summarizer.example.com"
    gateway = {"name": "gateway", "hosts": ["summarizer.example.com"]}
    project.changed(mode="route", gateway=gateway, url=url, checks=["speed"])
    before = digest(project)
    project.config.write_text(project.config.read_text().replace("max: 900", "max: 901"))
    assert digest(project) != before
