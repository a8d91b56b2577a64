"""`mlgate render`: the files are the objects that a deploy would apply, and nobody else's files are touched."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.deploy_project import DeployProject, deployment, image, inference_service
from tests.support.fake_controllers import Controllers
from tests.support.fake_kubernetes import NAMESPACE, FakeKubernetes
from tests.support.fake_serving import Death

from mlgate.adapters.files import safe_file
from mlgate.adapters.kubernetes.kinds import HTTP_ROUTE, MANIFEST_KINDS
from mlgate.adapters.kubernetes.rendered.folder import KUSTOMIZATION, LIST
from mlgate.cli.group import invoke
from mlgate.core.deploy.mode import ROUTED
from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.deploy.rollout import Phase
from mlgate.core.errors import AdapterError

GATEWAY = {"name": "kserve/gate", "hosts": ["summarizer.example.com"]}
TO = Path("rendered")
PLURALS = {kind.name: kind.plural for kind in (*MANIFEST_KINDS.values(), HTTP_ROUTE)}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DeployProject:
    monkeypatch.chdir(tmp_path)
    return of_mode("route")


def of_mode(mode: str) -> DeployProject:
    given: dict[str, Any] = {"gateway": GATEWAY} if mode in ROUTED else {}
    return DeployProject(Path(), "summarizer", NAMESPACE, mode=mode, steps=[50, 100], hold="10ms", **given)


def judged(project: DeployProject, digit: str) -> None:
    mode = yaml.safe_load(project.config.read_text())["deploy"]["mode"]
    is_plain = mode in ("deployment", "replicas")
    made = deployment(MODEL_VERSION=digit) if is_plain else inference_service(MODEL_VERSION=digit)
    if mode == "knative":
        made["metadata"]["annotations"] = {"serving.kserve.io/deploymentMode": "Knative"}
    project.manifest(made)
    project.judged(image(digit))


def render(*words: str) -> int:
    return invoke(["render", "--to", str(TO), *words])


def files() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(TO.iterdir())}


def objects() -> list[dict[str, Any]]:
    listed = yaml.safe_load((TO / KUSTOMIZATION).read_text())["resources"]
    assert set(listed) == set(files()) - {KUSTOMIZATION, LIST}
    return [yaml.safe_load((TO / name).read_text()) for name in listed]


def differs(wanted: Mapping[str, Any], fake: FakeKubernetes) -> str:
    """Return where the cluster has another object than a file says; empty where it has the same."""
    name = wanted["metadata"]["name"]
    there = fake.objects.get((PLURALS[wanted["kind"]], name))
    if there is None:
        return f"{name} is not there"
    labels = there["metadata"].get("labels") == wanted["metadata"].get("labels")
    return "" if there["spec"] == wanted["spec"] and labels else f"{there} is not {wanted}"


@pytest.mark.parametrize("mode", ["route", "deployment", "replicas", "knative"])
def test_the_files_are_what_a_deploy_has_on_the_cluster_in_each_step_and_at_the_end(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fake = FakeKubernetes()
    controllers = Controllers(fake)
    monkeypatch.setattr("mlgate.wiring.deploy.kubernetes_api.connect", lambda _context, _namespace: fake.api())
    monkeypatch.setattr("mlgate.adapters.kubernetes.drain.DRAIN_S", 0.0)
    monkeypatch.setattr("mlgate.flow.deploy.rollout._POLL_S", 0.01)
    project = of_mode(mode)
    judged(project, "1")
    assert invoke(["deploy"]) == 0
    assert render() == 0
    assert [differs(one, fake) for one in objects() if differs(one, fake)] == []
    judged(project, "2")

    def dying(record: ServiceRecord) -> float:
        assert record.rollout is not None
        if record.rollout.state.phase is Phase.HOLDING:
            raise Death
        return 0.001

    with monkeypatch.context() as patched:
        patched.setattr("mlgate.flow.deploy.rollout.pause", dying)
        with pytest.raises(Death):
            invoke(["deploy"])
    controllers.reconcile()
    assert render("--step", "50") == 0
    assert [differs(one, fake) for one in objects() if differs(one, fake)] == []
    assert invoke(["deploy"]) == 0
    assert render() == 0
    assert [differs(one, fake) for one in objects() if differs(one, fake)] == []


def test_no_cluster_is_asked(project: DeployProject, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: object) -> None:
        raise AssertionError("the cluster was asked")

    monkeypatch.setattr("mlgate.wiring.deploy.kubernetes_api.connect", asked)
    judged(project, "1")
    assert render() == 0
    judged(project, "2")
    assert render("--step", "50") == 0


def test_the_same_verdict_gives_the_same_bytes(project: DeployProject, capfd: pytest.CaptureFixture[str]) -> None:
    judged(project, "1")
    assert render() == 0
    before = files()
    assert render() == 0
    assert files() == before
    assert "nothing changes" in capfd.readouterr().out


def test_a_model_that_is_judged_again_is_the_same_one(project: DeployProject) -> None:
    judged(project, "1")
    assert render() == 0
    before = files()
    project.judged(image("1"), memory_mb=101.0)
    assert render() == 0
    assert files() == before


def test_the_image_is_the_one_that_was_judged_by_its_digest(project: DeployProject) -> None:
    judged(project, "1")
    assert render() == 0
    runs = next(one for one in objects() if one["kind"] == "InferenceService")
    assert runs["spec"]["predictor"]["containers"][0]["image"] == image("1")
    assert {one["metadata"]["namespace"] for one in objects()} == {NAMESPACE}


def weights() -> list[int]:
    route = next(one for one in objects() if one["kind"] == "HTTPRoute")
    return [one["weight"] for one in route["spec"]["rules"][-1]["backendRefs"]]


def test_step_by_step_the_weights_rise_and_at_the_end_the_model_before_is_removed(
    project: DeployProject, capfd: pytest.CaptureFixture[str]
) -> None:
    judged(project, "1")
    assert render() == 0
    (first,) = (name for name in files() if name.startswith("inferenceservice-"))
    judged(project, "2")
    seen = []
    for step in ("0", "50", "100"):
        assert render("--step", step) == 0
        assert first in files()
        seen.append(weights())
    assert seen == [[100, 0], [50, 50], [0, 100]]
    capfd.readouterr()
    assert render() == 0
    assert first not in files()
    assert weights() == [100]
    out = capfd.readouterr().out
    assert f"removed  {TO / first}" in out
    assert "has all of the traffic, and is alone" in out


def test_the_model_that_serves_rendered_again_takes_the_candidate_back(project: DeployProject) -> None:
    judged(project, "1")
    assert render() == 0
    alone = files()
    judged(project, "2")
    assert render("--step", "50") == 0
    judged(project, "1")
    assert render("--step", "50") == 0
    assert files() == {**alone, LIST: files()[LIST]}


def test_the_next_candidate_takes_the_place_of_the_one_before(project: DeployProject) -> None:
    for digit, words in (("1", []), ("2", ["--step", "50"]), ("3", ["--step", "50"])):
        judged(project, digit)
        assert render(*words) == 0
    images = {one["spec"]["predictor"]["containers"][0]["image"] for one in objects() if one["kind"] != "HTTPRoute"}
    assert images == {image("1"), image("3")}


def test_files_of_others_are_left_alone(project: DeployProject) -> None:
    TO.mkdir()
    (TO / "README.md").write_text("ours")
    (TO / "secret.yaml").write_text("kind: Secret")
    judged(project, "1")
    assert render() == 0
    judged(project, "2")
    assert render() == 0
    assert (TO / "README.md").read_text() == "ours"
    assert (TO / "secret.yaml").read_text() == "kind: Secret"


def test_a_file_in_the_way_that_mlgate_did_not_write_is_refused(
    project: DeployProject, capfd: pytest.CaptureFixture[str]
) -> None:
    TO.mkdir()
    (TO / KUSTOMIZATION).write_text("resources: [mine.yaml]\n")
    judged(project, "1")
    assert render() == 5
    assert "this file is in the way, and mlgate did not write it" in capfd.readouterr().err
    assert [path.name for path in TO.iterdir()] == [KUSTOMIZATION]


def test_a_file_that_somebody_changed_is_refused_and_kept(
    project: DeployProject, capfd: pytest.CaptureFixture[str]
) -> None:
    judged(project, "1")
    assert render() == 0
    route = TO / "httproute-mlgate-summarizer.yaml"
    route.write_text(route.read_text().replace("100", "99"))
    judged(project, "2")
    assert render("--step", "50") == 5
    assert "somebody changed this file since mlgate wrote it" in capfd.readouterr().err
    assert "99" in route.read_text()


def test_a_file_that_somebody_deleted_is_written_again(project: DeployProject) -> None:
    judged(project, "1")
    assert render() == 0
    before = files()
    (TO / "httproute-mlgate-summarizer.yaml").unlink()
    assert render() == 0
    assert files() == before


@pytest.mark.parametrize("number", range(1, 7))
def test_a_process_that_dies_at_any_file_leaves_a_folder_that_the_next_one_finishes(
    project: DeployProject, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged(project, "1")
    assert render() == 0
    judged(project, "2")
    write, written = safe_file.write, 0

    def dies(path: Path, content: bytes) -> None:
        nonlocal written
        written += 1
        if written == number:
            raise AdapterError("the disk is full")
        write(path, content)

    with monkeypatch.context() as patched:
        patched.setattr(safe_file, "write", dies)
        code = render("--step", "50")
    assert (code == 3) == (written >= number)
    assert render("--step", "50") == 0
    assert weights() == [50, 50]
    assert render() == 0
    assert weights() == [100]
    assert len(objects()) == 2


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"mode": "auto"}, "`deploy` does not say the mode: without a cluster nobody can choose it"),
        ({"namespace": None}, "`deploy` does not say the namespace: without a cluster nobody knows it"),
        ({"mode": "deployment"}, "mode deployment deploys a Deployment, and the manifest has an InferenceService"),
        ({"service": "other"}, "the folder has summarizer in namespace models by mode route; this would be other in"),
    ],
)
def test_what_only_a_cluster_could_say_has_to_be_written(
    project: DeployProject, changed: dict[str, Any], says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    judged(project, "1")
    assert render() == 0
    written = yaml.safe_load(project.config.read_text())
    written["deploy"] = {key: value for key, value in (written["deploy"] | changed).items() if value is not None}
    project.config.write_text(yaml.safe_dump(written))
    before = files()
    assert render() == 2
    assert says in capfd.readouterr().err
    assert files() == before


@pytest.mark.parametrize(
    ("step", "says"),
    [("50", "nobody is there beside whom it would get 50 %"), ("7", "7 % is no step of this service")],
)
def test_a_step_needs_a_model_beside_it_and_a_place_in_the_file(
    project: DeployProject, step: str, says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    judged(project, "1")
    assert render("--step", step) == 2
    assert says in capfd.readouterr().err
    assert not TO.exists()


def test_a_verdict_that_a_deploy_would_refuse_renders_nothing(project: DeployProject) -> None:
    judged(project, "1")
    report = Path(".mlgate/report.json")
    report.write_text(report.read_text().replace("passed", "passed ", 1))
    assert render() == 5
    assert not TO.exists()


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        ('"mlgate.rendered/1"->"mlgate.rendered/2"', 3),
        ('"weight": 100->"weight": "100"', 3),
        ('"kustomization.yaml"->"../kustomization.yaml"', 3),
        ('"service"->"services"', 3),
    ],
)
def test_a_list_that_is_damaged_is_told(
    project: DeployProject, damage: str, code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    judged(project, "1")
    assert render() == 0
    before, after = damage.split("->")
    text = (TO / LIST).read_text()
    assert before in text
    (TO / LIST).write_text(text.replace(before, after))
    assert render() == code
    assert "the list of what was rendered is damaged" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("mode", "step", "next_one"),
    [
        *((mode, step, "3") for mode in ("route", "replicas", "standard") for step in ([], ["--step", "50"])),
        ("knative", [], "3"),
        ("knative", ["--step", "50"], "1"),  # what serves is in no file meanwhile: one that goes back would write it
    ],
)
def test_a_model_that_somebody_changed_in_the_list_alone_is_never_written(
    project: DeployProject, mode: str, step: list[str], next_one: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """No tool applies the list, and no reviewer looks into it: the next render would bring it to the cluster."""
    project.changed(mode=mode)
    if mode == "replicas":
        project.manifest(deployment())
    judged(project, "1")
    assert render() == 0
    judged(project, "2")
    assert render(*step) == 0
    text = (TO / LIST).read_text()
    serves = image("1") if step else image("2")
    assert serves in text
    (TO / LIST).write_text(text.replace(serves, f"evil.example.com/model@sha256:{'e' * 64}"))
    before = files()
    judged(project, next_one)
    assert render("--step", "50") == 5
    assert re.search("the models in this list are not|is not what was judged", capfd.readouterr().err)
    assert files() == before


def test_kserves_own_canary_is_rendered_with_the_pods_that_a_deploy_gives_it(project: DeployProject) -> None:
    project.changed(mode="standard")
    judged(project, "1")
    assert render() == 0
    judged(project, "2")
    assert render("--step", "50") == 0
    (made,) = objects()
    assert made["spec"]["predictor"]["minReplicas"] == 3
    (canary,) = made["spec"]["canary"]
    assert (canary["trafficPercent"], canary["predictor"]["minReplicas"]) == (50, 1)
    assert canary["predictor"]["containers"][0]["image"] == image("2")
    assert render() == 0
    (made,) = objects()
    assert "canary" not in made["spec"]
