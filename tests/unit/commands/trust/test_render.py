"""Rendering for a file with `trust`: no manifest is written of what is not attested, or is older than what serves."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from tests.support import samples
from tests.support.attested_project import AttestedProject
from tests.support.child_environment import child_environment
from tests.support.deploy_project import inference_service
from tests.support.fake_kubernetes import NAMESPACE

from mlgate.cli.group import invoke

GATEWAY = {"name": "kserve/gate", "hosts": ["summarizer.example.com"]}
TO = Path("rendered")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AttestedProject:
    monkeypatch.chdir(tmp_path)
    return AttestedProject(Path(), "summarizer", NAMESPACE, mode="route", gateway=GATEWAY, steps=[100], hold="10ms")


def git(*words: str) -> str:
    asked = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false", *words]
    return subprocess.run(asked, check=True, capture_output=True, text=True, env=child_environment()).stdout.strip()


def render(*words: str) -> int:
    return invoke(["render", "--to", str(TO), *words])


def test_what_is_not_attested_is_not_written(project: AttestedProject, capfd: pytest.CaptureFixture[str]) -> None:
    project.judged_as(samples.passing())
    assert render() == 5
    assert "there is no attestation of the verdict" in capfd.readouterr().err
    assert not TO.exists()


def test_what_is_attested_is_written_with_the_attestation_that_says_so(project: AttestedProject) -> None:
    project.passed().rename("elsewhere.json")
    assert render("--attestation", "elsewhere.json") == 0
    (path,) = TO.glob("inferenceservice-*.yaml")
    notes = yaml.safe_load(path.read_text())["spec"]["predictor"]["annotations"]
    assert len(notes["mlgate.dev/attestation"]) == 64
    before = path.read_bytes()
    assert render("--attestation", "elsewhere.json") == 0
    assert path.read_bytes() == before


def test_an_older_commit_than_the_one_that_the_folder_serves_is_refused(
    project: AttestedProject, capfd: pytest.CaptureFixture[str]
) -> None:
    git("init", "-q")
    commits = []
    for number in "12":
        git("commit", "-q", "--allow-empty", "-m", number)
        commits.append(git("rev-parse", "HEAD"))

    def judged(number: int) -> None:
        whole = samples.passing()
        project.manifest(inference_service(MODEL_VERSION=str(number)))
        project.judged_as(replace(whole, provenance=replace(whole.provenance, commit=commits[number])))
        project.attested()

    judged(1)
    assert render() == 0
    judged(0)
    capfd.readouterr()
    assert render() == 5
    text = capfd.readouterr().err
    assert "is older than" in text
    assert "next: to go back, revert the commit of the folder; or say that you mean it: --allow-older" in text
    assert render("--allow-older") == 0
