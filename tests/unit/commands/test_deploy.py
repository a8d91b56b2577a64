"""The verbs of a deploy, over a cluster in memory: what they print, and the exit codes."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.support.deploy_project import DeployProject, deployment, image, inference_service
from tests.support.fake_kubernetes import NAMESPACE, FakeKubernetes, status

from mlgate.cli.group import invoke
from mlgate.core.deploy.mode import ROUTED
from mlgate.reports.json_v1.rollout import parse

GATEWAY = {"name": "kserve/gate", "hosts": ["summarizer.example.com"]}


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
    assert "### \N{CHECK MARK} summarizer: promoted" in Path(".mlgate/rollout/rollout.md").read_text()
    assert parse(Path(".mlgate/rollout/rollout.json").read_text()).is_promoted
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
    assert "next: mend it, judge it again (mlgate check), and deploy that" in text
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
    before = copy.deepcopy(fake.objects)
    for digit in ("1", "2"):
        project.manifest(inference_service(MODEL_VERSION=digit))
        project.judged(image(digit))
        assert invoke(["deploy", "--dry-run"]) == 0
    text = said(capfd)
    assert 'value: "2"' in text
    assert "nothing was changed" in text
    assert fake.objects == before


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


def test_a_gateway_in_the_file_and_no_gateway_api_on_the_cluster_is_mode_replicas(
    fake: FakeKubernetes, project: DeployProject, capfd: pytest.CaptureFixture[str]
) -> None:
    beside = fake.before

    def without(method: str, path: str) -> httpx2.Response | None:
        beside(method, path)
        return status(404, "NotFound", "no such group") if "gateway.networking.k8s.io" in path else None

    fake.before = without
    project.manifest(deployment())
    project.judged(image("1"))
    assert invoke(["deploy"]) == 0
    assert "mode replicas (the cluster has no Gateway API" in said(capfd)


@pytest.mark.parametrize("mode", ["route", "deployment", "replicas", "knative"])
def test_in_every_mode_the_next_model_is_promoted_and_shown(
    mode: str,
    fake: FakeKubernetes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    given = {"gateway": GATEWAY} if mode in ROUTED else {}
    project = DeployProject(Path(), "summarizer", NAMESPACE, mode=mode, steps=[50, 100], hold="10ms", **given)
    for digit in ("1", "2"):
        made = deployment() if mode in ("deployment", "replicas") else inference_service()
        if mode == "knative":
            made["metadata"]["annotations"] = {"serving.kserve.io/deploymentMode": "Knative"}
        project.manifest(made)
        project.judged(image(digit))
        assert invoke(["deploy"]) == 0
    assert f"mode {mode} (the file says so)" in said(capfd)
    assert invoke(["status"]) == 0
    text = said(capfd)
    assert "100 %" in text
    assert "last rollout" in text
    assert fake.objects


def theirs(fake: FakeKubernetes, made: dict[str, Any]) -> dict[str, Any]:
    """Make an object as somebody else, and return it."""
    plural = {"InferenceService": "inferenceservices", "Deployment": "deployments", "Service": "services"}
    fake._create(plural[made["kind"]], made["metadata"]["name"], made)
    return fake.objects[plural[made["kind"]], made["metadata"]["name"]]


def test_what_somebody_else_made_is_taken_over_and_stays(
    fake: FakeKubernetes, project: DeployProject, capfd: pytest.CaptureFixture[str]
) -> None:
    spec = copy.deepcopy(theirs(fake, inference_service(MODEL_VERSION="theirs"))["spec"])
    promoted(project, "2")
    assert "summarizer was not made by mlgate: it still runs, without traffic" in said(capfd)
    assert fake.objects["inferenceservices", "summarizer"]["spec"] == spec
    assert invoke(["rollback"]) == 0
    assert "went back: summarizer is summarizer now" in said(capfd)


@pytest.mark.parametrize(
    ("mode", "selector", "says"),
    [
        ("replicas", None, "mode replicas cannot share traffic with a Deployment that mlgate did not make: summarizer"),
        ("deployment", None, "no Service summarizer is in front of the Deployment summarizer"),
        ("deployment", {"app": "summarizer"}, "the Service summarizer would select the new model's pods, too"),
    ],
)
def test_what_cannot_be_taken_over_is_told_before_anything_is_made(
    mode: str,
    selector: dict[str, str] | None,
    says: str,
    fake: FakeKubernetes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    given = {"gateway": GATEWAY} if mode in ROUTED else {}
    project = DeployProject(Path(), "summarizer", NAMESPACE, mode=mode, steps=[50, 100], hold="10ms", **given)
    theirs(fake, deployment())
    if selector is not None:
        service = {"kind": "Service", "metadata": {"name": "summarizer"}, "spec": {"selector": selector, "ports": []}}
        theirs(fake, service)
    project.manifest(deployment(MODEL_VERSION="2"))
    project.judged(image("2"))
    assert invoke(["deploy"]) == 2
    assert says in said(capfd)
    assert [name for kind, name in fake.objects if kind == "deployments"] == ["summarizer"]


def test_a_mistake_stops_the_deploy_until_fix_has_mended_it(
    fake: FakeKubernetes, project: DeployProject, capfd: pytest.CaptureFixture[str]
) -> None:
    made = inference_service()
    del made["spec"]["predictor"]["containers"][0]["readinessProbe"]
    project.manifest(made)
    project.judged(image("1"))
    assert invoke(["deploy"]) == 2
    text = said(capfd)
    assert "readiness-by-port: there is no readinessProbe" in text
    assert "the manifest has 1 error; nothing was deployed" in text
    assert not fake.objects
    assert invoke(["deploy", "--fix"]) == 0
    assert "1 mistake mended; nothing is left" in said(capfd)
    assert invoke(["deploy"]) == 0


@pytest.mark.parametrize("words", [["deploy"], ["deploy", "--dry-run"]])
def test_a_right_that_is_missing_is_told_before_anything_is_made(
    words: list[str], fake: FakeKubernetes, project: DeployProject, capfd: pytest.CaptureFixture[str]
) -> None:
    fake.rules = [{"verbs": ["get", "list", "create"], "apiGroups": ["*"], "resources": ["*"]}]
    project.judged(image("1"))
    assert invoke(words) == 2
    text = said(capfd)
    assert "this user may not, in namespace models: " in text
    assert "delete inferenceservices (serving.kserve.io)" in text
    assert "docs/reference/deploy-role.yaml" in text
    assert not fake.objects


def test_what_is_beside_the_service_is_told_before_and_shown_afterwards(
    fake: FakeKubernetes, project: DeployProject, capfd: pytest.CaptureFixture[str]
) -> None:
    graph = {"nodes": {"root": {"steps": [{"serviceName": "summarizer"}]}}}
    fake._create("inferencegraphs", "pipeline", {"metadata": {"name": "pipeline"}, "spec": graph})
    beside = fake.before

    def may_not(method: str, path: str) -> httpx2.Response | None:
        beside(method, path)
        return status(403, "Forbidden", "no") if path.endswith("verticalpodautoscalers") else None

    fake.before = may_not
    project.judged(image("1"))
    assert invoke(["deploy", "--dry-run"]) == 0
    text = said(capfd)
    assert "! InferenceGraph pipeline" in text
    assert "not looked at, because this user may not list them: VerticalPodAutoscaler" in text
    promoted(project, "1")
    said(capfd)
    assert invoke(["status"]) == 0
    assert "! InferenceGraph pipeline" in said(capfd)


def test_a_model_mesh_is_refused_with_what_to_write(
    fake: FakeKubernetes, project: DeployProject, capfd: pytest.CaptureFixture[str]
) -> None:
    made = inference_service()
    made["metadata"]["annotations"] = {"serving.kserve.io/deploymentMode": "ModelMesh"}
    project.manifest(made)
    project.judged(image("1"))
    assert invoke(["deploy", "--dry-run"]) == 2
    text = said(capfd)
    assert "KServe would run it in ModelMesh mode, where many models share pods" in text
    assert "serving.kserve.io/deploymentMode: Standard" in text
    assert not fake.objects


def test_verbs_that_do_different_things_are_not_mixed(
    project: DeployProject, capfd: pytest.CaptureFixture[str]
) -> None:
    assert invoke(["deploy", "--dry-run", "--fix"]) == 2
    assert "use one of --dry-run, --fix, --resume-or-rollback, --detach and --observe-only" in said(capfd)
    assert project.config.exists()
