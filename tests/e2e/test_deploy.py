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

pytestmark = pytest.mark.needs_cluster

OLD, NEW = image("1"), image("2")
GATEWAY = "MLGATE_TEST_GATEWAY"
ROUTED = ("route", "deployment")
"""Modes whose traffic flows on the test cluster; Knative's own networking is a stand-in there."""


@pytest.fixture(params=MODES)
def somewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with place(request.param, tmp_path) as found:
        yield found


@pytest.fixture(params=ROUTED)
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
    assert weights == [10, 50, 100]
    assert "promoted: summarizer is summarizer-" in said
    until(lambda: somewhere.is_at_rest(NEW) == "")


def test_no_request_is_lost_while_models_change_and_each_gets_its_share(behind_a_route: Place) -> None:
    behind_a_route.deployed(OLD, MODEL_VERSION="one")
    until(lambda: behind_a_route.asked() == (200, "one"))
    with gateway_client.asking(os.environ[GATEWAY], behind_a_route.host) as answers:
        behind_a_route.deployed(NEW, MODEL_VERSION="two")
        asked = answers.total
        until(lambda: answers.total >= asked + 50)  # what is lost, is lost behind the promotion as well
    assert not answers.lost
    assert answers.versions["one"] > 0 < answers.versions["two"]
    assert behind_a_route.asked() == (200, "two")


def test_a_model_that_serves_already_is_left_alone(somewhere: Place) -> None:
    somewhere.deployed(OLD)
    before = somewhere.left()
    code, said = somewhere.run("deploy")
    assert (code, somewhere.left()) == (0, before)
    assert "serves already" in said


@pytest.mark.parametrize(
    ("changed", "says"),
    [({"MODEL_FAIL_LOAD": "no weights"}, "crash"), ({"MODEL_LOAD_SECONDS": "600"}, "not loaded within")],
)
def test_a_candidate_that_never_loads_gets_nothing_and_is_removed(
    somewhere: Place, changed: dict[str, str], says: str
) -> None:
    somewhere.deployed(OLD)
    pods = {one["metadata"]["uid"] for one in somewhere.api.list(POD, {})}
    somewhere.manifest(**changed)
    somewhere.project.judged(NEW)
    code, said = somewhere.run("deploy")
    assert code == 4, said
    assert says in said
    assert "holding" not in said
    until(lambda: somewhere.is_at_rest(OLD) == "")
    if somewhere.mode in ROUTED:
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
    text = somewhere.project.config.read_text().replace("hold: 1s", "hold: 60s")
    somewhere.project.config.write_text(text)


def test_a_signal_takes_the_traffic_back_before_anything_else(somewhere: Place) -> None:
    somewhere.deployed(OLD)
    slow(somewhere, MODEL_VERSION="two")
    running = somewhere.start("deploy")
    await_text(running, "10 %  holding")
    running.send_signal(signal.SIGTERM)
    await_text(running, "rolling back: stopped by SIGTERM")
    until(lambda: weight(somewhere) == 0)
    assert running.poll() is None  # what is left to do then: pods that drain and end
    code, said = ended(running)
    assert code == 4, said
    until(lambda: somewhere.is_at_rest(OLD) == "")


def weight(somewhere: Place) -> int:
    """Return the candidate's percent, as the cluster shows it."""
    if somewhere.mode == "knative":
        service = somewhere.api.get(INFERENCE_SERVICE, somewhere.service) or {}
        traffic = service["status"]["components"]["predictor"]["traffic"]
        return sum(one.get("percent", 0) for one in traffic if one.get("latestRevision"))
    route = somewhere.api.get(HTTP_ROUTE, "mlgate-summarizer") or {}
    refs = route["spec"]["rules"][-1]["backendRefs"]
    return int(refs[1]["weight"]) if len(refs) > 1 else 0


def test_of_two_deploys_at_once_the_second_waits_for_nobody(somewhere: Place) -> None:
    somewhere.deployed(OLD)
    slow(somewhere)
    first = somewhere.start("deploy")
    await_text(first, "10 %  holding")
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
    await_text(killed, "10 %  holding")
    killed.kill()
    ended(killed)
    text = somewhere.project.config.read_text().replace("hold: 60s", "hold: 1s")
    somewhere.project.config.write_text(text)
    code, said = somewhere.run(*words)
    assert code == {"deploy --resume-or-rollback": 4, "deploy": 0, "rollback": 0}[" ".join(words)], said
    until(lambda: somewhere.is_at_rest(NEW if words == ("deploy",) else OLD) == "")


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
        running = found.start("deploy")
        await_text(running, "0 %  loading")
        until(lambda: "Insufficient cpu" in found.run("status")[1])
        code, said = found.run("status")
        assert code == 0
        assert "Unschedulable" in said
        running.send_signal(signal.SIGTERM)
        assert ended(running)[0] == 4


def test_a_quota_refuses_the_second_model_and_the_first_stays(tmp_path: Path) -> None:
    quotas = Kind("", "v1", "ResourceQuota", "resourcequotas")
    with place("deployment", tmp_path) as found:
        found.deployed(OLD)
        found.api.create(quotas, {"metadata": {"name": "small"}, "spec": {"hard": {"pods": "2"}}})
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
    written["checks"]["answers"] = {"data": "data.jsonl", "rules": {"rougeL": {"min": 0}}}
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
