"""The share of a model in a rollout that somebody else moves: by the pods behind the route, whoever made it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.fake_kubernetes import FakeKubernetes

from mlgate.adapters.kubernetes.kinds import DEPLOYMENT, INFERENCE_SERVICE, REPLICA_SET
from mlgate.adapters.kubernetes.observed.models import Workload, look
from mlgate.adapters.kubernetes.observed.shares import Share, front, share
from mlgate.core.deploy.rollout import Health
from mlgate.core.errors import ConfigError


class Cluster:
    """A route, Services and pods, as some engine leaves them."""

    def __init__(self) -> None:
        self.fake = FakeKubernetes()
        self.api = self.fake.api()

    def route(self, *rules: dict[str, Any], taken: bool = True) -> None:
        parent = {"name": "gate", "namespace": "kserve"}
        spec = {"parentRefs": [parent], "rules": list(rules)}
        made = self.fake._create("httproutes", "podinfo", {"metadata": {"name": "podinfo"}, "spec": spec}).json()
        status = "True" if taken else "False"
        conditions = [
            {"type": one, "status": status, "observedGeneration": made["metadata"]["generation"], "reason": "No"}
            for one in ("Accepted", "ResolvedRefs")
        ]
        self.fake.objects["httproutes", "podinfo"]["status"] = {
            "parents": [{"parentRef": parent, "conditions": conditions}]
        }

    def service(self, name: str, **selector: str) -> None:
        self.fake._create("services", name, {"metadata": {"name": name}, "spec": {"selector": selector}})

    def pods(self, name: str, number: int, *, ready: bool = True, **labels: str) -> None:
        for one in range(number):
            pod = f"{name}-{one}"
            self.fake._create("pods", pod, {"metadata": {"name": pod, "labels": labels}})
            self.fake.objects["pods", pod]["status"] = {
                "conditions": [{"type": "Ready", "status": "True" if ready else "False"}]
            }

    def share(self) -> Share:
        names = [name for kind, name in self.fake.objects if kind == "pods"]
        mine = frozenset(name for name in names if name.startswith("new"))
        its = frozenset(name for name in names if name.startswith("old"))
        return share(self.api, front(self.api, ["podinfo"]), mine, its)


def to(*weights: int | None, headers: bool = False) -> dict[str, Any]:
    names = ("podinfo-primary", "podinfo-canary")
    refs = [
        {"name": n, "port": 80, **({} if w is None else {"weight": w})} for n, w in zip(names, weights, strict=False)
    ]
    matches = [{"headers": [{"name": "x", "value": "y"}]}] if headers else [{"path": {"value": "/"}}]
    return {"matches": matches, "backendRefs": refs}


@pytest.fixture
def cluster() -> Cluster:
    made = Cluster()
    made.service("podinfo-primary", app="podinfo-primary")
    made.service("podinfo-canary", app="podinfo")
    made.pods("old", 3, app="podinfo-primary")
    made.pods("new", 1, app="podinfo")
    return made


@pytest.mark.parametrize(
    ("weights", "percent"), [((90, 10), 10), ((0, 100), 100), ((100, 0), 0), ((999, 1), 1), ((1, 999), 99)]
)
def test_the_weights_of_the_route_are_the_share(cluster: Cluster, weights: tuple[int, int], percent: int) -> None:
    cluster.route(to(*weights))
    assert cluster.share() == Share(percent)


def test_a_weight_that_is_not_written_is_one(cluster: Cluster) -> None:
    cluster.route(to(None, None))
    assert cluster.share() == Share(50)


def test_rules_for_named_requests_are_no_users_share(cluster: Cluster) -> None:
    cluster.route(to(0, 100, headers=True), to(95, 5))
    assert cluster.share() == Share(5)


def test_of_several_rules_the_greatest_share_counts(cluster: Cluster) -> None:
    cluster.route(to(95, 5), to(60, 40))
    assert cluster.share() == Share(40)


def test_a_service_with_pods_of_both_shares_by_their_number(cluster: Cluster) -> None:
    cluster.service("podinfo", release="both")
    cluster.pods("old-more", 3, release="both")
    cluster.pods("new-more", 1, release="both")
    assert cluster.share() == Share(25, is_exact=False)


def test_pods_that_are_not_ready_have_no_share(cluster: Cluster) -> None:
    cluster.service("podinfo", release="both")
    cluster.pods("old-more", 3, release="both")
    cluster.pods("new-more", 1, ready=False, release="both")
    assert cluster.share() == Share(0)


def test_a_route_that_the_gateway_has_not_taken_says_nothing(cluster: Cluster) -> None:
    cluster.route(to(50, 50), taken=False)
    found = cluster.share()
    assert found.percent is None
    assert "the gateway does not take the route" in found.why


def test_without_a_route_and_a_service_nothing_is_known(cluster: Cluster) -> None:
    assert cluster.share().percent is None


def test_pods_of_a_third_model_are_not_counted_for_either(cluster: Cluster) -> None:
    cluster.pods("third", 1, app="podinfo")
    cluster.route(to(90, 10))
    found = cluster.share()
    assert found.percent is None
    assert "the Service podinfo-canary has pods that are of neither model" in found.why


@pytest.mark.parametrize(
    ("refs", "says"),
    [
        ([{"name": "gone", "weight": 1}], "the route has a backend whose pods nobody can tell: gone"),
        ([{"name": "pool", "kind": "InferencePool"}], "it is no Service"),
        ([{"name": "podinfo-canary", "weight": 0}], "the route gives nobody any traffic"),
        ([], "the route gives nobody any traffic"),
        ([{"name": "empty", "weight": 1}], "no ready pod is behind the Service empty"),
    ],
)
def test_a_backend_that_nobody_can_tell_makes_the_share_unknown(
    cluster: Cluster, refs: list[dict[str, Any]], says: str
) -> None:
    cluster.service("empty", app="nobody")
    cluster.route({"matches": [{"path": {"value": "/"}}], "backendRefs": refs})
    found = cluster.share()
    assert found.percent is None
    assert says in found.why


def test_a_model_is_named_by_its_kind_and_name() -> None:
    assert Workload.parse("replicaset/a-5d8f", lambda: DEPLOYMENT) == Workload(REPLICA_SET, "a-5d8f")
    assert Workload.parse("a", lambda: INFERENCE_SERVICE) == Workload(INFERENCE_SERVICE, "a")
    for wrong in ("pod/a", "deployment/", ""):
        with pytest.raises(ConfigError, match="names no model"):
            Workload.parse(wrong, lambda: DEPLOYMENT)


def test_a_replica_set_is_ready_when_all_of_its_pods_are(cluster: Cluster) -> None:
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "podinfo"}}}
    cluster.fake._create("replicasets", "new", {"metadata": {"name": "new"}, "spec": spec})
    there = cluster.fake.objects["replicasets", "new"]
    there["status"] = {"observedGeneration": 1, "replicas": 1, "availableReplicas": 1}
    found = look(cluster.api, Workload(REPLICA_SET, "new"))
    assert (found.condition.health, found.pods) == (Health.READY, frozenset({"new-0"}))
    there["status"] = {"observedGeneration": 1, "replicas": 1, "availableReplicas": 0}
    assert look(cluster.api, Workload(REPLICA_SET, "new")).condition.health is Health.LOADING
    assert look(cluster.api, Workload(DEPLOYMENT, "new")).condition.health is Health.ABSENT


def test_a_model_that_does_not_say_which_pods_are_its_own_has_none(cluster: Cluster) -> None:
    spec = {"replicas": 1, "selector": {"matchExpressions": []}}
    cluster.fake._create("deployments", "new", {"metadata": {"name": "new"}, "spec": spec})
    assert look(cluster.api, Workload(DEPLOYMENT, "new")).pods == frozenset()
