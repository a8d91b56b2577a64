"""`mlgate deploy --detach` and the calls of `mlgate reconcile` that carry the rollout on, over a cluster in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.deploy_project import DeployProject, image, inference_service
from tests.support.fake_controllers import Controllers
from tests.support.fake_kubernetes import NAMESPACE, FakeKubernetes

from mlgate.adapters.process.signals import SignalStop
from mlgate.cli.group import invoke

GATEWAY = {"name": "kserve/gate", "hosts": ["summarizer.example.com"]}
BEGAN = 1_800_000_000.0


class Place:
    """A project, a cluster, and a clock that only waits move."""

    def __init__(self, fake: FakeKubernetes) -> None:
        self.fake = fake
        self.now = BEGAN
        times = {"hold": "1h", "deadline": "8h", "patience": "5m"}
        self.project = DeployProject(Path(), "summarizer", NAMESPACE, gateway=GATEWAY, steps=[25, 50, 100], **times)

    def waited(self, seconds: float) -> None:
        self.now += seconds

    def judged(self, digit: str) -> None:
        self.project.manifest(inference_service(MODEL_VERSION=digit))
        self.project.judged(image(digit))

    def detached(self) -> None:
        """Let a second model have its first step."""
        self.judged("1")
        assert invoke(["deploy"]) == 0
        self.judged("2")
        assert invoke(["deploy", "--detach"]) == 0

    @property
    def record(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.fake.objects["configmaps", "mlgate-summarizer"]["data"]["record.json"])
        return found

    @property
    def weights(self) -> list[int]:
        route = self.fake.objects["httproutes", "mlgate-summarizer"]
        return [ref["weight"] for ref in route["spec"]["rules"][-1]["backendRefs"]]

    @property
    def candidates_pod(self) -> dict[str, Any]:
        name = self.record["candidate"]["name"]
        return self.fake.objects["pods", f"{name}-predictor-0"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    fake = FakeKubernetes()
    Controllers(fake)
    monkeypatch.chdir(tmp_path)
    made = Place(fake)
    monkeypatch.setattr("mlgate.wiring.deploy.kubernetes_api.connect", lambda _context, _namespace: fake.api())
    monkeypatch.setattr("mlgate.adapters.kubernetes.drain.DRAIN_S", 0.0)
    monkeypatch.setattr("mlgate.adapters.process.clock.seconds", lambda: made.now)
    monkeypatch.setattr("mlgate.flow.deploy.rollout._CALM_S", 30.0)
    monkeypatch.setattr(SignalStop, "wait", lambda _, seconds: made.waited(seconds))
    return made


def said(capfd: pytest.CaptureFixture[str]) -> str:
    out, err = capfd.readouterr()
    return out + err


def test_a_rollout_goes_on_from_call_to_call_until_it_is_promoted(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.detached()
    text = said(capfd)
    assert "detached: summarizer-" in text
    assert "gets 25 % of the traffic of summarizer" in text
    assert place.weights == [75, 25]
    assert place.fake.objects["leases", "mlgate-summarizer"]["spec"]["holderIdentity"] == ""
    seen, codes = [], []
    for _ in range(40):
        place.now += 600
        codes.append(invoke(["reconcile", "--for", "1m"]))
        seen.append(place.weights[-1])
        if not place.record["handover"] or place.record["accepted"]["name"] == place.record["candidate"]["name"]:
            break
    assert sorted(set(seen)) == [25, 50, 100]
    assert seen == sorted(seen)
    assert set(codes) == {0}
    assert "promoted: summarizer is summarizer-" in said(capfd)
    assert place.weights == [100]
    assert Path(".mlgate/rollout/rollout.json").exists()
    assert invoke(["reconcile"]) == 0
    assert "no rollout is under way" in said(capfd)


def test_status_says_who_goes_on_with_it(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    place.detached()
    said(capfd)
    assert invoke(["status"]) == 0
    text = said(capfd)
    assert "it is detached: the next mlgate reconcile goes on with it" in text
    assert "it is rolled back in " in text
    assert "its process is gone" not in text


def test_what_always_runs_behind_a_deploy_leaves_a_detached_rollout_alone(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.detached()
    assert invoke(["deploy", "--resume-or-rollback"]) == 0
    assert place.weights == [75, 25]
    assert said(capfd).count("detached: summarizer-") == 2


def test_a_person_takes_it_back(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    place.detached()
    assert invoke(["rollback"]) == 0
    assert place.weights == [100]
    text = said(capfd)
    assert "rolled back: a person asked for it" in text
    assert "next: the model was not judged worse: mlgate deploy begins anew" in text


def test_the_first_call_after_the_deadline_rolls_it_back(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    place.detached()
    place.now = BEGAN + 9 * 3600
    said(capfd)
    assert invoke(["reconcile"]) == 4
    assert "rolled back: the deadline passed before the step was over" in said(capfd)
    assert place.weights == [100]


def test_a_crash_that_nobody_saw_takes_it_back_at_the_first_look(
    place: Place, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place.detached()
    place.now += 600
    ended = {"reason": "OOMKilled", "exitCode": 137}
    ready = {"type": "Ready", "status": "True"}
    restarted = {"name": "model", "restartCount": 1, "state": {"running": {}}, "lastState": {"terminated": ended}}
    name = place.candidates_pod["metadata"]["name"]
    status_of = Controllers._deployment

    def crashed(controllers: Controllers, deployment: dict[str, Any]) -> None:
        status_of(controllers, deployment)
        if ("pods", name) in place.fake.objects:
            pod = place.fake.objects["pods", name]
            pod["status"] = {"containerStatuses": [restarted], "conditions": [ready]}

    monkeypatch.setattr(Controllers, "_deployment", crashed)
    before = place.now
    said(capfd)
    assert invoke(["reconcile"]) == 4
    assert "OOMKilled" in said(capfd)
    assert place.weights == [100]
    back = next(one for one in place.record["rollout"]["history"] if one["candidate"] == "broken")
    assert back["at"] < before + 2


def test_rules_that_changed_meanwhile_take_it_back(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    place.detached()
    place.project.changed(check_every="7m")
    said(capfd)
    assert invoke(["reconcile"]) == 4
    assert "rolled back: the rules in mlgate.yaml are others than when the rollout was detached" in said(capfd)


def test_a_comment_is_no_change_of_the_rules(place: Place) -> None:
    place.detached()
    place.project.config.write_text("# a comment\n" + place.project.config.read_text())
    assert invoke(["reconcile", "--for", "1s"]) == 0
    assert place.weights == [75, 25]


def test_a_signal_ends_the_call_and_leaves_the_rollout(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.detached()
    monkeypatch.setattr(SignalStop, "why", property(lambda _: "stopped by SIGTERM"))
    began = place.now
    assert invoke(["reconcile", "--for", "8h"]) == 0
    assert place.now < began + 60
    assert place.weights == [75, 25]
    assert place.record["handover"]["taken"] is None


def test_the_same_deploy_without_detach_carries_it_to_its_end(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    place.detached()
    place.now += 600
    said(capfd)
    assert invoke(["deploy"]) == 0
    text = said(capfd)
    assert "promoted: summarizer is" in text
    assert "rolling back" not in text
    assert place.record["handover"] is None


def test_detached_again_nothing_is_lost(place: Place) -> None:
    place.detached()
    place.now += 600
    assert invoke(["deploy", "--detach"]) == 0
    assert place.record["handover"]["restarts"]
    assert place.weights == [75, 25]


def test_a_record_of_before_there_was_detaching_is_read(place: Place) -> None:
    place.judged("1")
    assert invoke(["deploy"]) == 0
    record = place.record
    del record["handover"]
    place.fake.objects["configmaps", "mlgate-summarizer"]["data"]["record.json"] = json.dumps(record)
    assert invoke(["reconcile"]) == 0
    place.judged("2")
    assert invoke(["deploy"]) == 0


@pytest.mark.parametrize("words", [["--detach", "--dry-run"], ["--detach", "--resume-or-rollback"]])
def test_detaching_is_for_a_rollout_alone(place: Place, words: list[str]) -> None:
    assert yaml.safe_load(place.project.config.read_text())
    assert invoke(["deploy", *words]) == 2
