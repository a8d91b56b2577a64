"""The verbs of a deploy, over a cluster in memory: what they print, and the exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.deploy_project import DeployProject, deployment, image, inference_service
from tests.support.fake_controllers import Controllers
from tests.support.fake_kubernetes import NAMESPACE, FakeKubernetes

from mlgate.adapters.kubernetes import replicas, route
from mlgate.cli.group import invoke

GATEWAY = {"name": "kserve/gate", "hosts": ["summarizer.example.com"]}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeKubernetes:
    made = FakeKubernetes()
    Controllers(made)
    monkeypatch.setattr("mlgate.wiring.deploy.kubernetes_api.connect", lambda _context, _namespace: made.api())
    monkeypatch.setattr(route, "_DRAIN_S", 0.0)
    monkeypatch.setattr(replicas, "_DRAIN_S", 0.0)
    monkeypatch.setattr("mlgate.flow.deploy.rollout._POLL_S", 0.01)
    return made


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DeployProject:
    monkeypatch.chdir(tmp_path)
    return DeployProject(Path(), "summarizer", NAMESPACE, gateway=GATEWAY, steps=[50, 100], hold="10ms")


def said(capfd: pytest.CaptureFixture[str]) -> str:
    out, err = capfd.readouterr()
    return out + err


def promoted(project: DeployProject, digit: str) -> None:
    project.manifest(inference_service(MODEL_VERSION=digit))
    project.judged(image(digit))
    assert invoke(["deploy"]) == 0


def test_a_model_that_passed_is_promoted_and_left_alone_the_next_time(
    fake: FakeKubernetes, project: DeployProject, capfd: pytest.CaptureFixture[str]
) -> None:
    assert invoke(["status"]) == 3
    assert "nothing is deployed yet" in said(capfd)
    promoted(project, "1")
    text = said(capfd)
    assert "mode route (KServe in Standard mode, behind a route of the Gateway API)" in text
    assert "promoted: summarizer is summarizer-" in text
    assert invoke(["deploy"]) == 0
    assert "serves already: nothing to do" in said(capfd)
    assert invoke(["status"]) == 0
    assert "✓ ready" in said(capfd)
    assert invoke(["reconcile"]) == 0
    assert invoke(["deploy", "--resume-or-rollback"]) == 0
    assert "no rollout is under way" in said(capfd)
    assert ("httproutes", "mlgate-summarizer") in fake.objects


def test_a_model_that_never_loads_is_rolled_back_with_the_reason(
    fake: FakeKubernetes, project: DeployProject, capfd: pytest.CaptureFixture[str]
) -> None:
    promoted(project, "1")
    project.manifest(inference_service(MODEL_FAIL_LOAD="yes"))
    project.judged(image("2"))
    assert invoke(["deploy"]) == 4
    text = said(capfd)
    assert "rolled back: it keeps crashing: " in text
    assert "was given 0 % at most, and is removed" in text
    assert invoke(["status"]) == 0
    assert fake.objects


def test_a_rollback_goes_to_the_model_before_and_no_further(
    fake: FakeKubernetes, project: DeployProject, capfd: pytest.CaptureFixture[str]
) -> None:
    promoted(project, "1")
    promoted(project, "2")
    assert invoke(["rollback"]) == 0
    assert "went back: summarizer is summarizer-" in said(capfd)
    assert invoke(["rollback"]) == 3
    assert "there is nothing to go back to" in said(capfd)
    assert fake.objects


def test_a_dry_run_changes_nothing(
    fake: FakeKubernetes, project: DeployProject, capfd: pytest.CaptureFixture[str]
) -> None:
    promoted(project, "1")
    before = dict(fake.objects)
    project.manifest(inference_service(MODEL_VERSION="2"))
    project.judged(image("2"))
    fake.after = lambda method, _path: None if method in ("GET", "PATCH") else pytest.fail("it wrote")
    assert invoke(["deploy", "--dry-run"]) == 0
    text = said(capfd)
    assert 'value: "2"' in text
    assert "nothing was changed" in text
    assert before.keys() <= fake.objects.keys()


def test_a_lost_record_is_no_first_rollout(
    fake: FakeKubernetes, project: DeployProject, capfd: pytest.CaptureFixture[str]
) -> None:
    promoted(project, "1")
    del fake.objects["configmaps", "mlgate-summarizer"]
    project.manifest(inference_service(MODEL_VERSION="2"))
    project.judged(image("2"))
    assert invoke(["deploy"]) == 3
    assert "the record of summarizer is lost" in said(capfd)


def test_another_route_of_the_same_host_is_told_before_anything_is_made(
    fake: FakeKubernetes, project: DeployProject, capfd: pytest.CaptureFixture[str]
) -> None:
    theirs = {"metadata": {"name": "theirs"}, "spec": {"hostnames": ["summarizer.example.com"]}}
    fake._create("httproutes", "theirs", theirs)
    project.judged(image("1"))
    assert invoke(["deploy"]) == 2
    assert "the HTTPRoute theirs has the host summarizer.example.com" in said(capfd)
    assert not [kind for kind, _ in fake.objects if kind == "inferenceservices"]


def test_without_a_gateway_pods_share_the_traffic(
    fake: FakeKubernetes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    project = DeployProject(Path(), "summarizer", NAMESPACE, steps=[5, 100], hold="10ms")
    project.manifest(deployment())
    project.judged(image("1"))
    assert invoke(["deploy"]) == 2
    assert "a step of 5 % needs 19 pods of the stable model, and it has 2" in said(capfd)
    project.config.write_text(project.config.read_text().replace("- 5\n", "- 50\n"))
    assert invoke(["deploy"]) == 0
    assert "mode replicas (the file names no gateway" in said(capfd)
    assert ("services", "summarizer") in fake.objects


def test_verbs_that_do_different_things_are_not_mixed(
    project: DeployProject, capfd: pytest.CaptureFixture[str]
) -> None:
    assert invoke(["deploy", "--dry-run", "--fix"]) == 2
    assert "use one of --dry-run, --fix and --resume-or-rollback" in said(capfd)
    assert project.config.exists()
