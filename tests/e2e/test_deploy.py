"""Deploys on a real Kubernetes API with the real KServe: all of the traffic on the new model, or on the one before."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support import gateway_client, rollout_cluster
from tests.support.deploy_project import image
from tests.support.rollout_cluster import MODES, Place, await_text, ended, place
from tests.support.waiting import until

from mlgate.adapters.kubernetes.kinds import DEPLOYMENT, HTTP_ROUTE, INFERENCE_SERVICE, POD, Kind
from mlgate.adapters.kubernetes.manifest import RELEASE_LABEL
from mlgate.core.deploy.mode import ROUTED

pytestmark = pytest.mark.needs_cluster

OLD, NEW = image("1"), image("2")
QUOTAS = Kind("", "v1", "ResourceQuota", "resourcequotas")
GATEWAY = "MLGATE_TEST_GATEWAY"
BEHIND_A_ROUTE = tuple(mode for mode in MODES if mode in ROUTED)


@pytest.fixture(params=MODES)
def somewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with place(request.param, tmp_path) as found:
        yield found


@pytest.fixture(params=BEHIND_A_ROUTE)
def behind_a_route(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with place(request.param, tmp_path) as found:
        yield found


def test_a_first_model_and_the_next_one_are_promoted(somewhere: Place) -> None:
    somewhere.deployed(OLD, MODEL_VERSION="one")
    assert somewhere.is_at_rest(OLD) == ""
    somewhere.manifest(MODEL_VERSION="two")
    somewhere.project.judged(NEW)
    code, said = somewhere.run("deploy")
    assert code == 0, said
    weights = [int(found) for found in re.findall(r"(\d+) %  holding", said)]
    assert weights == somewhere.steps
    assert "promoted: summarizer is summarizer-" in said
    until(lambda: somewhere.is_at_rest(NEW) == "")


def test_no_request_is_lost_while_models_change_and_each_gets_its_share(somewhere: Place) -> None:
    somewhere.deployed(OLD, MODEL_VERSION="one")
    somewhere.open_to_users()
    until(lambda: somewhere.asked() == (200, "one"))
    with gateway_client.asking(os.environ[GATEWAY], somewhere.host) as answers:
        somewhere.deployed(NEW, MODEL_VERSION="two")
        asked = answers.total
        until(lambda: answers.total >= asked + 50)  # what is lost, is lost behind the promotion as well
    assert not answers.lost
    assert answers.versions["one"] > 0 < answers.versions["two"]
    assert somewhere.asked() == (200, "two")


def test_a_model_that_serves_already_is_left_alone(somewhere: Place) -> None:
    somewhere.deployed(OLD)
    before = somewhere.left()
    code, said = somewhere.run("deploy")
    assert (code, somewhere.left()) == (0, before)
    assert "serves already" in said


@pytest.mark.parametrize(
    ("changed", "patience", "says"),
    [
        ({"MODEL_FAIL_LOAD": "no weights"}, "2m", "crash|cannot be loaded|was restarted"),
        ({"MODEL_LOAD_SECONDS": "600"}, "10s", "not loaded within"),
    ],
)
def test_a_candidate_that_never_loads_gets_nothing_and_is_removed(
    somewhere: Place, changed: dict[str, str], patience: str, says: str
) -> None:
    somewhere.deployed(OLD)
    pods = {one["metadata"]["uid"] for one in somewhere.api.list(POD, {})}
    somewhere.manifest(**changed)
    somewhere.project.judged(NEW)
    somewhere.project.changed(patience=patience)
    code, said = somewhere.run("deploy")
    assert code == 4, said
    assert re.search(f"rolled back: .*(?:{says})", said), said
    assert "holding" not in said
    until(lambda: somewhere.is_at_rest(OLD) == "")
    if somewhere.mode != "knative":
        assert {one["metadata"]["uid"] for one in somewhere.api.list(POD, {})} == pods


def test_a_candidate_that_crashes_under_traffic_loses_it(behind_a_route: Place) -> None:
    behind_a_route.deployed(OLD, MODEL_VERSION="one")
    behind_a_route.manifest(MODEL_VERSION="two", MODEL_CRASH_AFTER="20")
    behind_a_route.project.judged(NEW)
    with gateway_client.asking(os.environ[GATEWAY], behind_a_route.host):
        code, said = behind_a_route.run("deploy")
    assert code == 4, said
    assert "rolled back: " in said
    until(lambda: behind_a_route.is_at_rest(OLD) == "")
    assert behind_a_route.asked() == (200, "one")


def slow(somewhere: Place, **changed: Any) -> None:
    """Let the next rollout hold its first step for a minute."""
    somewhere.manifest(**changed)
    somewhere.project.judged(NEW)
    somewhere.project.changed(hold="60s")


def test_a_signal_takes_the_traffic_back_before_anything_else(somewhere: Place) -> None:
    somewhere.deployed(OLD)
    slow(somewhere, MODEL_VERSION="two")
    running = somewhere.start("deploy")
    await_text(running, somewhere.first_step)
    running.send_signal(signal.SIGTERM)
    await_text(running, "rolling back: stopped by SIGTERM")
    until(lambda: somewhere.weight == 0)
    assert running.poll() is None  # what is left to do then: pods that drain and end
    code, said = ended(running)
    assert code == 4, said
    until(lambda: somewhere.is_at_rest(OLD) == "")


def test_of_two_deploys_at_once_the_second_waits_for_nobody(somewhere: Place) -> None:
    somewhere.deployed(OLD)
    slow(somewhere)
    first = somewhere.start("deploy")
    await_text(first, somewhere.first_step)
    code, said = somewhere.run("deploy")
    assert code == 3
    assert "is rolling summarizer out at this moment" in said
    code, said = somewhere.run("status")
    assert "rollout under way" in said
    first.send_signal(signal.SIGINT)
    assert ended(first)[0] == 4
    until(lambda: somewhere.is_at_rest(OLD) == "")


@pytest.mark.parametrize("words", [("deploy", "--resume-or-rollback"), ("deploy",), ("rollback",)])
def test_what_a_killed_process_left_is_ended_by_the_next_one(somewhere: Place, words: tuple[str, ...]) -> None:
    somewhere.deployed(OLD)
    slow(somewhere)
    killed = somewhere.start("deploy")
    await_text(killed, somewhere.first_step)
    killed.kill()
    ended(killed)
    somewhere.project.changed(hold="1s")
    code, said = somewhere.run(*words)
    assert code == {"deploy --resume-or-rollback": 4, "deploy": 0, "rollback": 0}[" ".join(words)], said
    until(lambda: somewhere.is_at_rest(NEW if words == ("deploy",) else OLD) == "")


def test_the_same_deploy_again_goes_on_from_where_it_was_killed(behind_a_route: Place) -> None:
    found = behind_a_route
    found.deployed(OLD)
    slow(found)
    found.project.changed(hold="4s")
    killed = found.start("deploy")
    await_text(killed, "50 %  shifting")
    killed.kill()
    ended(killed)
    code, said = found.run("deploy")
    assert code == 0, said
    assert [int(one) for one in re.findall(r"(\d+) %  holding", said)] == found.steps
    assert (said.count("loading"), "rolling back" in said) == (1, False)
    until(lambda: found.is_at_rest(NEW) == "")


def test_a_stable_model_that_dies_meanwhile_stops_the_steps_and_is_waited_for(behind_a_route: Place) -> None:
    found = behind_a_route
    found.deployed(OLD, MODEL_VERSION="one")
    slow(found, MODEL_VERSION="two")
    found.project.changed(hold="5s", patience="15s")
    running = found.start("deploy")
    await_text(running, found.first_step)
    accepted = found.record.accepted
    assert accepted is not None
    found.api.create(QUOTAS, {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "2"}}})
    for pod in found.api.list(POD, {RELEASE_LABEL: accepted.name}):
        found.api.delete(POD, pod)
    await_text(running, "rolling back: .*the stable model")
    until(lambda: found.asked() == (200, "two"))  # nobody else can answer
    quota = found.api.get(QUOTAS, "none")
    assert quota is not None
    found.api.delete(QUOTAS, quota)
    code, said = ended(running)
    if code == 3:  # the pods were not there again within a minute, on a busy machine: the next one goes on
        code, said = found.run("deploy", "--resume-or-rollback")
    assert code == 4, said
    until(lambda: found.is_at_rest(OLD) == "")
    assert found.asked() == (200, "one")


def test_a_hand_that_raises_the_weight_ends_the_rollout(behind_a_route: Place) -> None:
    behind_a_route.deployed(OLD)
    slow(behind_a_route)
    running = behind_a_route.start("deploy")
    await_text(running, "10 %  holding")
    route = behind_a_route.api.get(HTTP_ROUTE, "mlgate-summarizer")
    assert route is not None
    old, new = route["spec"]["rules"][-1]["backendRefs"]
    old["weight"], new["weight"] = 20, 80
    behind_a_route.api.replace(HTTP_ROUTE, route)
    code, said = ended(running)
    assert code == 4
    assert "gets 80 % of the traffic; this step allows 10 %" in said
    until(lambda: behind_a_route.is_at_rest(OLD) == "")


def test_a_rollback_brings_back_the_model_before(somewhere: Place) -> None:
    somewhere.deployed(OLD, MODEL_VERSION="one")
    somewhere.deployed(NEW, MODEL_VERSION="two")
    code, said = somewhere.run("rollback")
    assert code == 0, said
    until(lambda: somewhere.is_at_rest(OLD) == "")
    code, said = somewhere.run("rollback")
    assert code == 3
    assert "nothing to go back to" in said


def test_a_first_model_that_fails_leaves_nothing(somewhere: Place) -> None:
    somewhere.manifest(MODEL_FAIL_LOAD="no weights")
    somewhere.project.judged(OLD)
    code, said = somewhere.run("deploy")
    assert code == 4, said
    until(lambda: somewhere.left() == {})


def test_a_service_that_somebody_else_made_is_taken_over_without_a_lost_request(tmp_path: Path) -> None:
    with place("route", tmp_path) as found:
        theirs = {"metadata": {"name": "summarizer"}, **_bare(found)}
        theirs["spec"]["predictor"]["containers"][0]["image"] = OLD
        theirs["metadata"]["labels"] = {"networking.kserve.io/visibility": "cluster-local"}
        found.api.create(INFERENCE_SERVICE, theirs)
        until(lambda: bool(found.api.get(DEPLOYMENT, "summarizer-predictor")))
        before = found.api.get(INFERENCE_SERVICE, "summarizer")
        assert before is not None
        found.deployed(NEW, MODEL_VERSION="two")
        after = found.api.get(INFERENCE_SERVICE, "summarizer")
        assert after is not None
        assert after["spec"] == before["spec"]
        assert after["metadata"]["generation"] == before["metadata"]["generation"]
        assert found.asked() == (200, "two")
        code, said = found.run("rollback")
        assert code == 0, said
        until(lambda: found.asked()[0] == 200 and found.asked()[1] != "two")


def _bare(found: Place) -> dict[str, Any]:
    written = yaml.safe_load((found.project.folder / "manifest.yaml").read_text())
    return {"spec": written["spec"]}


def test_a_pod_that_cannot_be_scheduled_is_told_by_status(tmp_path: Path) -> None:
    with place("route", tmp_path) as found:
        found.deployed(OLD)
        text = (found.project.folder / "manifest.yaml").read_text().replace("cpu: 100m", "cpu: '900'")
        (found.project.folder / "manifest.yaml").write_text(text.replace("cpu: '1'", "cpu: '900'"))
        found.project.judged(NEW)
        found.project.changed(patience="2m")
        running = found.start("deploy")
        await_text(running, "0 %  loading")
        until(lambda: "Insufficient cpu" in found.run("status")[1])
        code, said = found.run("status")
        assert code == 0
        assert "Unschedulable" in said
        running.send_signal(signal.SIGTERM)
        assert ended(running)[0] == 4


def test_a_quota_refuses_the_second_model_and_the_first_stays(tmp_path: Path) -> None:
    with place("deployment", tmp_path) as found:
        found.deployed(OLD)
        found.api.create(QUOTAS, {"metadata": {"name": "small"}, "spec": {"hard": {"pods": "2"}}})
        found.project.judged(NEW)
        code, said = found.run("deploy")
        assert code == 4, said
        assert "exceeded quota" in said
        until(lambda: found.is_at_rest(OLD) == "")


def test_a_dry_run_changes_nothing_and_shows_what_would_change(somewhere: Place) -> None:
    somewhere.deployed(OLD, MODEL_VERSION="one")
    before, record = somewhere.left(), somewhere.record
    somewhere.manifest(MODEL_VERSION="two")
    somewhere.project.judged(NEW)
    code, said = somewhere.run("deploy", "--dry-run")
    assert code == 0, said
    assert re.search(r'^-\s+value: "one"$', said, re.MULTILINE)
    assert re.search(r'^\+\s+value: "two"$', said, re.MULTILINE)
    assert "nothing was changed" in said
    assert (somewhere.left(), somewhere.is_at_rest(OLD)) == (before, "")
    assert somewhere.record == record


def test_what_a_webhook_refuses_is_told_before_anything_is_changed(tmp_path: Path) -> None:
    with place("knative", tmp_path) as found:
        text = (found.project.folder / "manifest.yaml").read_text()
        (found.project.folder / "manifest.yaml").write_text(text.replace("minReplicas: 1", "minReplicas: -1"))
        found.project.judged(OLD)
        code, said = found.run("deploy")
        assert code in (2, 4), said
        assert "denied the request" in said
        until(lambda: found.left() == {})


def checked(found: Place) -> None:
    """Let the next deploys ask the candidate through the gateway first."""
    written = yaml.safe_load(found.project.config.read_text())
    written["checks"]["answers"] = {"data": "data.jsonl", "rules": {"rougeL": {"min": 0.01}}}
    written["model"]["image"]["protocol"] = "kserve-v2"
    written["deploy"] |= {
        "checks": ["answers"],
        "url": os.environ[GATEWAY],
        "gateway": {"name": rollout_cluster.GATEWAY},
    }
    found.project.config.write_text(yaml.safe_dump(written))


def test_online_checks_ask_the_candidate_before_it_gets_traffic(tmp_path: Path) -> None:
    with place("route", tmp_path) as found:
        checked(found)
        found.deployed(OLD, MODEL_VERSION="one")
        found.deployed(NEW, MODEL_VERSION="two")
        found.manifest(MODEL_VERSION="three", MODEL_ERROR_RATE="1")
        found.project.judged(image("3"))
        code, said = found.run("deploy")
        assert code == 4, said
        assert "rolled back: online checks: " in said
        assert "holding" not in said
        until(lambda: found.is_at_rest(NEW) == "")
