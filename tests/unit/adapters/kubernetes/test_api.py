"""What the API's answers mean: an object, nothing, a refusal, somebody else's change, or not now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from tests.support.fake_kubernetes import FakeKubernetes, status

from mlgate.adapters.kubernetes import api as kubernetes_api
from mlgate.adapters.kubernetes.api import Conflict
from mlgate.adapters.kubernetes.kinds import CONFIG_MAP, HTTP_ROUTE, INFERENCE_SERVICE
from mlgate.core.errors import AdapterError, Denied, GateError

OBJECT = {"metadata": {"name": "one"}, "data": {"a": "1"}}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeKubernetes:
    monkeypatch.setattr("mlgate.adapters.kubernetes.api.time.sleep", lambda _: None)
    return FakeKubernetes()


def replies(*given: httpx2.Response | None) -> Any:
    left: Iterator[httpx2.Response | None] = iter(given)
    return lambda _method, _path: next(left, None)


def test_what_is_not_there_is_nothing(fake: FakeKubernetes) -> None:
    assert fake.api().get(CONFIG_MAP, "one") is None


def test_a_kind_that_is_not_served_lists_nothing_where_that_is_fine(fake: FakeKubernetes) -> None:
    fake.before = lambda _method, _path: status(404, "NotFound", "no such resource")
    assert fake.api().list(HTTP_ROUTE, {}, missing_is_fine=True) == ()
    with pytest.raises(AdapterError):
        fake.api().list(HTTP_ROUTE, {})


def test_an_object_is_listed_by_its_labels(fake: FakeKubernetes) -> None:
    api = fake.api()
    for name in ("a", "b"):
        api.create(CONFIG_MAP, {"metadata": {"name": name, "labels": {"which": name}}})
    assert [one["metadata"]["name"] for one in api.list(CONFIG_MAP, {"which": "b"})] == ["b"]


def test_a_write_holds_for_the_version_that_was_read(fake: FakeKubernetes) -> None:
    api = fake.api()
    read = api.create(CONFIG_MAP, OBJECT)
    api.replace(CONFIG_MAP, {**read, "data": {"a": "2"}})
    with pytest.raises(Conflict):
        api.replace(CONFIG_MAP, {**read, "data": {"a": "3"}})


def test_a_delete_holds_for_the_very_object_that_was_read(fake: FakeKubernetes) -> None:
    api = fake.api()
    old = api.create(CONFIG_MAP, OBJECT)
    api.delete(CONFIG_MAP, old)
    api.create(CONFIG_MAP, OBJECT)
    api.delete(CONFIG_MAP, old)
    assert api.get(CONFIG_MAP, "one") is not None


@pytest.mark.parametrize("again", [httpx2.Response(503, text="busy"), status(429, "TooManyRequests", "slow down")])
def test_a_read_is_tried_again(fake: FakeKubernetes, again: httpx2.Response) -> None:
    api = fake.api()
    api.create(CONFIG_MAP, OBJECT)
    fake.before = replies(again, again)
    assert api.get(CONFIG_MAP, "one") is not None


def test_a_write_is_tried_again_only_when_the_server_did_not_begin_it(fake: FakeKubernetes) -> None:
    fake.before = replies(status(429, "TooManyRequests", "slow down"))
    fake.api().create(CONFIG_MAP, OBJECT)
    fake.before = replies(status(500, "InternalError", "etcd went away"))
    with pytest.raises(AdapterError, match="etcd went away"):
        fake.api().apply(CONFIG_MAP, OBJECT)


@pytest.mark.parametrize(
    ("reply", "says", "hint"),
    [
        (
            status(403, "Forbidden", 'admission webhook "inferenceservice" denied the request: sum is 110'),
            "sum is 110",
            "",
        ),
        (status(403, "Forbidden", 'User "ci" cannot create resource "leases"'), "cannot create", "Role"),
        (status(403, "Forbidden", "exceeded quota: gpus, requested: 1"), "exceeded quota", "quota"),
        (status(422, "Invalid", "spec.canary[0].trafficPercent: must be at most 100"), "at most 100", ""),
        (status(500, "InternalError", ".spec.nope: field not declared in schema"), "not declared", ""),
        (
            status(
                409,
                "Conflict",
                "Apply failed with 1 conflict",
                details={
                    "causes": [
                        {
                            "reason": "FieldManagerConflict",
                            "message": 'conflict with "argocd" using apps/v1',
                            "field": ".spec.predictor.minReplicas",
                        }
                    ]
                },
            ),
            ".spec.predictor.minReplicas (argocd using apps/v1)",
            "--force-conflicts",
        ),
    ],
)
def test_a_refusal_says_what_the_cluster_said(
    fake: FakeKubernetes, reply: httpx2.Response, says: str, hint: str
) -> None:
    fake.before = replies(reply)
    with pytest.raises(Denied) as raised:
        fake.api().apply(INFERENCE_SERVICE, OBJECT)
    assert says in raised.value.message
    assert hint in raised.value.hint
    assert raised.value.exit_code == 2


@pytest.mark.parametrize(
    "reply",
    [
        httpx2.Response(200, text="<html>a proxy's page</html>"),
        httpx2.Response(200, json=[1]),
        httpx2.Response(502, text="bad gateway"),
        status(401, "Unauthorized", "who are you"),
    ],
)
def test_what_is_no_answer_of_kubernetes_is_an_error_and_nothing_else(
    fake: FakeKubernetes, reply: httpx2.Response
) -> None:
    fake.before = lambda _method, _path: reply
    with pytest.raises(GateError) as raised:
        fake.api().get(CONFIG_MAP, "one")
    assert raised.value.exit_code == 3


def test_a_connection_that_is_refused_is_told_with_the_host(fake: FakeKubernetes) -> None:
    def refuse(_method: str, _path: str) -> None:
        raise httpx2.ConnectError("connection refused")

    fake.before = refuse
    with pytest.raises(AdapterError, match="kubernetes does not answer: connection refused"):
        fake.api().get(CONFIG_MAP, "one")


def test_a_kubeconfig_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere/config")
    with pytest.raises(GateError, match="/nowhere/config"):
        kubernetes_api.connect("", "")
